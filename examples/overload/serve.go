package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/overload"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Work is the request, and Done the answer.
type (
	Work struct {
		N int `json:"n"`
	}
	Done struct {
		N int `json:"n"`
	}
)

func spec() endpoint.Spec { return endpoint.Spec{Service: "overload", Method: "Work"} }

// starter starts a server of the endpoint, with middleware in front of decoding. Close ends it with all its calls.
type starter func(work endpoint.Endpoint[*Work, *Done], mw ...endpoint.Middleware) (
	call endpoint.Endpoint[*Work, *Done], closes func() error, err error)

// worker is the endpoint of the service.
func worker(service *overload.Service) endpoint.Endpoint[*Work, *Done] {
	return func(_ context.Context, w *Work) (*Done, error) {
		service.Work()
		return &Done{N: w.N}, nil
	}
}

// overHTTP is a starter.
func overHTTP(work endpoint.Endpoint[*Work, *Done], mw ...endpoint.Middleware) (
	call endpoint.Endpoint[*Work, *Done], closes func() error, err error,
) {
	mux := http.NewServeMux()
	mux.Handle("POST /work", httptransport.NewServer(spec(), work, httptransport.ServerMiddleware(mw...)))
	server := httptransport.NewHTTPServer(mux)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	const connections = 1500 // so that there are files enough; without shedding more calls than that wait for one
	client := &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: time.Minute,
	}}
	closes = func() error {
		client.CloseIdleConnections()
		err := server.Close()
		if e := <-served; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}
	conn, err := httptransport.Dial("http://"+listener.Addr().String(), httptransport.DialClient(client))
	if err == nil {
		call, err = httptransport.NewClient[*Work, *Done](spec(), conn, "POST /work")
	}
	if err != nil {
		return nil, nil, errors.Join(err, closes())
	}
	return call, closes, nil
}
