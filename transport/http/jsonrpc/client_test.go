package jsonrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

func TestAnAnswerThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, contentType, body, want string
	}{
		{"another id", "application/json", `{"jsonrpc":"2.0","result":3,"id":2}`, "it has the id 2, want 1"},
		{"the id as a text", "application/json", `{"jsonrpc":"2.0","result":3,"id":"1"}`, `it has the id "1", want 1`},
		{"a result for nobody", "application/json", `{"jsonrpc":"2.0","result":3,"id":null}`, "it has the id null, want 1"},
		{"an error for another", "application/json", `{"jsonrpc":"2.0","error":{"code":1,"message":"m"},"id":7}`, "it has the id 7, want 1"},
		{"a long id", "application/json", `{"jsonrpc":"2.0","result":3,"id":"` + strings.Repeat("x", 100) + `"}`, `it has the id "` + strings.Repeat("x", 63) + ", want 1"},
		{"no id", "application/json", `{"jsonrpc":"2.0","result":3}`, "the answer has no id"},
		{"an id that is none", "application/json", `{"jsonrpc":"2.0","result":3,"id":[1]}`, "the id of the answer is an array"},
		{"no version", "application/json", `{"result":3,"id":1}`, `the answer is not of JSON-RPC "2.0"`},
		{"version 1.0", "application/json", `{"jsonrpc":"1.0","result":3,"id":1}`, `the answer is not of JSON-RPC "2.0"`},
		{"neither", "application/json", `{"jsonrpc":"2.0","id":1}`, "the answer has neither a result nor an error"},
		{"both", "application/json", `{"jsonrpc":"2.0","result":3,"error":{"code":1,"message":"m"},"id":1}`, "the answer has a result and an error"},
		{"an error that is a text", "application/json", `{"jsonrpc":"2.0","error":"m","id":1}`, "the error in the answer is a string, want an object"},
		{"an error without a code", "application/json", `{"jsonrpc":"2.0","error":{"message":"m"},"id":1}`, "no integer as its code"},
		{"a code that is none", "application/json", `{"jsonrpc":"2.0","error":{"code":1.5,"message":"m"},"id":1}`, "no integer as its code"},
		{"a code out of range", "application/json", `{"jsonrpc":"2.0","error":{"code":9223372036854775808,"message":"m"},"id":1}`, "no integer as its code"},
		{"a message that is none", "application/json", `{"jsonrpc":"2.0","error":{"code":1,"message":7},"id":1}`, "the message of the error in the answer is a number"},
		{"a list", "application/json", `[{"jsonrpc":"2.0","result":3,"id":1}]`, "it is a list, for a call that is none"},
		{"an empty list", "application/json", `[]`, "it is a list, for a call that is none"},
		{"a text", "application/json", `"x"`, "the answer is a string, want an object"},
		{"no JSON", "application/json", `{"jsonrpc"`, "the document ends too early"},
		{"nothing", "application/json", ``, "the document is empty"},
		{"a member twice", "application/json", `{"jsonrpc":"2.0","result":3,"result":4,"id":1}`, "the member result appears twice"},
		{"more behind", "application/json", `{"jsonrpc":"2.0","result":3,"id":1} 7`, "there is more behind the document"},
		{"a page", "text/html", `<html>`, `content type "text/html" is not supported; supported: application/json, application/json-rpc, application/jsonrequest`},
		{"a result of another type", "application/json", `{"jsonrpc":"2.0","result":"x","id":1}`, "the result: want an integer, have a string"},
	} {
		var seen error
		call := newClient[[]int, int](t, answering(t, http.StatusOK, row.contentType, row.body), "sum",
			jsonrpc.ClientHTTP(httptransport.ClientFinalizer(func(_ context.Context, o httptransport.Outcome) { seen = o.Err })))
		_, err := call(t.Context(), []int{1})
		wantStatus(t, row.name, err, status.Internal, row.want)
		if !strings.HasPrefix(status.As(err).Message, "the answer of sum could not be read: ") || !errors.Is(seen, err) {
			t.Errorf("%s: have %v, and the finalizer saw %v", row.name, err, seen)
		}
	}
	call := newClient[[]int, int](t, answering(t, http.StatusNoContent, "", ""), "sum")
	_, err := call(t.Context(), []int{1})
	wantStatus(t, "204", err, status.Internal, "the answer of sum could not be read: there is none")
}

func TestAnAnswerMayHaveMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"jsonrpc":"2.0","result":3,"error":null,"id":1}`, `{"id":1,"usage":{"a":[1]},"result":3,"jsonrpc":"2.0"}`, " {\n\"jsonrpc\":\"2.0\",\"r\\u0065sult\":3,\"id\":1}\n",
	} {
		if have, err := newClient[[]int, int](t, answering(t, 200, "application/json; charset=utf-8", body), "sum")(t.Context(), []int{1}); have != 3 || err != nil {
			t.Errorf("%s: have %d, %v", body, have, err)
		}
	}
}

func TestResultsCrossAsTheyAre(t *testing.T) {
	t.Parallel()
	conn, _ := start(t, jsonrpc.NewHandler([]*jsonrpc.Server{
		jsonrpc.NewServer(named("pointer"), echo[*difference]), jsonrpc.NewServer(named("value"), echo[difference]), jsonrpc.NewServer(named("none"), echo[struct{}]),
		jsonrpc.NewServer(named("nil"), func(context.Context, struct{}) (any, error) { return nil, nil }), //nolint:nilnil // the result is null
	}))
	if have, err := newClient[*difference, *difference](t, conn, "pointer")(t.Context(), &difference{1, 2}); err != nil || *have != (difference{1, 2}) {
		t.Errorf("have %v, %v", have, err)
	}
	if have, err := newClient[difference, difference](t, conn, "value")(t.Context(), difference{1, 2}); err != nil || have != (difference{1, 2}) {
		t.Errorf("have %v, %v", have, err)
	}
	if _, err := newClient[struct{}, struct{}](t, conn, "none")(t.Context(), struct{}{}); err != nil {
		t.Error(err)
	}
	if have, err := newClient[struct{}, any](t, conn, "nil")(t.Context(), struct{}{}); err != nil || have != nil {
		t.Errorf("have %v, %v", have, err)
	}
	whatever := answering(t, 200, "application/json", `{"jsonrpc":"2.0","result":{"done":[true]},"id":1}`)
	if _, err := newClient[struct{}, struct{}](t, whatever, "none")(t.Context(), struct{}{}); err != nil {
		t.Errorf("a result for which nobody asks: %v", err)
	}
}

func TestIDsAreMadeForEachCall(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerBefore(func(ctx context.Context, r *jsonrpc.Request) context.Context {
		mu.Lock()
		defer mu.Unlock()
		seen[string(r.ID)]++
		return ctx
	}))})
	conn, _ := start(t, h)
	c := newClient[[]int, int](t, conn, "sum")
	var calls sync.WaitGroup
	for n := range 20 {
		calls.Go(func() {
			if have, err := c(t.Context(), []int{n, 1}); have != n+1 || err != nil {
				t.Errorf("want %d, have %d, %v", n+1, have, err)
			}
		})
	}
	calls.Wait()
	if len(seen) != 20 {
		t.Errorf("want 20 ids, have %v", seen)
	}
}

func TestHeaderFieldsCrossBothWays(t *testing.T) {
	t.Parallel()
	spec := endpoint.Spec{Service: "numbers", Method: "Sum"}
	conn, _ := start(t, jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(spec, func(ctx context.Context, numbers []int) (int, error) {
		info := transport.FromContext(ctx)
		info.Response.Set("X-Echo", info.Request.Get("X-Tenant"))
		return sum(ctx, numbers)
	}, jsonrpc.ServerAfter(func(_ context.Context, response transport.Header) { transport.AddHeader(response, "X-After", "1") }))}))
	c, err := jsonrpc.NewClient[[]int, int](spec.Client(), conn, "/rpc")
	if err != nil {
		t.Fatal(err)
	}
	ctx, observer := transport.Observe(transport.WithHeader(t.Context(), "X-Tenant", "masons"))
	if have, err := c(ctx, []int{1, 2}); have != 3 || err != nil {
		t.Fatal(have, err)
	}
	info := observer.Info()
	if info.Transport != "http" || info.Operation != "numbers/Sum" || info.Response.Get("X-Echo") != "masons" || info.Response.Get("X-After") != "1" {
		t.Errorf("have %+v", info)
	}
	if want := int64(len(`{"jsonrpc":"2.0","method":"numbers/Sum","params":[1,2],"id":1}`)); info.RequestSize != want || info.ResponseSize != 35 {
		t.Errorf("want %d and 35 bytes, have %d and %d", want, info.RequestSize, info.ResponseSize)
	}
}

func TestADeadlineCrosses(t *testing.T) {
	t.Parallel()
	conn, _ := start(t, jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("left"), func(ctx context.Context, _ struct{}) (bool, error) {
		deadline, ok := ctx.Deadline()
		return ok && time.Until(deadline) > time.Minute, nil
	})}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if have, err := newClient[struct{}, bool](t, conn, "left")(ctx, struct{}{}); !have || err != nil {
		t.Errorf("have %t, %v", have, err)
	}
}

func TestACallThatWasNotSentSaysSo(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, "http://"+listener.Addr().String())
	_ = listener.Close()
	_, err = newClient[[]int, int](t, conn, "sum")(t.Context(), nil)
	if !errors.Is(err, transport.ErrNotSent) || status.CodeOf(err) != status.Unavailable {
		t.Errorf("call: have %v", err)
	}
	notify, err := jsonrpc.NewNotifier[[]int](named("sum"), conn, "/rpc")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = notify(t.Context(), nil); !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("notification: have %v", err)
	}
	b := newBatcher(t, conn).Batch()
	r := newMethod[[]int, int](t, "sum").Call(b, nil)
	err = b.Do(t.Context())
	if _, own := r.Get(); !errors.Is(err, transport.ErrNotSent) || !errors.Is(own, transport.ErrNotSent) {
		t.Errorf("batch: have %v, and %v", err, own)
	}
}

func TestAnAnswerThatBreaksOffIsUnavailable(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0",`)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(srv.Close)
	conn := dial(t, srv.URL)
	_, err := newClient[[]int, int](t, conn, "sum")(t.Context(), nil)
	wantStatus(t, "a call", err, status.Unavailable, "sum could not be reached")
	b := newBatcher(t, conn).Batch()
	newMethod[[]int, int](t, "sum").Call(b, nil)
	wantStatus(t, "a batch", b.Do(t.Context()), status.Unavailable, "test/Batch could not be reached")
}

func TestAnAnswerIsLimited(t *testing.T) {
	t.Parallel()
	const limit = 100
	body := func(size int) string {
		empty := `{"jsonrpc":"2.0","result":"","id":1}`
		return strings.Replace(empty, `""`, `"`+strings.Repeat("x", size-len(empty))+`"`, 1)
	}
	most := httptransport.ClientMaxResponse(limit)
	for size, want := range map[int]status.Code{limit: status.OK, limit + 1: status.ResourceExhausted} {
		conn := answering(t, 200, "application/json", body(size))
		_, err := newClient[[]int, string](t, conn, "sum", jsonrpc.ClientHTTP(most))(t.Context(), nil)
		if status.CodeOf(err) != want {
			t.Errorf("%d bytes: want %v, have %v", size, want, err)
		}
		b := newBatcher(t, answering(t, 200, "application/json", "["+body(size-2)+"]"), most).Batch()
		newMethod[[]int, string](t, "sum").Call(b, nil)
		if err := b.Do(t.Context()); status.CodeOf(err) != want {
			t.Errorf("a batch of %d bytes: want %v, have %v", size, want, err)
		}
	}
	_, err := newClient[[]int, string](t, answering(t, 200, "application/json", body(httptransport.DefaultMaxResponse+1)), "sum")(t.Context(), nil)
	wantStatus(t, "the default", err, status.ResourceExhausted, fmt.Sprintf("is larger than %d bytes", httptransport.DefaultMaxResponse))
}

func TestMistakesInAClientAreErrors(t *testing.T) {
	t.Parallel()
	conn := dial(t, "http://h")
	stream := endpoint.Spec{Service: "orders", Method: "Feed", Kind: endpoint.Bidirectional}
	client := func(spec endpoint.Spec, opts ...jsonrpc.ClientOption) error {
		_, err := jsonrpc.NewClient[int, int](spec, conn, "/rpc", opts...)
		return err
	}
	method := func(opts ...jsonrpc.ClientOption) error {
		_, err := jsonrpc.NewMethod[int, int](named("sum"), opts...)
		return err
	}
	notifier := func(spec endpoint.Spec) error { _, err := jsonrpc.NewNotifier[int](spec, conn, "/rpc"); return err }
	batcher := func(spec endpoint.Spec, path string) error {
		_, err := jsonrpc.NewBatcher(spec, conn, path)
		return err
	}
	for want, err := range map[string]error{
		"jsonrpc: client of orders/Feed: the operation is bidirectional, and JSON-RPC has no streams":     client(stream),
		"jsonrpc: notifier of orders/Feed: the operation is bidirectional, and JSON-RPC has no streams":   notifier(stream),
		"jsonrpc: batcher orders/Feed: the operation is bidirectional, and JSON-RPC has no streams":       batcher(stream, "/rpc"),
		"jsonrpc: client of : neither the Spec nor ClientName names the method":                           client(named("")),
		"jsonrpc: client of sum: ClientName: the name is empty":                                           client(named("sum"), jsonrpc.ClientName("")),
		"jsonrpc: client of sum: ClientHTTP: function 0 is nil":                                           client(named("sum"), jsonrpc.ClientHTTP(nil)),
		"jsonrpc: client of sum: the list of options: function 0 is nil":                                  client(named("sum"), nil),
		"jsonrpc: client of sum: ClientByPosition: int is no struct whose fields have names of their own": client(named("sum"), jsonrpc.ClientByPosition()),
		"jsonrpc: method sum: ClientHTTP is for a client; give NewBatcher its options":                    method(jsonrpc.ClientHTTP(httptransport.ClientMaxResponse(1))),
		"httptransport: client of sum: ClientMaxResponse of 0 bytes, want more than 0":                    client(named("sum"), jsonrpc.ClientHTTP(httptransport.ClientMaxResponse(0))),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if _, err := jsonrpc.NewClient[int, int](named("sum"), nil, "/rpc"); err == nil || !strings.Contains(err.Error(), "the Conn is nil") {
		t.Errorf("have %v", err)
	}
	for _, err := range []error{batcher(named("b"), "rpc {"), func() error { _, err := jsonrpc.NewNotifier[int](named("sum"), conn, "rpc {"); return err }()} {
		if err == nil {
			t.Error("want an error for a path that is none")
		}
	}
}

func TestANotificationExpectsNoAnswer(t *testing.T) {
	t.Parallel()
	var have []int
	var id []byte
	conn, _ := start(t, jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("note"), func(_ context.Context, numbers []int) (struct{}, error) {
		have = numbers
		return struct{}{}, status.New(status.NotFound, "nobody is told")
	}, jsonrpc.ServerBefore(func(ctx context.Context, r *jsonrpc.Request) context.Context { id = r.ID; return ctx }))}))
	note, err := jsonrpc.NewNotifier[[]int](named("note"), conn, "/rpc")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note(t.Context(), []int{1, 2}); err != nil || len(have) != 2 || id != nil {
		t.Errorf("have %v with the id %s, %v", have, id, err)
	}
	for _, row := range []struct {
		code              int
		contentType, body string
		want              status.Code
	}{
		{200, "", "", status.OK}, {202, "text/plain", "thanks", status.OK}, {204, "", "", status.OK},
		{200, "application/json", `{"jsonrpc":"2.0","error":{"code":1,"message":"m"},"id":null}`, status.Unknown},
		{200, "application/json", `{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"},"id":null}`, status.InvalidArgument},
		{200, "application/json", `[{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"},"id":null}]`, status.InvalidArgument},
		{200, "application/json", `{"jsonrpc":"2.0","error":{"code":1,"message":"m"},"id":1}`, status.OK},
		{200, "application/json", `{"jsonrpc":"2.0","result":null,"id":null}`, status.OK},
		{200, "application/json", `[]`, status.OK}, {200, "application/json", `thanks`, status.OK},
		{503, "text/html", "", status.Unavailable},
		{400, "application/json", `{"jsonrpc":"2.0","error":{"code":-32601,"message":"m"},"id":null}`, status.Unimplemented},
	} {
		note, err := jsonrpc.NewNotifier[[]int](named("note"), answering(t, row.code, row.contentType, row.body), "/rpc")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := note(t.Context(), nil); status.CodeOf(err) != row.want {
			t.Errorf("%d %q: want %v, have %v", row.code, row.body, row.want, err)
		}
	}
}

func TestAClientIsDecoratedLikeAServer(t *testing.T) {
	t.Parallel()
	conn, _ := start(t, jsonrpc.NewHandler(set()))
	spec := named("sum").Client()
	var have trail
	c := endpoint.New(spec, newClient[[]int, int](t, conn, "sum"), func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			have.add("%s %v", spec.Side, request)
			return next(ctx, request)
		}
	})
	if total, err := c(t.Context(), []int{1, 2}); total != 3 || err != nil || have.texts[0] != "client [1 2]" {
		t.Errorf("have %d, %v, %v", total, err, have.texts)
	}
}
