package grpctransport

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/ashlar-go/ashlar/internal/option"
)

// GRPCServer is a *grpc.Server that Shutdown can end gracefully. NewGRPCServer makes it.
type GRPCServer struct {
	*grpc.Server

	health *health.Server // nil without GRPCHealth
	drain  *drain
}

// GRPCOption sets up a GRPCServer. Options of the same name append to each other, in order, unless they say otherwise.
type GRPCOption func(*grpcConfig) error

type grpcConfig struct {
	credentials credentials.TransportCredentials
	maxRequest  int64
	health      bool
	reflection  bool
	options     []grpc.ServerOption
}

const (
	// DefaultMaxStreams is how many calls a connection may have at a time to a server of NewGRPCServer. Clients wait with further ones.
	DefaultMaxStreams = 4096
	// DefaultStreamWorkers is how many goroutines of a server of NewGRPCServer go from call to call. A call that finds none free, as when
	// streams occupy them all, gets one of its own.
	DefaultStreamWorkers = 32
)

// NewGRPCServer returns a server that stands on the open network: every phase of a connection has a limit. Of grpc-go's own
// settings it changes these:
//
//	requests           DefaultMaxRequest, after decompression
//	header fields      DefaultMaxHeader
//	handshakes         10 s, TLS included
//	keepalive          a connection that is silent for 30 s gets a ping, and KeepaliveTimeout to answer; pings of the
//	                   client are taken every 10 s, also when it makes no call
//	idle connections   10 min, after which the client connects again for its next call
//	calls at a time    DefaultMaxStreams on a connection
//	goroutines         DefaultStreamWorkers are kept for calls
//
// Without GRPCCredentials it speaks in the clear. It panics for a wrong option.
func NewGRPCServer(opts ...GRPCOption) *GRPCServer {
	const (
		handshake = 10 * time.Second
		pingAfter = 30 * time.Second
		idle      = 10 * time.Minute
	)
	config := grpcConfig{maxRequest: DefaultMaxRequest}
	if err := option.Set(&config, opts); err != nil {
		panic(fmt.Sprintf("grpctransport: NewGRPCServer: %v", err))
	}
	s := &GRPCServer{drain: newDrain()}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(int(config.maxRequest)),
		grpc.MaxHeaderListSize(DefaultMaxHeader),
		grpc.ConnectionTimeout(handshake),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: KeepaliveTimeout, MaxConnectionIdle: idle}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minKeepalive, PermitWithoutStream: true}),
		grpc.MaxConcurrentStreams(DefaultMaxStreams),
		grpc.NumStreamWorkers(DefaultStreamWorkers),
		grpc.WaitForHandlers(true),
		grpc.ChainStreamInterceptor(s.drain.intercept),
	}
	if config.credentials != nil {
		options = append(options, grpc.Creds(config.credentials))
	}
	s.Server = grpc.NewServer(append(options, config.options...)...)
	if config.health {
		s.health = health.NewServer()
		grpc_health_v1.RegisterHealthServer(s, s.health)
	}
	if config.reflection {
		reflection.Register(s)
	}
	return s
}

// RegisterService implements grpc.ServiceRegistrar. With GRPCHealth the service is SERVING from now on.
func (s *GRPCServer) RegisterService(desc *grpc.ServiceDesc, impl any) {
	s.Server.RegisterService(desc, impl)
	if s.health != nil {
		s.health.SetServingStatus(desc.ServiceName, grpc_health_v1.HealthCheckResponse_SERVING)
	}
}

// Health returns the health service, in which the state of each service can be set; nil without GRPCHealth.
func (s *GRPCServer) Health() *health.Server { return s.health }

// GRPCCredentials encrypts connections, as with credentials.NewTLS of grpc-go. It replaces an earlier one.
func GRPCCredentials(creds credentials.TransportCredentials) GRPCOption {
	return func(c *grpcConfig) error {
		if creds == nil {
			return errors.New("GRPCCredentials of nil")
		}
		c.credentials = creds
		return nil
	}
}

// GRPCMaxRequest limits requests, and each message of a stream, to n bytes after decompression. A longer one is ResourceExhausted. The
// default is DefaultMaxRequest. It replaces an earlier one.
func GRPCMaxRequest(n int64) GRPCOption {
	return func(c *grpcConfig) error {
		if n <= 0 {
			return fmt.Errorf("GRPCMaxRequest of %d bytes, want more than 0", n)
		}
		c.maxRequest = min(n, math.MaxInt32)
		return nil
	}
}

// GRPCHealth adds the health service grpc.health.v1.Health. The server itself, named "", and each service are SERVING from
// their registration until Shutdown.
func GRPCHealth() GRPCOption {
	return func(c *grpcConfig) error {
		c.health = true
		return nil
	}
}

// GRPCReflection adds the reflection services, v1 and v1alpha, by which programs such as grpcurl know what to call. They tell everybody
// who can connect what there is.
func GRPCReflection() GRPCOption {
	return func(c *grpcConfig) error {
		c.reflection = true
		return nil
	}
}

// GRPCOptions adds options of grpc-go, such as interceptors; they count more than the settings of NewGRPCServer.
func GRPCOptions(opts ...grpc.ServerOption) GRPCOption {
	return func(c *grpcConfig) error {
		c.options = append(c.options, opts...)
		return option.RefuseNil("GRPCOptions", opts)
	}
}

// Shutdown ends s gracefully. Its health becomes NOT_SERVING, and it stops accepting connections and calls at once. Unary calls
// finish; streams run on for grace, and then their contexts are cancelled, and their clients read Unavailable with the reason
// SHUTTING_DOWN and go elsewhere. When ctx ends first, the connections are closed, which ends the contexts of all calls, and an error is
// returned. In either case it waits until all handlers have returned. Calling it twice is harmless.
func Shutdown(ctx context.Context, s *GRPCServer, grace time.Duration) error {
	if s.health != nil {
		s.health.Shutdown()
	}
	timer := time.AfterFunc(grace, s.drain.end)
	defer timer.Stop()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.GracefulStop()
	}()
	var err error
	select {
	case <-stopped:
	case <-ctx.Done():
		err = fmt.Errorf("grpctransport: shutdown: %w", ctx.Err())
		s.drain.end()
		s.Stop()
		<-stopped
	}
	s.drain.wait()
	return err
}
