package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/log"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

// Each of these starts a server of one protocol, and returns a connection to it. The shop's closers end both.

func (s *shop) serveHTTP(name, addr string, handler http.Handler, logger log.Logger) (*httptransport.Conn, error) {
	server := httptransport.NewHTTPServer(handler)
	url, err := s.serve(name, addr, logger, server.Serve, func(ctx context.Context) error {
		return httptransport.Shutdown(ctx, server, streamGrace)
	})
	if err != nil {
		return nil, err
	}
	conn, err := httptransport.Dial("http://" + url)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, conn.Close)
	return conn, nil
}

func (s *shop) serveGRPC(name string, servers []*grpctransport.Server, logger log.Logger) (*grpc.ClientConn, error) {
	server := grpctransport.NewGRPCServer(grpctransport.GRPCHealth(), grpctransport.GRPCReflection())
	grpctransport.Register(server, servers...)
	addr, err := s.serve(name, "127.0.0.1:0", logger, server.Serve, func(ctx context.Context) error {
		return grpctransport.Shutdown(ctx, server, streamGrace)
	})
	if err != nil {
		return nil, err
	}
	conn, err := grpctransport.Dial(addr, grpctransport.DialInsecure())
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, conn.Close)
	return conn, nil
}

// serve starts a server on a listener of its own, and returns the address.
func (s *shop) serve(
	name, addr string, logger log.Logger, serve func(net.Listener) error, shutdown func(context.Context) error,
) (string, error) {
	addr, stopped, err := listen(name, addr, logger, serve, s.failed)
	if err != nil {
		return "", err
	}
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closingLimit)
		defer cancel()
		err := shutdown(ctx)
		<-stopped
		return err
	})
	return addr, nil
}

// listen serves on a listener of its own until the server is ended, which closes stopped; a server that fails tells failed.
func listen(
	name, addr string, logger log.Logger, serve func(net.Listener) error, failed failures,
) (bound string, stopped <-chan struct{}, err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", name, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, grpc.ErrServerStopped) {
			failed.add(fmt.Errorf("%s: %w", name, err))
		}
	}()
	_ = log.Info(logger).Log("msg", "listening", "service", name, "addr", listener.Addr())
	return listener.Addr().String(), ended, nil
}

// serveNATS serves on a connection of its own.
func (s *shop) serveNATS(name string, servers ...*natstransport.Server) error {
	nc, err := s.connect(name)
	if err != nil {
		return err
	}
	service, err := natstransport.Serve(nc, name, "1.0.0", servers, natstransport.ServiceGrace(streamGrace))
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closingLimit)
		defer cancel()
		return service.Shutdown(ctx)
	})
	return nil
}

// dialNATS returns what clients call over.
func (s *shop) dialNATS(name string) (*natstransport.Conn, error) {
	nc, err := s.connect(name)
	if err != nil {
		return nil, err
	}
	conn, err := natstransport.NewConn(nc)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, conn.Close)
	return conn, nil
}

func (s *shop) connect(name string) (*nats.Conn, error) {
	nc, err := nats.Connect(s.broker, nats.Name(name), nats.MaxReconnects(-1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.closers = append(s.closers, func() error {
		nc.Close()
		return nil
	})
	return nc, nil
}
