// Package natsload drives servers over NATS, by nats.go and through a NATS server in this process, and checks each answer.
package natsload

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/bench/internal/model"
	"github.com/ashlar-go/ashlar/bench/internal/parallel"
)

// limit is more than a NATS server takes to start, and than a request takes.
const limit = 30 * time.Second

// Broker is a NATS server, and a connection to it.
type Broker struct {
	URL string

	server *server.Server
	nc     *nats.Conn
}

// Start starts the NATS server on a free port, and connects.
func Start() (*Broker, error) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		return nil, err
	}
	s.Start()
	b := &Broker{server: s}
	if !s.ReadyForConnections(limit) {
		return nil, errors.Join(fmt.Errorf("the NATS server does not serve after %v", limit), b.Close())
	}
	b.URL = s.ClientURL()
	if b.nc, err = nats.Connect(b.URL); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Requests sends n requests with the small body to the subject, atOnce at a time.
func (b *Broker) Requests(subject string, atOnce, n int) error {
	body := model.Small()
	return parallel.Do(n, atOnce, func(int) error {
		m, err := b.nc.Request(subject, body.Request, limit)
		if err == nil {
			err = body.Check(m.Data)
		}
		return err
	})
}

// Close ends the connection and the server.
func (b *Broker) Close() error {
	if b.nc != nil {
		b.nc.Close()
	}
	b.server.Shutdown()
	b.server.WaitForShutdown()
	return nil
}
