package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

func overNATS(served yard) (called yard, stop func() error, err error) {
	broker, err := server.NewServer(&server.Options{DontListen: true, NoLog: true, NoSigs: true}) // inside of this process
	if err != nil {
		return called, nil, err
	}
	broker.Start()
	closeBroker := func() error {
		broker.Shutdown()
		broker.WaitForShutdown()
		return nil
	}
	nc, err := nats.Connect("", nats.InProcessServer(broker))
	if err != nil {
		return called, closeBroker, fmt.Errorf("connecting to the broker: %w", err)
	}
	stop = func() error {
		nc.Close()
		return closeBroker()
	}
	service, err := natstransport.Serve(nc, "yard", "1.0.0", []*natstransport.Server{
		natstransport.NewServer(cutSpec(), served.cut),
		natstransport.NewStreamServer(watchSpec(), served.watch),
	})
	if err != nil {
		return called, stop, err
	}
	conn, err := natstransport.NewConn(nc)
	if err != nil {
		return called, stop, err
	}
	stop = func() error {
		err := errors.Join(conn.Close(), service.Shutdown(context.Background()))
		nc.Close()
		return errors.Join(err, closeBroker())
	}
	if called.cut, err = natstransport.NewClient[*Cut, *Block](cutSpec(), conn); err != nil {
		return called, stop, err
	}
	called.watch, err = natstransport.NewStreamClient[*Cut, *Block](watchSpec(), conn)
	return called, stop, err
}
