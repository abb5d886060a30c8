package harness

import (
	"errors"

	"github.com/ashlar-go/ashlar/bench/internal/grpcload"
)

// GRPCServers measures what a unary call, and a message of a bidirectional stream and its answer, cost each server of grpcserver.
func GRPCServers(c Config) (report *Report, err error) {
	s, err := newSession("gRPC server", "grpcserver", c, c.contestants("plain", "tuned", "ashlar"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.startAll(); err != nil {
		return nil, err
	}
	err = s.each(func(p *process, name string) (turn, func() error, error) {
		streams := c.Conns
		if name == "unary" {
			streams = 0
		}
		l, err := grpcload.Dial(p.address, c.Conns, streams)
		if err != nil {
			return turn{}, nil, err
		}
		if name == "unary" {
			return turn{process: p, work: l.Unary}, l.Close, nil
		}
		return turn{process: p, work: l.Messages}, l.Close, nil
	})
	return s.report, err
}
