package httptransport_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

var (
	countSpec = endpoint.Spec{Service: "numbers", Method: "Count", Kind: endpoint.ServerStream}
	sumSpec   = endpoint.Spec{Service: "numbers", Method: "Sum", Kind: endpoint.ClientStream}
	chatSpec  = endpoint.Spec{Service: "numbers", Method: "Chat", Kind: endpoint.Bidirectional}
)

// countTo asks for the numbers up to N.
type countTo struct {
	Path string `path:"room" json:"-"`
	Last string `header:"Last-Event-Id" json:"-"`
	N    int    `json:"n"`
	Fail int    `json:"fail,omitempty"` // fail at this number
}

// number is a message.
type number struct {
	N    int    `json:"n"`
	From string `json:"from,omitempty"`
	id   string
	name string
}

func (n *number) EventID() string          { return strconv.Itoa(n.N) }
func (n *number) EventName() string        { return n.name }
func (n *number) SetEvent(id, name string) { n.id, n.name = id, name }

// errShown has everything that an error can have.
var errShown = status.New(status.FailedPrecondition, "not at <7>").WithReason("NO_SEVEN").
	WithViolations(status.Violation{Field: "n", Description: "is seven"}).WithRetryAfter(1500000000)

// count sends the numbers up to N.
var count = endpoint.FromServerStream(func(_ context.Context, r *countTo, send func(*number) error) error {
	for i := 1; i <= r.N; i++ {
		if i == r.Fail {
			return fmt.Errorf("counting: %w", errShown)
		}
		if err := send(&number{N: i, From: r.Path}); err != nil {
			return err
		}
	}
	return nil
})

// sum adds up what it gets.
var sum = endpoint.FromClientStream(func(_ context.Context, requests iter.Seq2[number, error]) (total, error) {
	var t total
	for n, err := range requests {
		if err != nil {
			return t, err
		}
		if n.N < 0 {
			return t, errShown
		}
		t.Sum += n.N
	}
	return t, nil
})

// double answers each number with its double.
func double(_ context.Context, in iter.Seq2[number, error], out func(number) error) error {
	for n, err := range in {
		if err != nil {
			return err
		}
		if n.N < 0 {
			return errShown
		}
		if err := out(number{N: 2 * n.N}); err != nil {
			return err
		}
	}
	return nil
}

// streamMux serves the streams of these tests.
func streamMux(opts ...httptransport.ServerOption) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/count/{room}", httptransport.NewStreamServer(countSpec, count, opts...))
	mux.Handle("/sum", httptransport.NewStreamServer(sumSpec, sum, opts...))
	mux.Handle("/chat", httptransport.NewStreamServer(chatSpec, double, opts...))
	return mux
}

// newStream returns a client of a stream at pattern.
func newStream[In, Out any](
	t testing.TB, spec endpoint.Spec, conn *httptransport.Conn, pattern string, opts ...httptransport.ClientOption,
) endpoint.Stream[In, Out] {
	t.Helper()
	s, err := httptransport.NewStreamClient[In, Out](spec, conn, pattern, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbers returns the numbers of what seq yields, and its error.
func numbers[N number | *number](seq iter.Seq2[N, error]) (all []int, err error) {
	for n, err := range seq {
		if err != nil {
			return all, err
		}
		switch n := any(n).(type) {
		case number:
			all = append(all, n.N)
		case *number:
			all = append(all, n.N)
		}
	}
	return all, nil
}

func wantNumbers(t *testing.T, name string, want, have []int) {
	t.Helper()
	if !slices.Equal(want, have) {
		t.Errorf("%s: want %v, have %v", name, want, have)
	}
}

// wantShown checks that err is errShown, without its cause.
func wantShown(t *testing.T, name string, err error) {
	t.Helper()
	have, ok := errors.AsType[*status.Error](err)
	if !ok || have.Error() != errShown.Error() || have.RetryAfter != errShown.RetryAfter || !slices.Equal(have.Violations, errShown.Violations) {
		t.Errorf("%s: want %+v, have %+v", name, errShown, err)
	}
}

// protocols are the ways of speaking HTTP.
var protocols = map[string]func(t testing.TB, h http.Handler) *httptransport.Conn{
	"HTTP/1.1": func(t testing.TB, h http.Handler) *httptransport.Conn {
		t.Helper()
		srv, _ := start(t, h)
		return dial(t, srv.URL)
	},
	"HTTP/2": func(t testing.TB, h http.Handler) *httptransport.Conn {
		t.Helper()
		srv := httptest.NewUnstartedServer(h)
		srv.EnableHTTP2 = true
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return dial(t, srv.URL, httptransport.DialTLS(srv.Client().Transport.(*http.Transport).TLSClientConfig)) //nolint:forcetypeassert // httptest made it
	},
	"h2c": func(t testing.TB, h http.Handler) *httptransport.Conn {
		t.Helper()
		srv := httptest.NewUnstartedServer(h)
		srv.Config.Protocols = new(http.Protocols)
		srv.Config.Protocols.SetHTTP1(true)
		srv.Config.Protocols.SetUnencryptedHTTP2(true)
		srv.Start()
		t.Cleanup(srv.Close)
		return dial(t, srv.URL, httptransport.DialH2C())
	},
}

// carriers are the options of clients with which a kind can be called.
func carriers(kind endpoint.Kind) map[string][]httptransport.ClientOption {
	c := map[string][]httptransport.ClientOption{"WebSocket": {httptransport.ClientWebSocket()}}
	switch kind {
	case endpoint.ServerStream:
		c["SSE"] = []httptransport.ClientOption{httptransport.ClientSSE()}
		fallthrough
	case endpoint.ClientStream:
		c["HTTP"] = nil
	}
	return c
}

func TestServerStreamsAreSpokenInEveryWay(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		conn := serve(t, streamMux())
		for carrier, opts := range carriers(endpoint.ServerStream) {
			name := protocol + " " + carrier
			s := newStream[*countTo, *number](t, countSpec, conn, "GET /count/{room}", opts...)
			have, err := numbers(s.Receive(t.Context(), &countTo{Path: "a/b", N: 3}))
			wantNumbers(t, name, []int{1, 2, 3}, have)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			have, err = numbers(s.Receive(t.Context(), &countTo{Path: "a", N: 3, Fail: 3}))
			wantNumbers(t, name+", failing", []int{1, 2}, have)
			wantShown(t, name, err)
			have, err = numbers(s.Receive(t.Context(), &countTo{Path: "a", N: 3, Fail: 1}))
			wantNumbers(t, name+", failing at once", nil, have)
			wantShown(t, name+", failing at once", err)
			if have, err := numbers(s.Receive(t.Context(), &countTo{Path: "a"})); len(have) > 0 || err != nil {
				t.Errorf("%s, empty: want nothing, have %v, %v", name, have, err)
			}
		}
	}
}

func TestClientStreamsAreSpokenInEveryWay(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		conn := serve(t, streamMux())
		for carrier, opts := range carriers(endpoint.ClientStream) {
			name := protocol + " " + carrier
			s := newStream[number, *total](t, sumSpec, conn, "GET /sum", opts...)
			have, err := s.Send(t.Context(), endpoint.Seq(number{N: 1}, number{N: 2}, number{N: 3}))
			if err != nil || have.Sum != 6 {
				t.Errorf("%s: want 6, have %v, %v", name, have, err)
			}
			_, err = s.Send(t.Context(), endpoint.Seq(number{N: 1}, number{N: -1}, number{N: 3}))
			wantShown(t, name, err)
			if have, err := s.Send(t.Context(), endpoint.Seq[number]()); err != nil || have.Sum != 0 {
				t.Errorf("%s, empty: want 0, have %v, %v", name, have, err)
			}
		}
	}
}

func TestBidirectionalStreamsAreWebSockets(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		s := newStream[*number, *number](t, chatSpec, serve(t, streamMux()), "GET /chat")
		var have []int
		out := func(n *number) error { have = append(have, n.N); return nil }
		if err := s(t.Context(), endpoint.Seq(&number{N: 1}, &number{N: 2}), out); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
		wantNumbers(t, protocol, []int{2, 4}, have)
		wantShown(t, protocol, s(t.Context(), endpoint.Seq(&number{N: 1}, &number{N: -1}), out))
	}
}
