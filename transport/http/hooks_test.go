package httptransport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// trail is what happened, in order.
type trail []string

func (tr *trail) add(format string, args ...any) { *tr = append(*tr, fmt.Sprintf(format, args...)) }

// serverHooks adds one of each kind that notes its name; given twice they show that options append.
func serverHooks(tr *trail, n int) []httptransport.ServerOption {
	return []httptransport.ServerOption{
		httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) {
			tr.add("finalizer %d: %d", n, o.Status)
		}),
		httptransport.ServerErrorHandler(func(context.Context, error) { tr.add("error %d", n) }),
		httptransport.ServerAfter(func(context.Context, http.ResponseWriter) { tr.add("after %d", n) }),
		httptransport.ServerMiddleware(func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			return func(ctx context.Context, request any) (any, error) {
				tr.add("middleware %d", n)
				return next(ctx, request)
			}
		}),
		httptransport.ServerBefore(func(ctx context.Context, _ *http.Request) context.Context {
			tr.add("before %d", n)
			return ctx
		}),
	}
}

func TestOrderOfTheServersHooks(t *testing.T) {
	t.Parallel()
	inner := func(tr *trail, err error) (endpoint.Endpoint[*pair, *total], []httptransport.ServerOption) {
		return func(context.Context, *pair) (*total, error) { tr.add("endpoint"); return &total{}, err }, []httptransport.ServerOption{
			httptransport.ServerDecoder(func(context.Context, *http.Request) (*pair, error) { tr.add("decode"); return &pair{}, nil }),
			httptransport.ServerEncoder(func(_ context.Context, w http.ResponseWriter, _ *total) error {
				tr.add("encode")
				w.WriteHeader(http.StatusAccepted)
				return nil
			}),
		}
	}
	for _, tt := range []struct {
		name string
		err  error
		want trail
	}{
		{"success", nil, trail{
			"before 1", "before 2", "middleware 1", "middleware 2", "decode", "endpoint", "after 1", "after 2", "encode",
			"finalizer 1: 202", "finalizer 2: 202",
		}},
		{"failure", status.New(status.NotFound, "x"), trail{
			"before 1", "before 2", "middleware 1", "middleware 2", "decode", "endpoint", "error 1", "error 2",
			"finalizer 1: 404", "finalizer 2: 404",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var have trail
			e, opts := inner(&have, tt.err)
			opts = slices.Concat(opts, serverHooks(&have, 1), serverHooks(&have, 2))
			ask(handler("POST /x", e, opts...), "POST", "/x", "{}")
			if !slices.Equal(tt.want, have) {
				t.Errorf("want %q\nhave %q", tt.want, have)
			}
		})
	}
}

func TestOrderOfTheClientsHooks(t *testing.T) {
	t.Parallel()
	var have trail
	var fail error
	srv, _ := start(t, handler("POST /x", func(ctx context.Context, r *pair) (*total, error) {
		if fail != nil {
			return nil, fail
		}
		return add(ctx, r)
	}, httptransport.ServerDecoder(func(context.Context, *http.Request) (*pair, error) { return &pair{}, nil })))
	hooks := func(n int) []httptransport.ClientOption {
		return []httptransport.ClientOption{
			httptransport.ClientFinalizer(func(_ context.Context, o httptransport.Outcome) { have.add("finalizer %d: %d %v", n, o.Status, o.Err) }),
			httptransport.ClientAfter(func(ctx context.Context, _ *http.Response) context.Context { have.add("after %d", n); return ctx }),
			httptransport.ClientBefore(func(ctx context.Context, _ *http.Request) context.Context { have.add("before %d", n); return ctx }),
		}
	}
	conn := dial(t, srv.URL)
	c := newClient[*pair, *total](t, conn, "POST /x", slices.Concat(hooks(1), hooks(2), []httptransport.ClientOption{
		httptransport.ClientEncoder(func(context.Context, *http.Request, *pair) error { have.add("encode"); return nil }),
		httptransport.ClientDecoder(func(context.Context, *http.Response) (*total, error) { have.add("decode"); return &total{}, nil }),
	})...)
	if _, err := c(t.Context(), &pair{}); err != nil {
		t.Fatal(err)
	}
	want := trail{"encode", "before 1", "before 2", "after 1", "after 2", "decode", "finalizer 1: 200 <nil>", "finalizer 2: 200 <nil>"}
	if !slices.Equal(want, have) {
		t.Errorf("want %q\nhave %q", want, have)
	}
	have, fail = nil, status.New(status.NotFound, "x")
	_, _ = c(t.Context(), &pair{})
	want = trail{"encode", "before 1", "before 2", "after 1", "after 2", "finalizer 1: 404 not_found: x", "finalizer 2: 404 not_found: x"}
	if !slices.Equal(want, have) {
		t.Errorf("failure: want %q\nhave %q", want, have)
	}
	have = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = c(ctx, &pair{})
	if len(have) != 2 || !strings.HasPrefix(have[0], "finalizer 1: 0 canceled") || !strings.HasPrefix(have[1], "finalizer 2: 0 canceled") {
		t.Errorf("canceled: have %q", have)
	}
}

type ctxKey struct{}

func TestHooksPassTheirContextOn(t *testing.T) {
	t.Parallel()
	var have trail
	note := func(ctx context.Context, place string) { have.add("%s %v", place, ctx.Value(ctxKey{})) }
	h := handler("POST /x", func(ctx context.Context, r *pair) (*total, error) { note(ctx, "endpoint"); return add(ctx, r) },
		httptransport.ServerBefore(func(ctx context.Context, _ *http.Request) context.Context { return context.WithValue(ctx, ctxKey{}, 1) }),
		httptransport.ServerAfter(func(ctx context.Context, w http.ResponseWriter) { note(ctx, "after"); w.Header().Set("X-After", "1") }),
		httptransport.ServerFinalizer(func(ctx context.Context, _ *http.Request, _ httptransport.Outcome) { note(ctx, "finalizer") }))
	srv, _ := start(t, h)
	c := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x",
		httptransport.ClientBefore(func(ctx context.Context, _ *http.Request) context.Context { return context.WithValue(ctx, ctxKey{}, 2) }),
		httptransport.ClientAfter(func(ctx context.Context, r *http.Response) context.Context {
			note(ctx, "client after")
			return context.WithValue(ctx, ctxKey{}, r.Header.Get("X-After"))
		}),
		httptransport.ClientFinalizer(func(ctx context.Context, _ httptransport.Outcome) { note(ctx, "client finalizer") }))
	if _, err := c(t.Context(), &pair{}); err != nil {
		t.Fatal(err)
	}
	if want := (trail{"endpoint 1", "after 1", "finalizer 1", "client after 2", "client finalizer 1"}); !slices.Equal(want, have) {
		t.Errorf("want %q, have %q", want, have)
	}
}

func TestARefusedRequestIsNotRead(t *testing.T) {
	t.Parallel()
	refuse := func(_ endpoint.Spec, _ endpoint.Handler) endpoint.Handler {
		return func(_ context.Context, request any) (any, error) {
			if r, ok := request.(*http.Request); !ok || r.Header.Get("Authorization") != "" {
				t.Errorf("want the *http.Request, have %T", request)
			}
			return nil, status.New(status.Unauthenticated, "who are you?")
		}
	}
	h := handler("POST /x", add, httptransport.ServerMiddleware(refuse))
	body := &counted{Reader: zeros(100)}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/x", body)
	r.Header.Set("Content-Type", "application/json")
	w := newSink()
	if h.ServeHTTP(w, r); w.code != http.StatusUnauthorized || body.read != 0 {
		t.Errorf("want 401 and nothing read, have %d and %d bytes", w.code, body.read)
	}
}

func TestMiddlewareThatBreaksTheTypes(t *testing.T) {
	t.Parallel()
	returning := func(v any) httptransport.ServerOption {
		return httptransport.ServerMiddleware(func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
			return func(context.Context, any) (any, error) { return v, nil }
		})
	}
	passing := httptransport.ServerMiddleware(func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, _ any) (any, error) { return next(ctx, "text") }
	})
	for _, tt := range []struct {
		name string
		opt  httptransport.ServerOption
		want endpoint.TypeError
	}{
		{"another response", returning("text"), endpoint.TypeError{Role: "response", Want: "*httptransport_test.total", Have: "string"}},
		{"no response", returning(nil), endpoint.TypeError{Role: "response", Want: "*httptransport_test.total", Have: "<nil>"}},
		{"another request", passing, endpoint.TypeError{Role: "request", Want: "*http.Request", Have: "string"}},
	} {
		var have error
		h := handler("POST /x", add, tt.opt, httptransport.ServerErrorHandler(func(_ context.Context, err error) { have = err }))
		w := ask(h, "POST", "/x", "{}")
		tt.want.Operation = "orders/Place"
		if wrong, ok := errors.AsType[*endpoint.TypeError](have); w.Code != 500 || !ok || *wrong != tt.want {
			t.Errorf("%s: want 500 and %+v, have %d and %v", tt.name, tt.want, w.Code, have)
		}
	}
	if w := ask(handler("GET /x", replying[any](1), returning(nil)), "GET", "/x", ""); w.Code != 200 || w.Body.String() != "null" {
		t.Errorf("nil of an interface: want null, have %d %s", w.Code, w.Body)
	}
}

func TestMiddlewareIsToldTheOperation(t *testing.T) {
	t.Parallel()
	var have []endpoint.Spec
	note := func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		have = append(have, spec)
		return next
	}
	spec := endpoint.Spec{Service: "orders", Method: "Get", Side: endpoint.Client, Idempotent: true}
	httptransport.NewServer(spec, add, httptransport.ServerMiddleware(note, note))
	want := endpoint.Spec{Service: "orders", Method: "Get", Side: endpoint.Server, Idempotent: true, Kind: endpoint.Unary}
	if !slices.Equal([]endpoint.Spec{want, want}, have) {
		t.Errorf("want %+v twice, have %+v", want, have)
	}
}

func TestTheServersInfo(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, handler("POST /x", func(ctx context.Context, r *pair) (*total, error) {
		info := transport.FromContext(ctx)
		if info.Transport != httptransport.Name || info.Operation != "orders/Place" || info.Peer == "" || info.RequestSize != 13 {
			t.Errorf("have %+v", info)
		}
		info.Response.Set("X-Echo", info.Request.Get("x-tenant"))
		return add(ctx, r)
	}))
	c := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")
	ctx, call := transport.Observe(transport.WithHeader(t.Context(), "X-Tenant", "t1"))
	if _, err := c(ctx, &pair{1, 2}); err != nil {
		t.Fatal(err)
	}
	if call.Info().Transport != httptransport.Name || call.Info().Operation != "orders/Place" || "http://"+call.Info().Peer != srv.URL ||
		call.Info().RequestSize != 13 || call.Info().ResponseSize != 9 || call.Info().Response.Get("X-Echo") != "t1" || call.Info().Request.Get("X-Tenant") != "t1" {
		t.Errorf("have %+v", call.Info())
	}
}

func TestOptionsThatDoNotFit(t *testing.T) {
	t.Parallel()
	wantPanic(t, "ServerDecoder is a func(context.Context, *http.Request) (int, error), want func(context.Context, *http.Request) (*httptransport_test.pair, error)",
		func() {
			httptransport.NewServer(testSpec, add, httptransport.ServerDecoder(func(context.Context, *http.Request) (int, error) { return 0, io.EOF }))
		})
	wantPanic(t, "ServerEncoder is a ", func() {
		httptransport.NewServer(testSpec, add, httptransport.ServerEncoder(func(context.Context, http.ResponseWriter, int) error { return nil }))
	})
	wantPanic(t, "the endpoint is nil", func() { httptransport.NewServer[*pair, *total](testSpec, nil) })
	wantPanic(t, "use NewStreamServer", func() { httptransport.NewServer(endpoint.Spec{Method: "x", Kind: endpoint.ServerStream}, add) })
	const nameless = "the operation has no name: Spec.Method is empty"
	wantPanic(t, nameless, func() { httptransport.NewServer(endpoint.Spec{Service: "orders"}, add) })
	wantPanic(t, nameless, func() {
		httptransport.NewStreamServer(endpoint.Spec{}, endpoint.Endpoint[*pair, *total](add).Stream())
	})
	conn := dial(t, "http://localhost")
	_, unaryErr := httptransport.NewClient[*pair, *total](endpoint.Spec{}, conn, "POST /x")
	_, streamErr := httptransport.NewStreamClient[*pair, *total](endpoint.Spec{Service: "orders"}, conn, "GET /x")
	for _, err := range []error{unaryErr, streamErr} {
		if err == nil || !strings.Contains(err.Error(), nameless) {
			t.Errorf("want %q, have %v", nameless, err)
		}
	}
	for want, opt := range map[string]httptransport.ClientOption{
		"ClientEncoder is a ": httptransport.ClientEncoder(func(context.Context, *http.Request, int) error { return nil }),
		"ClientDecoder is a ": httptransport.ClientDecoder(func(context.Context, *http.Response) (int, error) { return 0, io.EOF }),
	} {
		if _, err := httptransport.NewClient[*pair, *total](testSpec, conn, "POST /x", opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}
