package harness

import (
	"errors"

	"github.com/ashlar-go/ashlar/bench/internal/natsload"
)

// NATSServers measures what a request with the small body costs each server of natsserver.
func NATSServers(c Config) (report *Report, err error) {
	broker, err := natsload.Start()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, broker.Close()) }()
	s, err := newSession("NATS server", "natsserver", c, c.contestants("plain", "concurrent", "ashlar"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.startAll(broker.URL); err != nil {
		return nil, err
	}
	err = s.each(func(p *process, _ string) (turn, func() error, error) {
		return turn{process: p, work: func(n int) error { return broker.Requests(p.name+".Sum", c.Conns, n) }}, func() error { return nil }, nil
	})
	return s.report, err
}
