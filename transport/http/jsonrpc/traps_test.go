package jsonrpc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

func TestNotificationsAreNeverAnswered(t *testing.T) {
	t.Parallel()
	var seen []error
	h := jsonrpc.NewHandler(set(
		failing(status.New(status.NotFound, "none"), jsonrpc.ServerErrorHandler(func(_ context.Context, err error) { seen = append(seen, err) })),
		jsonrpc.NewServer(named("panic"), func(context.Context, any) (int, error) { panic("boom") }),
	))
	for name, document := range map[string]string{
		"a success":                  `{"jsonrpc":"2.0","method":"sum","params":[1,2]}`,
		"a failure":                  `{"jsonrpc":"2.0","method":"fail"}`,
		"a panic":                    `{"jsonrpc":"2.0","method":"panic"}`,
		"a method that is not there": `{"jsonrpc":"2.0","method":"none"}`,
		"params that do not fit":     `{"jsonrpc":"2.0","method":"sum","params":{"a":1}}`,
		"a batch of them":            `[{"jsonrpc":"2.0","method":"none"},{"jsonrpc":"2.0","method":"sum","params":{}}]`,
	} {
		w := post(h, document)
		if w.Code != http.StatusNoContent || w.Body.Len() > 0 || w.Header().Get("Content-Type") != "" {
			t.Errorf("%s: want 204 without a body, have %d %v %q", name, w.Code, w.Header(), w.Body)
		}
	}
	if len(seen) != 1 || !errors.Is(seen[0], status.New(status.NotFound, "none")) {
		t.Errorf("want the failure to be seen here, have %v", seen)
	}
}

func TestBatchesAreServed(t *testing.T) {
	t.Parallel()
	var calls []string
	for n := range 50 {
		calls = append(calls, fmt.Sprintf(`{"jsonrpc":"2.0","method":"sum","params":[%d,1],"id":%d}`, n, n))
	}
	var want []string
	for n := range 50 {
		want = append(want, fmt.Sprintf(`{"jsonrpc":"2.0","result":%d,"id":%d}`, n+1, n))
	}
	w := post(jsonrpc.NewHandler(set()), "["+strings.Join(calls, ",")+"]")
	if want := "[" + strings.Join(want, ",") + "]"; w.Code != http.StatusOK || want != w.Body.String() {
		t.Errorf("want %s\nhave %s", want, w.Body)
	}
}

func TestIDsAreKeptByteForByte(t *testing.T) {
	t.Parallel()
	h := jsonrpc.NewHandler(set(failing(status.New(status.NotFound, "none"))))
	for _, id := range []string{
		`0`, `-0`, `1`, `-7`, `16777217`, `9007199254740993`, `-9007199254740993`, `18446744073709551616`, `123456789012345678901234567890`,
		`1.5`, `1.0`, `1e3`, `1E+400`, `0.1000000000000000055511151231257827`, `null`, `""`, `"1"`, `"a\"b"`, `"\u00e4ä\/"`, `"😀"`,
	} {
		for _, document := range []string{
			`{"jsonrpc":"2.0","method":"sum","params":[],"id":` + id + `}`,
			`{"id": ` + id + ` ,"jsonrpc":"2.0","method":"fail"}`,
			`{"jsonrpc":"2.0","id":` + id + `,"method":"none"}`,
		} {
			if have := post(h, document).Body.String(); !strings.HasSuffix(have, `,"id":`+id+"}") {
				t.Errorf("id %s: have %s", id, have)
			}
			if have := post(h, "["+document+"]").Body.String(); !strings.HasSuffix(have, `,"id":`+id+"}]") {
				t.Errorf("id %s in a batch: have %s", id, have)
			}
		}
	}
	for _, id := range []string{`true`, `[1]`, `{}`} {
		have := post(h, `{"jsonrpc":"2.0","method":"sum","id":`+id+`}`).Body.String()
		if !strings.Contains(have, `"code":-32600`) || !strings.HasSuffix(have, `,"id":null}`) || !strings.Contains(have, "id: want a string, a number or null") {
			t.Errorf("id %s: want an Invalid Request, have %s", id, have)
		}
	}
}

func TestMiddlewareIsToldOfAServersUnaryOperation(t *testing.T) {
	t.Parallel()
	var have endpoint.Spec
	spec := endpoint.Spec{Service: "numbers", Method: "Sum", Idempotent: true}
	var seen any
	h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(spec.Client(), sum, jsonrpc.ServerName("sum"),
		jsonrpc.ServerMiddleware(func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			have = spec
			return func(ctx context.Context, request any) (any, error) { seen = request; return next(ctx, request) }
		}))})
	spec.Kind = endpoint.Unary
	if have != spec {
		t.Errorf("want %+v, have %+v", spec, have)
	}
	post(h, `{"jsonrpc":"2.0","method":"sum","params":[ 1 ],"id":"x"}`)
	if r, ok := seen.(*jsonrpc.Request); !ok || r.Method != "sum" || string(r.Params) != "[ 1 ]" || string(r.ID) != `"x"` || r.Info.Operation != "numbers/Sum" {
		t.Errorf("have %+v", seen)
	}
}

func TestNoOptionReplacesAnEarlierOneSilently(t *testing.T) {
	t.Parallel()
	var have trail
	server := func(n int) []jsonrpc.ServerOption {
		return []jsonrpc.ServerOption{
			jsonrpc.ServerFinalizer(func(context.Context, *jsonrpc.Request, jsonrpc.Outcome) { have.add("finalizer %d", n) }),
			jsonrpc.ServerErrorHandler(func(context.Context, error) { have.add("error %d", n) }),
			jsonrpc.ServerAfter(func(context.Context, transport.Header) { have.add("after %d", n) }),
			jsonrpc.ServerMiddleware(func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
				return func(ctx context.Context, request any) (any, error) {
					have.add("middleware %d", n)
					return next(ctx, request)
				}
			}),
			jsonrpc.ServerBefore(func(ctx context.Context, _ *jsonrpc.Request) context.Context { have.add("before %d", n); return ctx }),
		}
	}
	around := func(n int) []jsonrpc.HandlerOption {
		return []jsonrpc.HandlerOption{
			jsonrpc.HandlerErrorHandler(func(context.Context, error) { have.add("refused %d", n) }),
			jsonrpc.HandlerHTTP(httptransport.ServerBefore(func(ctx context.Context, _ *http.Request) context.Context { have.add("http %d", n); return ctx })),
		}
	}
	opts := slices.Concat(server(1), server(2))
	h := jsonrpc.NewHandler([]*jsonrpc.Server{
		jsonrpc.NewServer(named("sum"), sum, opts...), failing(status.New(status.NotFound, "none"), opts...),
	}, slices.Concat(around(1), around(2))...)
	calls := map[string][]string{
		"sum": {
			"http 1", "http 2", "before 1", "before 2", "middleware 1", "middleware 2", "after 1", "after 2", "finalizer 1", "finalizer 2",
		},
		"fail": {
			"http 1", "http 2", "before 1", "before 2", "middleware 1", "middleware 2", "error 1", "error 2", "finalizer 1", "finalizer 2",
		},
		"none": {"http 1", "http 2", "refused 1", "refused 2"},
	}
	for method, want := range calls {
		have.texts = nil
		post(h, call(method, "[]"))
		if !slices.Equal(want, have.texts) {
			t.Errorf("%s: want %q\nhave %q", method, want, have.texts)
		}
	}
	have.texts = nil
	client := func(n int) jsonrpc.ClientOption {
		return jsonrpc.ClientHTTP(
			httptransport.ClientBefore(func(ctx context.Context, _ *http.Request) context.Context { have.add("before %d", n); return ctx }),
			httptransport.ClientAfter(func(ctx context.Context, _ *http.Response) context.Context { have.add("after %d", n); return ctx }),
			httptransport.ClientFinalizer(func(context.Context, httptransport.Outcome) { have.add("finalizer %d", n) }))
	}
	conn := answering(t, http.StatusOK, "application/json", `{"jsonrpc":"2.0","result":3,"id":1}`)
	if total, err := newClient[[]int, int](t, conn, "sum", client(1), client(2))(t.Context(), []int{1, 2}); total != 3 || err != nil {
		t.Errorf("have %d, %v", total, err)
	}
	if want := []string{"before 1", "before 2", "after 1", "after 2", "finalizer 1", "finalizer 2"}; !slices.Equal(want, have.texts) {
		t.Errorf("client: want %q\nhave %q", want, have.texts)
	}
}
