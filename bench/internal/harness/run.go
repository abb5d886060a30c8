package harness

import (
	"errors"
	"os"
	"path/filepath"
)

// session is the processes of one run.
type session struct {
	config          Config
	report          *Report
	dir             string
	names           []string
	processes       []*process
	measured, other int
}

func newSession(what, packages string, c Config, names []string) (*session, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Profiles != "" {
		if err := os.MkdirAll(c.Profiles, 0o755); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "ashlar-bench-")
	if err != nil {
		return nil, err
	}
	s := &session{config: c, report: newReport(what, c), dir: dir, names: names}
	s.measured, s.other = c.processors()
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = packages + "/" + name
	}
	if err := build(dir, paths...); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// startAll starts all contestants, and moves this process out of their way.
func (s *session) startAll(args ...string) error {
	for _, name := range s.names {
		if _, err := s.start(name, s.measured, args...); err != nil {
			return err
		}
	}
	if s.config.Pin {
		return pin(s.other)
	}
	return nil
}

func (s *session) start(name string, cpu int, args ...string) (*process, error) {
	p, err := start(filepath.Join(s.dir, name), cpu, args...)
	if err == nil {
		s.processes = append(s.processes, p)
	}
	return p, err
}

// prepare makes a process ready for the work of that name. The function that it returns takes that back.
type prepare func(p *process, work string) (turn, func() error, error)

// each measures all processes with all of the work.
func (s *session) each(ready prepare) error {
	for _, w := range s.config.Work {
		if w.Count == 0 {
			continue
		}
		if err := s.measure(w, ready); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) measure(w Work, ready prepare) (err error) {
	var turns []turn
	for _, p := range s.processes {
		t, done, err := ready(p, w.Name)
		if err != nil {
			return errors.Join(errors.New(p.name), err)
		}
		defer func() { err = errors.Join(err, done()) }()
		turns = append(turns, t)
	}
	samples, err := interleave(turns, s.config.Rounds, w.Count)
	if err != nil {
		return err
	}
	s.report.add(w.Name, turns, samples)
	if s.config.Profiles != "" {
		return profile(turns, s.config.Profiles, w.Name, 10*w.Count)
	}
	return nil
}

func (s *session) close() error {
	var errs []error
	for _, p := range s.processes {
		errs = append(errs, p.close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
