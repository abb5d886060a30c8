package grpctransport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// certificate returns a TLS configuration for the server, and one for its clients.
func certificate(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots, ServerName: "example.com"}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server, client := certificate(t)
	address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCCredentials(credentials.NewTLS(server))),
		grpctransport.NewServer(unarySpec, func(ctx context.Context, r *request) (*response, error) {
			if state := transport.FromContext(ctx).TLS; state == nil || !state.HandshakeComplete {
				return nil, status.New(status.FailedPrecondition, "no TLS")
			}
			return echo(ctx, r)
		}))
	ctx, observer := transport.Observe(t.Context())
	if _, err := newClient[*request, *response](t, unarySpec, dial(t, address, grpctransport.DialTLS(client)))(ctx, &request{}); err != nil {
		t.Error(err)
	}
	if state := observer.Info().TLS; state == nil || state.PeerCertificates == nil {
		t.Errorf("want the state of TLS, have %v", state)
	}
	for name, opt := range map[string]grpctransport.DialOption{"in the clear": grpctransport.DialInsecure(), "an unknown certificate": grpctransport.DialTLS(nil)} {
		_, err := newClient[*request, *response](t, unarySpec, dial(t, address, opt))(t.Context(), &request{})
		if status.CodeOf(err) != status.Unavailable || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want unavailable that was not sent, have %v", name, err)
		}
	}
}

func TestDialRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string][]grpctransport.DialOption{
		"DialTLS, DialInsecure or DialCredentials is missing": nil,
		"no transport security set":                           {grpctransport.DialOptions(grpc.WithUserAgent("x"))},
		"DialCredentials of nil":                              {grpctransport.DialCredentials(nil)},
		"DialKeepalive of 9s, want at least 10s":              {grpctransport.DialInsecure(), grpctransport.DialKeepalive(9 * time.Second)},
		"DialOptions: function 0 is nil":                      {grpctransport.DialInsecure(), grpctransport.DialOptions(nil)},
		"the list of options: function 0 is nil":              {nil},
	} {
		conn, err := grpctransport.Dial("localhost:0", opts...)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `grpctransport: dial "localhost:0"`) {
			t.Errorf("want %q, have %v, %v", want, conn, err)
		}
	}
}

// How soon is told by TestConnectingHasALimitAndIsTriedAgain.
func TestAConnectionComesBack(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	conn := dial(t, address)
	if _, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{}); !errors.Is(err, transport.ErrNotSent) {
		t.Fatalf("want an error of a call that was not sent, have %v", err)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Skipf("the port was taken: %v", err)
	}
	s := grpctransport.NewGRPCServer()
	grpctransport.Register(s, grpctransport.NewServer(unarySpec, echo))
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	defer func() {
		s.Stop()
		_ = receive(t, done)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	wait := newClient[*request, *response](t, unarySpec, conn, grpctransport.ClientCallOptions(grpc.WaitForReady(true)))
	if _, err := wait(ctx, &request{}); err != nil {
		t.Error(err)
	}
}

func TestDeadlinesCross(t *testing.T) {
	t.Parallel()
	var n notes
	tell := func(ctx context.Context) {
		deadline, ok := ctx.Deadline()
		n.add("%t, %t", ok, ok && time.Until(deadline) > 50*time.Second && time.Until(deadline) <= time.Minute)
	}
	address := start(t, grpctransport.NewGRPCServer(),
		grpctransport.NewServer(unarySpec, func(ctx context.Context, r *request) (*response, error) {
			if tell(ctx); r.GetFillUsername() {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return echo(ctx, r)
		}),
		grpctransport.NewStreamServer(talkSpec, func(ctx context.Context, in asks, out func(*answer) error) error {
			tell(ctx)
			return echoes(ctx, in, out)
		}))
	conn := dial(t, address)
	call := newClient[*request, *response](t, unarySpec, conn)
	stream := newStreamClient[*ask, *answer](t, talkSpec, conn)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, ctx := range []context.Context{ctx, t.Context()} {
		_, err := call(ctx, &request{})
		if err := errors.Join(err, stream(ctx, endpoint.Seq[*ask](), nil)); err != nil {
			t.Error(err)
		}
	}
	wantTexts(t, []string{"true, true", "true, true", "false, false", "false, false"}, n.take())
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := call(ctx, &request{FillUsername: true})
	if have := cross(t, err); have.Code != status.DeadlineExceeded || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want deadline exceeded, have %v", err)
	}
}
