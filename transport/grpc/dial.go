package grpctransport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/ashlar-go/ashlar/internal/option"
)

// DialOption sets up a connection. Options of the same name append to each other, in order, unless they say otherwise.
type DialOption func(*dialConfig) error

type dialConfig struct {
	credentials credentials.TransportCredentials
	keepalive   time.Duration
	options     []grpc.DialOption
}

const (
	// DefaultKeepalive is how long a connection of Dial is silent before it gets a ping. Servers that are not told otherwise, those of
	// grpc-go among them, take one in five minutes, and cut the connection of a client that sends more, with all of its calls.
	DefaultKeepalive = 320 * time.Second
	// KeepaliveTimeout is how long the answer to a ping may take, on both sides.
	KeepaliveTimeout = 15 * time.Second
)

// Dial returns a connection to the target, such as "host:port", "dns:///host:port" or "unix:///path". All clients of an instance share
// it. Nothing is connected before the first call. It is to be closed.
//
// One of DialTLS, DialInsecure and DialCredentials is needed: nothing is sent in the clear because it was forgotten. Of grpc-go's own
// settings it changes these:
//
//	connecting       5 s at most, later 6 s; again after 100 ms, and later after up to 5 s, a fifth more or less
//	keepalive        a ping after DefaultKeepalive of silence during a call, answered within KeepaliveTimeout
//	header fields    DefaultMaxHeader
func Dial(target string, opts ...DialOption) (*grpc.ClientConn, error) {
	const (
		connectTimeout = 5 * time.Second
		firstDelay     = 100 * time.Millisecond
		maxDelay       = 5 * time.Second
	)
	config := dialConfig{keepalive: DefaultKeepalive}
	if err := option.Set(&config, opts); err != nil {
		return nil, fmt.Errorf("grpctransport: dial %q: %w", target, err)
	}
	// DefaultMaxResponse is grpc-go's own; a default option costs each call an allocation.
	delays := backoff.DefaultConfig
	delays.BaseDelay, delays.MaxDelay = firstDelay, maxDelay
	options := []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: delays, MinConnectTimeout: connectTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: config.keepalive, Timeout: KeepaliveTimeout}),
		grpc.WithMaxHeaderListSize(DefaultMaxHeader),
	}
	if config.credentials != nil {
		options = append(options, grpc.WithTransportCredentials(config.credentials))
	}
	conn, err := grpc.NewClient(target, append(options, config.options...)...)
	if err != nil {
		if config.credentials == nil && len(config.options) == 0 {
			err = fmt.Errorf("DialTLS, DialInsecure or DialCredentials is missing: %w", err)
		}
		return nil, fmt.Errorf("grpctransport: dial %q: %w", target, err)
	}
	return conn, nil
}

// Dialer returns the function that dials the instances of a service for a pool, as that of package lb, each with a connection of its own.
// An address is what Dial takes. It waits until the instance is connected, so that one which is not there is not used.
//
// It fails when Dial does with opts, and the function when Dial does, when it cannot connect, and when ctx ends meanwhile.
func Dialer(opts ...DialOption) (func(ctx context.Context, address string) (*grpc.ClientConn, error), error) {
	conn, err := Dial("passthrough:///", opts...)
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	return func(ctx context.Context, address string) (*grpc.ClientConn, error) {
		conn, err := Dial(address, opts...)
		if err != nil {
			return nil, err
		}
		if err := connect(ctx, conn); err != nil {
			return nil, errors.Join(fmt.Errorf("grpctransport: dial %q: %w", address, err), conn.Close())
		}
		return conn, nil
	}, nil
}

// connect waits until conn is ready, or has failed for the first time.
func connect(ctx context.Context, conn *grpc.ClientConn) error {
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			return fmt.Errorf("the connection is in the state %v", state)
		case connectivity.Idle:
			conn.Connect()
		case connectivity.Connecting:
		}
		if !conn.WaitForStateChange(ctx, state) {
			return ctx.Err()
		}
	}
}

// DialTLS encrypts the connection; a nil config is the default one of crypto/tls. It replaces an earlier one.
func DialTLS(config *tls.Config) DialOption {
	return DialCredentials(credentials.NewTLS(config))
}

// DialInsecure sends all in the clear. It replaces an earlier one.
func DialInsecure() DialOption {
	return DialCredentials(insecure.NewCredentials())
}

// DialCredentials uses the credentials of grpc-go. It replaces an earlier one.
func DialCredentials(creds credentials.TransportCredentials) DialOption {
	return func(c *dialConfig) error {
		if creds == nil {
			return errors.New("DialCredentials of nil")
		}
		c.credentials = creds
		return nil
	}
}

// DialKeepalive sets how long the connection may be silent during a call before it gets a ping, at least 10 s. Less than the default is for
// servers that are known to take it, such as those of NewGRPCServer, and for networks that forget silent connections. It replaces an
// earlier one.
func DialKeepalive(every time.Duration) DialOption {
	return func(c *dialConfig) error {
		if every < minKeepalive {
			return fmt.Errorf("DialKeepalive of %v, want at least %v", every, minKeepalive)
		}
		c.keepalive = every
		return nil
	}
}

// minKeepalive is the least that grpc-go does, and that servers of NewGRPCServer take.
const minKeepalive = 10 * time.Second

// DialOptions adds options of grpc-go, such as interceptors; they count more than the settings of Dial.
func DialOptions(opts ...grpc.DialOption) DialOption {
	return func(c *dialConfig) error {
		c.options = append(c.options, opts...)
		return option.RefuseNil("DialOptions", opts)
	}
}
