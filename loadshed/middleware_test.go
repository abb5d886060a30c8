package loadshed_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

var spec = endpoint.Spec{Service: "quarry", Method: "Cut"}

func TestPanicAndGoexitGiveThePlaceFree(t *testing.T) {
	t.Parallel()
	bulkhead, err := loadshed.NewBulkhead(1)
	if err != nil {
		t.Fatal(err)
	}
	for name, mw := range map[string]endpoint.Middleware{"Shedder": fixed(t, 1).Middleware, "Bulkhead": bulkhead.Middleware} {
		end := map[string]func(){"panic": func() { panic("cracked") }, "Goexit": runtime.Goexit, "return": func() {}}
		var how string
		h := mw(spec, func(context.Context, any) (any, error) { end[how](); return "stone", nil })
		for _, how = range []string{"panic", "Goexit", "return"} {
			var (
				value    any
				response any
				err      error
				call     sync.WaitGroup
			)
			call.Go(func() {
				defer func() { value = recover() }()
				response, err = h(context.Background(), nil)
			})
			call.Wait()
			if want := map[string]any{"panic": "cracked"}[how]; want != value {
				t.Errorf("%s, %s: want the panic %v, have %v", name, how, want, value)
			}
			if err != nil || how == "return" && response != "stone" {
				t.Errorf("%s, %s: have %v, %v", name, how, response, err)
			}
		}
	}
}

func TestStreamsHoldAPlaceIfAsked(t *testing.T) {
	t.Parallel()
	for _, hold := range []bool{false, true} {
		var opts []loadshed.Option
		want := 0
		if hold {
			opts, want = append(opts, loadshed.HoldStreams()), 1
		}
		s := roomless(t, 1, opts...)
		stream := spec
		stream.Kind = endpoint.Bidirectional
		h := s.Middleware(stream, func(context.Context, any) (any, error) {
			if have := s.Status().InProgress; want != have {
				t.Errorf("hold %t: want %d in progress while the stream lives, have %d", hold, want, have)
			}
			return "stone", nil
		})
		if _, err := h(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if have := s.Status().InProgress; have != 0 {
			t.Errorf("hold %t: want none in progress after it, have %d", hold, have)
		}
		done := acquire(t, s)
		if _, err := h(t.Context(), nil); !errors.Is(err, loadshed.ErrFull) {
			t.Errorf("hold %t: want a stream to be refused, have %v", hold, err)
		}
		done(nil)
	}
}

func TestAClientsRefusalWasNotSent(t *testing.T) {
	t.Parallel()
	s := roomless(t, 1)
	defer acquire(t, s)(nil)
	call := endpoint.New(spec.Client(), func(context.Context, string) (string, error) { return "", nil }, s.Middleware)
	_, err := call(t.Context(), "stone")
	refused(t, err, loadshed.ErrFull)
	if !errors.Is(err, transport.ErrWithheld) {
		t.Errorf("want transport.ErrWithheld in it, have %v", err)
	}
}

// A server that is full says so before it has decoded anything, and its client knows that nothing was begun.
func TestARefusalCrossesTransports(t *testing.T) {
	t.Parallel()
	s := roomless(t, 1)
	defer acquire(t, s)(nil)
	cut := func(context.Context, string) (string, error) { t.Error("the endpoint was called"); return "", nil }

	server := httptest.NewServer(httptransport.NewServer(spec, cut, httptransport.ServerMiddleware(s.Middleware)))
	defer server.Close()
	conn, err := httptransport.Dial(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	overHTTP, err := httptransport.NewClient[string, string](spec, conn, "POST /")
	if err != nil {
		t.Fatal(err)
	}
	_, err = overHTTP(t.Context(), "stone")
	e := status.As(err)
	if e == nil || e.Code != status.Unavailable || e.Reason != loadshed.ReasonOverloaded || e.RetryAfter <= 0 {
		t.Errorf("over HTTP: have %v", err)
	}
	if !errors.Is(err, transport.ErrNotBegun) || errors.Is(err, loadshed.ErrRefused) {
		t.Errorf("over HTTP: want ErrNotBegun, and no cause of the server's, have %v", err)
	}
	response, err := http.Post(server.URL, "application/json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || response.Header.Get(transport.NotBegunHeader) != "" {
		t.Errorf("a client that does not know the header: have %v, %v", response.Status, response.Header)
	}

	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, cut, inproc.ServerMiddleware(s.Middleware)))
	inside, err := inproc.NewClient[string, string](spec, &mux)
	if err != nil {
		t.Fatal(err)
	}
	_, err = inside(t.Context(), "stone")
	if e := status.As(err); e == nil || e.Reason != loadshed.ReasonOverloaded {
		t.Errorf("inproc: have %v", err)
	}
}
