package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	"github.com/ashlar-go/ashlar/examples/shop/storefront"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

const (
	callTimeout  = 2 * time.Second // of each unary call, on both sides
	slowCall     = 250 * time.Millisecond
	streamGrace  = time.Second // for the order feeds to end by themselves
	closingLimit = 10 * time.Second
)

// shop is the three services, running.
type shop struct {
	url     string     // of the storefront
	failed  chan error // one value per server that stopped by itself
	closers []func() error
}

// open composes the shop: the catalog, the orders that take from it, and the storefront in front of both.
func open(addr string, logger log.Logger) (_ *shop, err error) {
	const servers = 3
	s := &shop{failed: make(chan error, servers)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	// The one chain of middleware, for endpoints of every type, unary and streaming, and the request log around decoding.
	// Successes are for -log debug.
	onServer := endpoint.Chain(endpoint.Recover(), endpoint.Timeout(callTimeout), endpoint.Validate())
	requestLog := httptransport.ServerMiddleware(
		log.Middleware(logger, log.CodeLevel(log.LevelDebug, status.OK), log.Slow(slowCall)))
	onClient := endpoint.Timeout(callTimeout)

	products, err := catalog.New()
	if err != nil {
		return nil, err
	}
	conn, err := s.serve("catalog", "127.0.0.1:0", catalog.Handler(products, onServer, requestLog), logger)
	if err != nil {
		return nil, err
	}
	catalogClient, err := catalog.NewClient(conn, onClient)
	if err != nil {
		return nil, err
	}
	conn, err = s.serve("orders", "127.0.0.1:0", orders.Handler(orders.New(catalogClient.Reserve), onServer, requestLog), logger)
	if err != nil {
		return nil, err
	}
	ordersClient, err := orders.NewClient(conn, onClient)
	if err != nil {
		return nil, err
	}
	conn, err = s.serve("storefront", addr, storefront.Handler(catalogClient, ordersClient, onServer, requestLog), logger)
	if err != nil {
		return nil, err
	}
	s.url = conn.BaseURL()
	return s, nil
}

// serve starts a server, and returns a connection to it.
func (s *shop) serve(name, addr string, handler http.Handler, logger log.Logger) (*httptransport.Conn, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	server := httptransport.NewHTTPServer(handler)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closingLimit)
		defer cancel()
		err := httptransport.Shutdown(ctx, server, streamGrace)
		<-stopped
		return err
	})
	_ = log.Info(logger).Log("msg", "listening", "service", name, "addr", listener.Addr())
	conn, err := httptransport.Dial("http://" + listener.Addr().String())
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, conn.Close)
	return conn, nil
}

// close ends what runs, the last first: customers are served to the end.
func (s *shop) close() error {
	var errs []error
	for _, end := range slices.Backward(s.closers) {
		errs = append(errs, end())
	}
	s.closers = nil
	return errors.Join(errs...)
}
