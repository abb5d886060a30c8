package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/ashlar-go/ashlar/log"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

// Each of these starts a server of one protocol, or connects to one. The shop's closers end both.

// serveHTTP returns the URL. With a configuration it is one of https.
func (s *shop) serveHTTP(name, addr string, handler http.Handler, config *tls.Config, logger log.Logger) (url string, err error) {
	server := httptransport.NewHTTPServer(handler)
	scheme, serve := "http://", server.Serve
	if config != nil {
		server.TLSConfig = config
		scheme, serve = "https://", func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	addr, err = s.serve(name, addr, log.With(logger, "over", "http"), serve, func(ctx context.Context) error {
		return httptransport.Shutdown(ctx, server, streamGrace)
	})
	return scheme + addr, err
}

// dialHTTP returns what clients call over.
func (s *shop) dialHTTP(url string, config *tls.Config) (*httptransport.Conn, error) {
	var opts []httptransport.DialOption
	if config != nil {
		opts = append(opts, httptransport.DialTLS(config))
	}
	conn, err := httptransport.Dial(url, opts...)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, conn.Close)
	return conn, nil
}

// newGRPCServer returns a server, with a configuration one of TLS.
func newGRPCServer(config *tls.Config, servers ...*grpctransport.Server) *grpctransport.GRPCServer {
	opts := []grpctransport.GRPCOption{grpctransport.GRPCHealth(), grpctransport.GRPCReflection()}
	if config != nil {
		opts = append(opts, grpctransport.GRPCCredentials(credentials.NewTLS(config)))
	}
	server := grpctransport.NewGRPCServer(opts...)
	grpctransport.Register(server, servers...)
	return server
}

// dialGRPC is how such a server is dialled.
func dialGRPC(config *tls.Config) grpctransport.DialOption {
	if config != nil {
		return grpctransport.DialTLS(config)
	}
	return grpctransport.DialInsecure()
}

// serveGRPC returns the address.
func (s *shop) serveGRPC(name string, servers []*grpctransport.Server, config *tls.Config, logger log.Logger) (addr string, err error) {
	server := newGRPCServer(config, servers...)
	return s.serve(name, "127.0.0.1:0", log.With(logger, "over", "grpc"), server.Serve, func(ctx context.Context) error {
		return grpctransport.Shutdown(ctx, server, streamGrace)
	})
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
	opts := []nats.Option{nats.Name(name), nats.MaxReconnects(-1)}
	config, err := s.certificates.client(name, brokerID)
	if err != nil {
		return nil, err
	}
	if config != nil {
		opts = append(opts, nats.Secure(config))
	}
	nc, err := nats.Connect(s.broker, opts...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.closers = append(s.closers, func() error {
		nc.Close()
		return nil
	})
	return nc, nil
}
