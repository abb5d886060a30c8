package tlsconfig_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

func grpcSpec() endpoint.Spec {
	return endpoint.Spec{Service: "grpc.testing.TestService", Method: "UnaryCall"}
}

func serveGRPC(t *testing.T, config *tls.Config) (address string) {
	t.Helper()
	server := grpctransport.NewGRPCServer(grpctransport.GRPCCredentials(credentials.NewTLS(config)))
	grpctransport.Register(server, grpctransport.NewServer(grpcSpec(), func(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
		have, err := whoAsks(ctx, nil)
		if err != nil {
			return nil, err
		}
		return &testpb.SimpleResponse{Username: have.Caller}, nil
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(grpctransport.Shutdown(ctx, server, 0), <-done); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func askGRPC(ctx context.Context, t *testing.T, address string, opt grpctransport.DialOption) (*testpb.SimpleResponse, error) {
	t.Helper()
	conn, err := grpctransport.Dial(address, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask, err := grpctransport.NewClient[*testpb.SimpleRequest, *testpb.SimpleResponse](grpcSpec(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return ask(ctx, &testpb.SimpleRequest{})
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	address := serveGRPC(t, serverConfig(t, source(t, p.server), tlsconfig.ServerAllowIDs(buyerID)))
	client := source(t, p.client)
	for name, opt := range map[string]tlsconfig.ClientOption{
		"by id": tlsconfig.ClientAllowTrustDomains("dev.local"), "by name": tlsconfig.ClientServerName(host), "by address": tlsconfig.ClientServerName("127.0.0.1"),
	} {
		ctx, observer := transport.Observe(t.Context())
		have, err := askGRPC(ctx, t, address, grpctransport.DialTLS(clientConfig(t, client, opt)))
		if err != nil || have.GetUsername() != buyerID || observer.Info().TLS == nil {
			t.Errorf("%s: want %s, have %v, %v", name, buyerID, have, err)
		}
	}
	late := p.root.Expired(t, buyer())
	for name, opt := range map[string]grpctransport.DialOption{
		"plaintext":         grpctransport.DialInsecure(),
		"another server":    grpctransport.DialTLS(clientConfig(t, client, tlsconfig.ClientAllowIDs("spiffe://dev.local/other"))),
		"the address":       grpctransport.DialTLS(clientConfig(t, client)),
		"another client":    grpctransport.DialTLS(clientConfig(t, source(t, p.server), tlsconfig.ClientAllowIDs(shopID))),
		"unknown authority": grpctransport.DialTLS(clientConfig(t, source(t, newParties(t).client), tlsconfig.ClientAllowIDs(shopID))),
		"expired":           grpctransport.DialTLS(&tls.Config{RootCAs: p.root.Pool(), ServerName: host, Certificates: []tls.Certificate{late.TLS()}}),
	} {
		if _, err := askGRPC(t.Context(), t, address, opt); status.CodeOf(err) != status.Unavailable {
			t.Errorf("%s: want it to be unavailable, have %v", name, err)
		}
	}
}

func TestNATS(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	broker := testserver.StartNATS(t, fmt.Sprintf("tls: {cert_file: %q, key_file: %q, ca_file: %q, verify: true}", p.server.cert, p.server.key, p.server.roots))
	client := source(t, p.client)
	byID := tlsconfig.ClientAllowIDs(shopID)
	nc, err := nats.Connect(broker.URL, nats.Secure(clientConfig(t, client, byID)))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	type text struct{ Text string }
	service, err := natstransport.Serve(nc, "shop", "1.0.0", []*natstransport.Server{
		natstransport.NewServer(spec(), func(_ context.Context, r text) (text, error) { return r, nil }),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Shutdown(t.Context())
	conn, err := natstransport.NewConn(nc)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask, err := natstransport.NewClient[text, text](spec().Client(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if have, err := ask(t.Context(), text{"hello"}); err != nil || have.Text != "hello" {
		t.Errorf("want an answer over TLS, have %v, %v", have, err)
	}
	late := p.root.Expired(t, buyer())
	for name, config := range map[string]*tls.Config{
		"another server":    clientConfig(t, client, tlsconfig.ClientAllowIDs("spiffe://dev.local/other")),
		"the address":       clientConfig(t, client),
		"unknown authority": clientConfig(t, source(t, newParties(t).client), byID),
		"expired":           {RootCAs: p.root.Pool(), ServerName: host, Certificates: []tls.Certificate{late.TLS()}},
		"nobody":            {RootCAs: p.root.Pool(), ServerName: host},
	} {
		if nc, err := nats.Connect(broker.URL, nats.Secure(config), nats.Timeout(5*time.Second)); err == nil {
			nc.Close()
			t.Errorf("%s: want it to be refused", name)
		}
	}
	raw, err := net.Dial("tcp", broker.URL[len("nats://"):])
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Write([]byte("CONNECT {}\r\nPING\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := raw.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, raw); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("want plaintext to be refused, have %v", err)
	}
}

func TestRedis(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	_, address := testserver.StartRedisTLS(t, "--tls-cert-file", p.server.cert, "--tls-key-file", p.server.key, "--tls-ca-cert-file", p.server.roots,
		"--tls-auth-clients", "yes")
	good := source(t, p.client)
	byID := tlsconfig.ClientAllowIDs(shopID)
	for name, row := range map[string]struct {
		config *tls.Config
		well   bool
	}{
		"good":              {clientConfig(t, good, byID), true},
		"another server":    {clientConfig(t, good, tlsconfig.ClientAllowIDs("spiffe://dev.local/other")), false},
		"unknown authority": {clientConfig(t, source(t, newParties(t).client), byID), false},
		"nobody":            {&tls.Config{RootCAs: p.root.Pool(), ServerName: host}, false},
		"plaintext":         {nil, false},
	} {
		client := redis.NewClient(&redis.Options{Addr: address, TLSConfig: row.config, MaxRetries: -1, DialerRetries: 1})
		if err := client.Ping(t.Context()).Err(); (err == nil) != row.well {
			t.Errorf("%s: want it well %v, have %v", name, row.well, err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}
