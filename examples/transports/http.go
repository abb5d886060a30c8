package main

import (
	"context"
	"errors"
	"net"
	"net/http"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

const (
	cutRoute   = "POST /blocks"
	watchRoute = "POST /blocks/watch"
)

func overHTTP(served yard) (called yard, stop func() error, err error) {
	mux := http.NewServeMux()
	mux.Handle(cutRoute, httptransport.NewServer(cutSpec(), served.cut))
	mux.Handle(watchRoute, httptransport.NewStreamServer(watchSpec(), served.watch))
	server := httptransport.NewHTTPServer(mux)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return called, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()

	conn, err := httptransport.Dial("http://" + listener.Addr().String())
	if err != nil {
		return called, nil, err
	}
	stop = func() error {
		err := errors.Join(conn.Close(), httptransport.Shutdown(context.Background(), server, grace))
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
	if called.cut, err = httptransport.NewClient[*Cut, *Block](cutSpec(), conn, cutRoute); err != nil {
		return called, stop, err
	}
	called.watch, err = httptransport.NewStreamClient[*Cut, *Block](watchSpec(), conn, watchRoute)
	return called, stop, err
}
