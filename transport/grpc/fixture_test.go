package grpctransport_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/endpoint"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

const service = "grpc.testing.TestService"

var (
	unarySpec = endpoint.Spec{Service: service, Method: "UnaryCall"}
	feedSpec  = endpoint.Spec{Service: service, Method: "StreamingOutputCall", Kind: endpoint.ServerStream}
	talkSpec  = endpoint.Spec{Service: service, Method: "FullDuplexCall", Kind: endpoint.Bidirectional}
)

type (
	request  = testpb.SimpleRequest
	response = testpb.SimpleResponse
	ask      = testpb.StreamingOutputCallRequest
	answer   = testpb.StreamingOutputCallResponse
	asks     = iter.Seq2[*ask, error]
)

func payload(text string) *testpb.Payload { return &testpb.Payload{Body: []byte(text)} }

func requestOf(text string) *request { return &request{Payload: payload(text)} }

func askOf(text string) *ask { return &ask{Payload: payload(text)} }

// echo answers with what it was asked.
func echo(_ context.Context, r *request) (*response, error) {
	return &response{Payload: r.GetPayload()}, nil
}

// echoes answers each message with the same.
func echoes(_ context.Context, in asks, out func(*answer) error) error {
	for m, err := range in {
		if err != nil {
			return err
		}
		if err := out(&answer{Payload: m.GetPayload()}); err != nil {
			return err
		}
	}
	return nil
}

// start serves what register puts on s until the test ends, and returns its address.
func start(t testing.TB, s *grpctransport.GRPCServer, servers ...*grpctransport.Server) string {
	t.Helper()
	if len(servers) > 0 {
		grpctransport.Register(s, servers...)
	}
	return serve(t, s.Server)
}

func serve(t testing.TB, s *grpc.Server) string {
	t.Helper()
	return serveOn(t, s, "127.0.0.1:0")
}

func serveOn(t testing.TB, s *grpc.Server, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// dial returns a connection that is closed when the test ends.
func dial(t testing.TB, address string, opts ...grpctransport.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpctransport.Dial("passthrough:///"+address, append([]grpctransport.DialOption{grpctransport.DialInsecure()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func newClient[Req, Resp any](t testing.TB, spec endpoint.Spec, conn grpc.ClientConnInterface, opts ...grpctransport.ClientOption) endpoint.Endpoint[Req, Resp] {
	t.Helper()
	c, err := grpctransport.NewClient[Req, Resp](spec, conn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newStreamClient[In, Out any](t testing.TB, spec endpoint.Spec, conn grpc.ClientConnInterface, opts ...grpctransport.ClientOption) endpoint.Stream[In, Out] {
	t.Helper()
	c, err := grpctransport.NewStreamClient[In, Out](spec, conn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// unary connects a client to a server of e.
func unary(t testing.TB, e endpoint.Endpoint[*request, *response], server []grpctransport.ServerOption, client ...grpctransport.ClientOption) endpoint.Endpoint[*request, *response] {
	t.Helper()
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, e, server...))
	return newClient[*request, *response](t, unarySpec, dial(t, address), client...)
}

// talk connects a client to a server of s.
func talk(t testing.TB, s endpoint.Stream[*ask, *answer], server []grpctransport.ServerOption, client ...grpctransport.ClientOption) endpoint.Stream[*ask, *answer] {
	t.Helper()
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewStreamServer(talkSpec, s, server...))
	return newStreamClient[*ask, *answer](t, talkSpec, dial(t, address), client...)
}

// collect returns an out, and what it was given.
func collect() (out func(*answer) error, texts *[]string) {
	texts = new([]string)
	return func(a *answer) error {
		*texts = append(*texts, string(a.GetPayload().GetBody()))
		return nil
	}, texts
}

// notes is what hooks wrote, in order.
type notes struct {
	mu    sync.Mutex
	texts []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, fmt.Sprintf(format, args...))
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	texts := n.texts
	n.texts = nil
	return texts
}

// wantTexts compares lists of texts.
func wantTexts(t testing.TB, want, have []string) {
	t.Helper()
	if !slices.Equal(want, have) {
		t.Errorf("\nwant %q\nhave %q", want, have)
	}
}

// wantPanic checks that f panics with a text that has want in it.
func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		if have := fmt.Sprint(recover()); !strings.Contains(have, want) {
			t.Errorf("want a panic with %q, have %q", want, have)
		}
	}()
	f()
}

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// receive returns what comes through the channel.
func receive[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Error("nothing came")
	}
	return v
}

// eightKiB is the limit of header lists that many clients of gRPC have.
func eightKiB() grpc.DialOption { return grpc.WithMaxHeaderListSize(8 << 10) }

// seq is what a stream reads.
type seq[T any] = iter.Seq2[T, error]
