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
	var nc *nats.Conn
	var conn *natstransport.Conn
	var service *natstransport.Service
	stop = func() (err error) {
		if conn != nil {
			err = conn.Close()
		}
		if service != nil {
			err = errors.Join(err, service.Shutdown(context.Background()))
		}
		if nc != nil {
			nc.Close()
		}
		broker.Shutdown()
		broker.WaitForShutdown()
		return err
	}
	if nc, err = nats.Connect("", nats.InProcessServer(broker)); err != nil {
		return called, stop, fmt.Errorf("connecting to the broker: %w", err)
	}
	service, err = natstransport.Serve(nc, "yard", "1.0.0", []*natstransport.Server{
		natstransport.NewServer(cutSpec(), served.cut),
		natstransport.NewStreamServer(watchSpec(), served.watch),
	})
	if err != nil {
		return called, stop, err
	}
	if conn, err = natstransport.NewConn(nc); err != nil {
		return called, stop, err
	}
	if called.cut, err = natstransport.NewClient[*Cut, *Block](cutSpec(), conn); err != nil {
		return called, stop, err
	}
	called.watch, err = natstransport.NewStreamClient[*Cut, *Block](watchSpec(), conn)
	return called, stop, err
}
