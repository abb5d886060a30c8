package harness

import (
	"errors"
	"path/filepath"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/load"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

// Servers measures what a call costs each server of httpjson.
func Servers(c Config) (report *Report, err error) {
	s, err := newSession("HTTP server", "httpjson", c, c.contestants("plain", "gokit", "ashlar", "floor"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.startAll(); err != nil {
		return nil, err
	}
	err = s.each(func(p *process, name string) (turn, func() error, error) {
		l, err := load.Dial(p.address, bodyOf(name), c.Conns)
		if err != nil {
			return turn{}, nil, err
		}
		return turn{process: p, work: l.Run}, l.Close, nil
	})
	return s.report, err
}

// Clients measures what a call costs each client of httpclient, all against the plain server.
func Clients(c Config) (report *Report, err error) {
	s, err := newSession("HTTP client", "httpclient", c, c.contestants("plain", "gokit", "ashlar", "ashlarshared"))
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
	err = s.each(func(p *process, name string) (turn, func() error, error) {
		return turn{process: p, work: func(count int) error {
			_, err := p.ask(contest.Command{Do: "run", Body: name, Count: count, Conns: c.Conns})
			return err
		}}, func() error { return nil }, nil
	})
	return s.report, err
}

// bodyOf returns the body of that name.
func bodyOf(name string) model.Body {
	if name == model.Small().Name {
		return model.Small()
	}
	return model.Large()
}
