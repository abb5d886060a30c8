package httptransport_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// notes is a list that several goroutines write.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, what)
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.all
	n.all = nil
	return all
}

func TestHooksRunInOrderAndOncePerStream(t *testing.T) {
	t.Parallel()
	var log notes
	done := make(chan struct{}, 1)
	s := endpoint.FromServerStream(func(ctx context.Context, _ struct{}, send func(number) error) error {
		info := transport.FromContext(ctx)
		log.add("stream of " + info.Transport + " " + info.Operation + " for " + info.Request.Get("X-Caller"))
		info.Response.Set("X-Stream", "yes")
		info.Trailer.Set("X-Count", "2")
		for i := range 2 {
			log.add("send")
			if err := send(number{N: i}); err != nil {
				return err
			}
		}
		return nil
	})
	mw := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			log.add("middleware in " + request.(*http.Request).Method) //nolint:forcetypeassert // that is what it says
			response, err := next(ctx, request)
			log.add("middleware out")
			return response, err
		}
	}
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s, httptransport.ServerMiddleware(mw),
		httptransport.ServerBefore(func(ctx context.Context, _ *http.Request) context.Context { log.add("before"); return ctx }),
		httptransport.ServerAfter(func(ctx context.Context, w http.ResponseWriter) {
			log.add("after")
			transport.FromContext(ctx).Response.Set("X-Info", "yes")
			w.Header().Set("X-After", w.Header().Get("X-Stream"))
		}),
		httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) {
			log.add("finalizer")
			if o.Err != nil || o.ResponseSize == 0 || o.Status != http.StatusOK && o.Status != http.StatusSwitchingProtocols {
				t.Errorf("want a success with its size, have %+v", o)
			}
			done <- struct{}{}
		}))))
	for carrier, opts := range carriers(endpoint.ServerStream) {
		opts = append(opts, httptransport.ClientBefore(func(ctx context.Context, r *http.Request) context.Context {
			r.Header.Set("X-Caller", "me")
			return ctx
		}))
		ctx, observer := transport.Observe(t.Context())
		have, err := numbers(newStream[struct{}, number](t, countSpec, dial(t, srv.URL), "GET /", opts...).Receive(ctx, struct{}{}))
		if err != nil {
			t.Errorf("%s: %v", carrier, err)
		}
		wantNumbers(t, carrier, []int{0, 1}, have)
		<-done
		info := observer.Info()
		order := []string{"before", "middleware in GET", "stream of http numbers/Count for me", "send", "after", "send", "middleware out", "finalizer"}
		if carrier == "WebSocket" {
			order = []string{"before", "middleware in GET", "after", "stream of http numbers/Count for me", "send", "send", "middleware out", "finalizer"}
		} else {
			for _, key := range []string{"X-After", "X-Stream", "X-Info"} {
				if info.Response.Get(key) != "yes" || info.ResponseSize == 0 {
					t.Errorf("%s: want the header of the stream and of the hook, have %v", carrier, info.Response)
				}
			}
			if info.Trailer.Get("X-Count") != "2" {
				t.Errorf("%s: want the trailer, have %v", carrier, info.Trailer)
			}
		}
		if have := log.take(); !slices.Equal(order, have) {
			t.Errorf("%s: want\n%q\nhave\n%q", carrier, order, have)
		}
	}
}

func TestATrailerJoinsTheHeaderOfAnAnswerOfOnePiece(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]error{"success": nil, "error": errShown} {
		for _, spec := range []endpoint.Spec{countSpec, sumSpec} {
			if spec.Kind == endpoint.ServerStream && fail == nil {
				continue // it has a trailer
			}
			srv, _ := start(t, mount("/", httptransport.NewStreamServer(spec, func(ctx context.Context, in iter.Seq2[number, error], out func(number) error) error {
				for _, err := range in {
					if err != nil {
						return err
					}
				}
				transport.FromContext(ctx).Trailer.Set("X-Why", "because")
				if fail != nil {
					return fail
				}
				return out(number{})
			})))
			ctx, observer := transport.Observe(t.Context())
			err := newStream[number, number](t, spec, dial(t, srv.URL), "POST /")(ctx, endpoint.Seq(number{}), func(number) error { return nil })
			if !errors.Is(err, fail) {
				t.Errorf("%s of %s: want %v, have %v", name, spec.Method, fail, err)
			}
			if have := observer.Info().Response.Get("X-Why"); have != "because" {
				t.Errorf("%s of %s: want the field in the header, have %v", name, spec.Method, observer.Info().Response)
			}
		}
	}
}

func TestMiddlewareRefusesAStreamBeforeItIsDecoded(t *testing.T) {
	t.Parallel()
	refuse := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) {
			return nil, status.New(status.Unauthenticated, "who are you?")
		}
	}
	srv, _ := start(t, streamMux(httptransport.ServerMiddleware(refuse)))
	conn := dial(t, srv.URL)
	for name, err := range map[string]error{
		"server stream": newStream[*countTo, number](t, countSpec, conn, "GET /count/{room}")(t.Context(), endpoint.Seq(&countTo{Path: "x"}), nil),
		"client stream": newStream[number, total](t, sumSpec, conn, "POST /sum")(t.Context(), endpoint.Seq(number{}), nil),
		"WebSocket":     newStream[number, number](t, chatSpec, conn, "GET /chat")(t.Context(), endpoint.Seq(number{}), nil),
	} {
		if have := status.As(err); have == nil || have.Code != status.Unauthenticated || have.Message != "who are you?" {
			t.Errorf("%s: want Unauthenticated, have %v", name, err)
		}
	}
}

func TestAPanicIsContainedAndSeenByAll(t *testing.T) {
	t.Parallel()
	for _, spec := range []endpoint.Spec{countSpec, sumSpec, chatSpec} {
		for carrier, opts := range carriers(spec.Kind) {
			if spec.Kind == endpoint.Bidirectional && carrier != "WebSocket" {
				continue
			}
			outcomes, seen := make(chan httptransport.Outcome, 1), make(chan error, 1)
			s := func(_ context.Context, in iter.Seq2[struct{}, error], out func(number) error) error {
				for range in {
					break
				}
				if err := out(number{N: 1}); err != nil {
					return err
				}
				panic("out of paper")
			}
			srv, _ := start(t, mount("/", httptransport.NewStreamServer(spec, s,
				httptransport.ServerErrorHandler(func(_ context.Context, err error) { seen <- err }),
				httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcomes <- o }))))
			client := newStream[struct{}, number](t, spec, dial(t, srv.URL), "GET /", opts...)
			name := spec.Method + " " + carrier
			err := client(t.Context(), endpoint.Seq(struct{}{}), func(number) error { return nil })
			have := status.As(err)
			if have == nil || have.Code != status.Internal || have.ID == "" || strings.Contains(have.Error(), "paper") {
				t.Errorf("%s: want Internal with an ID, have %v", name, err)
			}
			for what, err := range map[string]error{"error handler": <-seen, "finalizer": (<-outcomes).Err} {
				p, ok := errors.AsType[*endpoint.PanicError](err)
				if !ok || p.Value != "out of paper" || !strings.Contains(string(p.Stack), "stream_hook_test.go") || status.As(err).ID != have.ID {
					t.Errorf("%s, %s: want the panic, have %v", name, what, err)
				}
			}
		}
	}
}

// A hook of ServerAfter runs on the timer's goroutine when the stream is silent.
func TestAPanicOfAHookIsContained(t *testing.T) {
	t.Parallel()
	outcomes := make(chan httptransport.Outcome, 1)
	s := endpoint.FromServerStream(func(ctx context.Context, _ struct{}, _ func(number) error) error {
		<-ctx.Done()
		return ctx.Err()
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s, httptransport.ServerHeartbeat(10*time.Millisecond),
		httptransport.ServerAfter(func(context.Context, http.ResponseWriter) { panic("no ink") }),
		httptransport.ServerErrorHandler(func(context.Context, error) {}),
		httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcomes <- o }))))
	_, err := numbers(newStream[struct{}, number](t, countSpec, dial(t, srv.URL), "GET /").Receive(t.Context(), struct{}{}))
	o := <-outcomes
	p, ok := errors.AsType[*endpoint.PanicError](o.Err)
	if status.CodeOf(err) != status.Internal || !ok || p.Value != "no ink" || o.Status != http.StatusInternalServerError {
		t.Errorf("want Internal and the panic, have %v, %+v", err, o)
	}
}

func TestAbortCutsTheConnection(t *testing.T) {
	t.Parallel()
	s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(number) error) error {
		if err := send(number{N: 1}); err != nil {
			return err
		}
		panic(http.ErrAbortHandler)
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s)))
	for carrier, opts := range carriers(endpoint.ServerStream) {
		_, err := numbers(newStream[struct{}, number](t, countSpec, dial(t, srv.URL), "GET /", opts...).Receive(t.Context(), struct{}{}))
		if status.CodeOf(err) != status.Unavailable {
			t.Errorf("%s: want Unavailable, have %v", carrier, err)
		}
	}
}

// Goleak looks for what is left over.
func TestAThousandStreamsCancelledAtAnyTimeLeaveNothing(t *testing.T) {
	t.Parallel()
	const streams = 1000
	s := func(_ context.Context, in iter.Seq2[number, error], out func(number) error) error {
		for n, err := range in {
			if err != nil {
				return err
			}
			if err := out(n); err != nil {
				return err
			}
		}
		return nil
	}
	mux := http.NewServeMux()
	var open sync.WaitGroup
	count := httptransport.ServerFinalizer(func(context.Context, *http.Request, httptransport.Outcome) { open.Done() })
	for _, spec := range []endpoint.Spec{countSpec, sumSpec, chatSpec} {
		h := httptransport.NewStreamServer(spec, s, count)
		mux.HandleFunc("/"+spec.Method, func(w http.ResponseWriter, r *http.Request) {
			open.Add(1)
			h.ServeHTTP(w, r)
		})
	}
	srv, _ := start(t, mux)
	conn := dial(t, srv.URL)
	clients := []endpoint.Stream[number, number]{
		newStream[number, number](t, countSpec, conn, "GET /Count"),
		newStream[number, number](t, countSpec, conn, "GET /Count", httptransport.ClientSSE()),
		newStream[number, number](t, sumSpec, conn, "POST /Sum"),
		newStream[number, number](t, chatSpec, conn, "GET /Chat"),
	}
	var calls sync.WaitGroup
	gate := make(chan struct{}, 100) // at a time
	for i := range streams {
		gate <- struct{}{}
		calls.Go(func() {
			defer func() { <-gate }()
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(30*time.Millisecond))
			defer cancel()
			_ = clients[i%len(clients)](ctx, func(yield func(number, error) bool) {
				for more := true; more && ctx.Err() == nil; {
					more = yield(number{N: i}, nil)
				}
			}, func(number) error { return nil })
		})
	}
	calls.Wait()
	srv.Close() // waits for all but the WebSockets
	open.Wait()
}
