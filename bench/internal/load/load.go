// Package load drives a server over HTTP/1.1 keep-alive connections for as little of the machine as it can, and believes no
// reply: each must have the status, the length and every byte of the first, which was checked for its meaning.
package load

import (
	"errors"
	"fmt"
	"net"

	"github.com/ashlar-go/ashlar/bench/internal/model"
	"github.com/ashlar-go/ashlar/bench/internal/parallel"
)

// Load posts one body to one server.
type Load struct {
	conns []*conn
}

// Dial opens the connections, and calls once on each to check the reply.
func Dial(address string, body model.Body, conns int) (*Load, error) {
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: application/json\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", body.Path, address, len(body.Request), body.Request)
	l := &Load{}
	for range conns {
		nc, err := net.Dial("tcp", address)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		c := newConn(nc, request)
		l.conns = append(l.conns, c)
		if err := c.learn(body.Check); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

// Run posts the body n times, on each connection as fast as it is answered.
func (l *Load) Run(n int) error {
	return parallel.Do(n, len(l.conns), func(i int) error { return l.conns[i].call() })
}

// Close closes the connections.
func (l *Load) Close() error {
	var errs []error
	for _, c := range l.conns {
		errs = append(errs, c.nc.Close())
	}
	return errors.Join(errs...)
}
