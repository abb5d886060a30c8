package harness

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/load"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

// Servers measures what a call costs each server of httpjson.
func Servers(c Config) (report *Report, err error) {
	s, err := newSession("server", "httpjson", c, c.contestants("plain", "gokit", "ashlar", "floor"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, name := range s.names {
		if _, err := s.start(name, s.measured); err != nil {
			return nil, err
		}
	}
	if c.Pin {
		if err := pin(s.other); err != nil {
			return nil, err
		}
	}
	err = s.each(func(p *process, body model.Body) (turn, func() error, error) {
		l, err := load.Dial(p.address, body, c.Conns)
		if err != nil {
			return turn{}, nil, err
		}
		return turn{process: p, work: l.Run}, l.Close, nil
	})
	return s.report, err
}

// Clients measures what a call costs each client of httpclient, all against the plain server.
func Clients(c Config) (report *Report, err error) {
	s, err := newSession("client", "httpclient", c, c.contestants("plain", "gokit", "ashlar", "ashlarshared"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := build(filepath.Join(s.dir, "server"), "httpjson/plain"); err != nil {
		return nil, err
	}
	server, err := start(filepath.Join(s.dir, "server", "plain"), s.other)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	for _, name := range s.names {
		if _, err := s.start(name, s.measured, "http://"+server.address); err != nil {
			return nil, err
		}
	}
	err = s.each(func(p *process, body model.Body) (turn, func() error, error) {
		return turn{process: p, work: func(count int) error {
			_, err := p.ask(contest.Command{Do: "run", Body: body.Name, Count: count, Conns: c.Conns})
			return err
		}}, func() error { return nil }, nil
	})
	return s.report, err
}

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

func (s *session) start(name string, cpu int, args ...string) (*process, error) {
	p, err := start(filepath.Join(s.dir, name), cpu, args...)
	if err == nil {
		s.processes = append(s.processes, p)
	}
	return p, err
}

// each measures all processes with each body.
func (s *session) each(prepare func(*process, model.Body) (turn, func() error, error)) error {
	for _, body := range model.Bodies() {
		if s.config.count(body.Name) == 0 {
			continue
		}
		if err := s.body(body, prepare); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) body(body model.Body, prepare func(*process, model.Body) (turn, func() error, error)) (err error) {
	var turns []turn
	for _, p := range s.processes {
		t, done, err := prepare(p, body)
		if err != nil {
			return errors.Join(errors.New(p.name), err)
		}
		defer func() { err = errors.Join(err, done()) }()
		turns = append(turns, t)
	}
	count := s.config.count(body.Name)
	samples, err := interleave(turns, s.config.Rounds, count)
	if err != nil {
		return err
	}
	s.report.add(body.Name, turns, samples)
	if s.config.Profiles != "" {
		return profile(turns, s.config.Profiles, body.Name, 10*count)
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
