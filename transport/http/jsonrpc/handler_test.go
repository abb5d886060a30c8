package jsonrpc_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

func TestOnlyPOSTIsServed(t *testing.T) {
	t.Parallel()
	h := jsonrpc.NewHandler(set())
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions, "post"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/rpc", strings.NewReader(call("sum", "[1]"))))
		var e status.Error
		if err := e.UnmarshalJSON(w.Body.Bytes()); err != nil || w.Header().Get("Content-Type") != status.ProblemType {
			t.Fatal(err, w.Header())
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%s: have %v", method, w.Header())
		}
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" || e.Message != "JSON-RPC is spoken by POST, not by "+method {
			t.Errorf("%s: have %d %v %s", method, w.Code, w.Header(), w.Body)
		}
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	h := jsonrpc.NewHandler(set())
	for _, row := range []struct {
		contentType, accept string
		code                int
		answered            string
	}{
		{"application/json", "", 200, "application/json"},
		{"application/json; charset=utf-8", "*/*", 200, "application/json"},
		{"application/json-rpc", "application/json-rpc", 200, "application/json-rpc"},
		{"application/jsonrequest", "application/jsonrequest, application/json;q=0.5", 200, "application/jsonrequest"},
		{"application/vnd.x+json", "", 200, "application/json"},
		{"text/plain", "", 415, status.ProblemType},
		{"", "", 415, status.ProblemType},
		{"application/json; charset=latin1", "", 415, status.ProblemType},
		{"application/json", "text/html", 406, status.ProblemType},
	} {
		header := []string{"Content-Type: " + row.contentType}
		if row.accept != "" {
			header = append(header, "Accept: "+row.accept)
		}
		w := post(h, call("sum", "[1]"), header...)
		if w.Code != row.code || w.Header().Get("Content-Type") != row.answered {
			t.Errorf("%q, %q: want %d as %q, have %d %v", row.contentType, row.accept, row.code, row.answered, w.Code, w.Header())
		}
		if row.code == 415 && len(w.Header().Values("Accept")) != 3 {
			t.Errorf("want the three types in Accept, have %v", w.Header())
		}
	}
}

func TestTheBodyIsLimitedAsItIsRead(t *testing.T) {
	t.Parallel()
	padded := func(size int) string {
		document := call("sum", "[1]")
		return document + strings.Repeat(" ", size-len(document))
	}
	compressed := func(text string) string {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return out.String()
	}
	const limit = 1000
	small := jsonrpc.HandlerHTTP(httptransport.ServerMaxRequest(limit))
	for _, row := range []struct {
		name string
		opts []jsonrpc.HandlerOption
		most int
	}{{"by default", nil, httptransport.DefaultMaxRequest}, {"by an option", []jsonrpc.HandlerOption{small}, limit}} {
		h := jsonrpc.NewHandler(set(), row.opts...)
		for size, want := range map[int]int{row.most: http.StatusOK, row.most + 1: http.StatusRequestEntityTooLarge} {
			announced := post(h, padded(size))
			zipped := post(h, compressed(padded(size)), "Content-Encoding: gzip")
			r := quiet(httptest.NewRequest(http.MethodPost, "/", struct{ io.Reader }{strings.NewReader(padded(size))}))
			r.Header.Set("Content-Type", "application/json")
			chunked := httptest.NewRecorder()
			h.ServeHTTP(chunked, r)
			if announced.Code != want || zipped.Code != want || chunked.Code != want {
				t.Errorf("%s, %d bytes: want %d, have %d, gzip %d, chunked %d", row.name, size, want, announced.Code, zipped.Code, chunked.Code)
			}
		}
	}
}

func TestMistakesInAHandlerPanic(t *testing.T) {
	t.Parallel()
	one := jsonrpc.NewServer(named("sum"), sum)
	spec := endpoint.Spec{Service: "orders", Method: "Feed", Kind: endpoint.ServerStream}
	for want, f := range map[string]func(){
		`handler: there are two servers of the method "sum"`: func() {
			jsonrpc.NewHandler([]*jsonrpc.Server{one, jsonrpc.NewServer(named("other"), sum, jsonrpc.ServerName("sum"))})
		},
		"handler: server 1 is nil":                                             func() { jsonrpc.NewHandler([]*jsonrpc.Server{one, nil}) },
		"HandlerMaxBatch of 0 calls":                                           func() { jsonrpc.NewHandler(nil, jsonrpc.HandlerMaxBatch(0)) },
		"HandlerConcurrency of -1 calls":                                       func() { jsonrpc.NewHandler(nil, jsonrpc.HandlerConcurrency(-1)) },
		"HandlerHTTP: function 0 is nil":                                       func() { jsonrpc.NewHandler(nil, jsonrpc.HandlerHTTP(nil)) },
		"HandlerErrorHandler: function 0 is nil":                               func() { jsonrpc.NewHandler(nil, jsonrpc.HandlerErrorHandler(nil)) },
		"handler: the list of options: function 0 is nil":                      func() { jsonrpc.NewHandler(nil, nil) },
		"ServerMaxRequest of 0 bytes":                                          func() { jsonrpc.NewHandler(nil, jsonrpc.HandlerHTTP(httptransport.ServerMaxRequest(0))) },
		"server of orders/Feed: the operation is server stream, and JSON-RPC":  func() { jsonrpc.NewServer(spec, sum) },
		"server of sum: the endpoint is nil":                                   func() { jsonrpc.NewServer[int, int](named("sum"), nil) },
		"neither the Spec nor ServerName names the method":                     func() { jsonrpc.NewServer(named(""), sum) },
		`the name "rpc.sum" begins with "rpc.", which the specification`:       func() { jsonrpc.NewServer(named("rpc.sum"), sum) },
		`the name "rpc." begins with "rpc.", which the specification reserves`: func() { jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerName("rpc.")) },
		"ServerName: the name is empty":                                        func() { jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerName("")) },
		"ServerMiddleware: function 0 is nil":                                  func() { jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerMiddleware(nil)) },
		"ServerBefore: function 0 is nil":                                      func() { jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerBefore(nil)) },
		"ServerAfter: function 0 is nil":                                       func() { jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerAfter(nil)) },
		"ServerFinalizer: function 0 is nil":                                   func() { jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerFinalizer(nil)) },
		"ServerErrorHandler: function 0 is nil":                                func() { jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerErrorHandler(nil)) },
		"ServerDecoder is a func": func() {
			jsonrpc.NewHandler(nil, jsonrpc.HandlerHTTP(httptransport.ServerDecoder(func(context.Context, *http.Request) (int, error) { return 0, nil })))
		},
	} {
		wantPanic(t, want, f)
	}
}

func TestAMethodIsNamedByItsOperationOrAnOption(t *testing.T) {
	t.Parallel()
	spec := endpoint.Spec{Service: "numbers", Method: "Sum"}
	servers := []*jsonrpc.Server{
		jsonrpc.NewServer(spec, sum), jsonrpc.NewServer(spec, sum, jsonrpc.ServerName("add")), jsonrpc.NewServer(spec, sum, jsonrpc.ServerName("rpcs.plus")),
	}
	h := jsonrpc.NewHandler(servers)
	for i, name := range []string{"numbers/Sum", "add", "rpcs.plus"} {
		if have := post(h, call(name, "[1,2]")).Body.String(); have != `{"jsonrpc":"2.0","result":3,"id":1}` || servers[i].Name() != name {
			t.Errorf("%s: have %s, %s", name, have, servers[i].Name())
		}
	}
	conn, _ := start(t, h)
	for _, opts := range [][]jsonrpc.ClientOption{nil, {jsonrpc.ClientName("add")}} {
		c, err := jsonrpc.NewClient[[]int, int](spec, conn, "/rpc", opts...)
		if err != nil {
			t.Fatal(err)
		}
		if have, err := c(t.Context(), []int{1, 2}); have != 3 || err != nil {
			t.Errorf("have %d, %v", have, err)
		}
	}
}

func TestABatchIsServedSeveralCallsAtATime(t *testing.T) {
	t.Parallel()
	batch := "[" + strings.TrimSuffix(strings.Repeat(`{"jsonrpc":"2.0","method":"wait","id":1},`, 20), ",") + "]"
	for _, row := range []struct {
		want int64
		opts []jsonrpc.HandlerOption
	}{
		{jsonrpc.DefaultConcurrency, nil},
		{3, []jsonrpc.HandlerOption{jsonrpc.HandlerConcurrency(3)}},
		{1, []jsonrpc.HandlerOption{jsonrpc.HandlerConcurrency(1)}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var running atomic.Int64
			release := make(chan struct{})
			h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("wait"), func(context.Context, struct{}) (int, error) {
				running.Add(1)
				<-release
				running.Add(-1)
				return 0, nil
			})}, row.opts...)
			var served sync.WaitGroup
			served.Go(func() { post(h, batch) })
			synctest.Wait()
			if have := running.Load(); have != row.want {
				t.Errorf("want %d at a time, have %d", row.want, have)
			}
			close(release)
			served.Wait()
		})
	}
}

func TestFieldsOfTheCallsOfABatchAreMerged(t *testing.T) {
	t.Parallel()
	h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("set"), func(ctx context.Context, pairs [][2]string) (string, error) {
		info := transport.FromContext(ctx)
		for _, p := range pairs {
			transport.AddHeader(info.Response, p[0], p[1])
		}
		for key := range info.Response.All() {
			if len(info.Response.Values(key)) != 1 {
				t.Errorf("want the fields of this call alone, have %s %v", key, info.Response.Values(key))
			}
		}
		if info.Request.Get("X-Tenant") != "masons" {
			t.Errorf("have %v", info.Request)
		}
		if len(pairs) > 1 {
			return "", status.New(status.NotFound, "none")
		}
		return info.Response.Get("X-One"), nil
	})})
	w := post(h, `[
		{"jsonrpc":"2.0","method":"set","params":[["X-One","a"]],"id":1},
		{"jsonrpc":"2.0","method":"set","params":[["X-One","b"],["Content-Type","text/plain"],["Content-Length","3"],["x-two","c"]],"id":2},
		{"jsonrpc":"2.0","method":"set","params":[["X-One","a"]],"id":3},
		{"jsonrpc":"2.0","method":"set","params":[["X-Two","d"]]}]`, "X-Tenant: masons")
	have := fmt.Sprint(w.Header().Values("X-One"), w.Header().Values("X-Two"), w.Header().Values("Content-Type"))
	if want := "[a b] [c d] [application/json]"; want != have {
		t.Errorf("want %s, have %s", want, have)
	}
	if !strings.HasPrefix(w.Body.String(), `[{"jsonrpc":"2.0","result":"a","id":1},{`) || strings.Contains(w.Body.String(), `"result":"a, b"`) {
		t.Errorf("want each call to see its own fields, have %s", w.Body)
	}
	single := post(h, call("set", `[["X-One","z"],["X-Two","y"]]`), "X-Tenant: masons")
	if single.Header().Get("X-One") != "z" || single.Header().Get("X-Two") != "y" {
		t.Errorf("want the fields of a call that failed, have %v", single.Header())
	}
}

func TestWhatReachesNoMethodIsReported(t *testing.T) {
	t.Parallel()
	var have trail
	h := jsonrpc.NewHandler(set(), jsonrpc.HandlerErrorHandler(func(ctx context.Context, err error) {
		have.add("%s %v", transport.FromContext(ctx).Operation, status.As(err).Reason)
	}))
	for _, document := range []string{`{`, `[]`, `7`, call("none", "[]"), `{"jsonrpc":"2.0","method":"none"}`, call("sum", "[]"), call("sum", "{}")} {
		post(h, document)
	}
	want := "[jsonrpc PARSE_ERROR jsonrpc INVALID_REQUEST jsonrpc INVALID_REQUEST jsonrpc METHOD_NOT_FOUND jsonrpc METHOD_NOT_FOUND]"
	if fmt.Sprint(have.texts) != want {
		t.Errorf("want %s, have %v", want, have.texts)
	}
}

func TestDeadlinesAndCancellationReachEveryCall(t *testing.T) {
	t.Parallel()
	wait := jsonrpc.NewServer(named("wait"), func(ctx context.Context, _ struct{}) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
	w := post(jsonrpc.NewHandler([]*jsonrpc.Server{wait}, jsonrpc.HandlerConcurrency(1)),
		`[{"jsonrpc":"2.0","method":"wait","id":1},{"jsonrpc":"2.0","method":"wait","id":2}]`, "Ashlar-Timeout: 1m")
	if strings.Count(w.Body.String(), `"code":-32004`) != 2 {
		t.Errorf("want two calls that ran out of time, have %s", w.Body)
	}
	started, ended := make(chan struct{}), make(chan error, 1)
	conn, _ := start(t, jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("wait"), func(ctx context.Context, _ struct{}) (int, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return 0, ctx.Err()
	})}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	_, err := newClient[struct{}, int](t, conn, "wait")(ctx, struct{}{})
	wantStatus(t, "a canceled call", err, status.Canceled, "")
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("want the server to see it, have %v", err)
	}
	bad := post(jsonrpc.NewHandler(set()), call("sum", "[]"), "Ashlar-Timeout: soon")
	if bad.Code != http.StatusBadRequest {
		t.Errorf("want 400, have %d", bad.Code)
	}
}

func TestACallThatHasNoTimeLeftIsNotMade(t *testing.T) {
	t.Parallel()
	var called atomic.Bool
	h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("note"), func(context.Context, struct{}) (int, error) { called.Store(true); return 0, nil })})
	have := refusalOf(t, post(h, call("note", "[]"), "Ashlar-Timeout: 0n").Body.String())
	if called.Load() || have.Error.Data.Code != status.DeadlineExceeded {
		t.Errorf("called %t, have %+v", called.Load(), have)
	}
}

func TestInfoDescribesTheCall(t *testing.T) {
	t.Parallel()
	var have transport.Info
	var sizes [2]int64
	spec := endpoint.Spec{Service: "numbers", Method: "Sum"}
	document := `{"jsonrpc":"2.0", "method":"sum","params":[1,2],"id":1}`
	h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(spec, func(ctx context.Context, numbers []int) (int, error) {
		have = *transport.FromContext(ctx)
		return sum(ctx, numbers)
	}, jsonrpc.ServerName("sum"), jsonrpc.ServerFinalizer(func(ctx context.Context, r *jsonrpc.Request, o jsonrpc.Outcome) {
		if transport.FromContext(ctx) != r.Info || o.Code != 0 || o.Err != nil {
			t.Errorf("have %+v", o)
		}
		if r.Info.ResponseSize != o.ResponseSize {
			t.Errorf("want the size %d, have %d", o.ResponseSize, r.Info.ResponseSize)
		}
		sizes = [2]int64{o.RequestSize, o.ResponseSize}
	}))})
	r := httptest.NewRequest(http.MethodPost, "https://h/rpc", strings.NewReader("[ "+document+" ]")) // with a state of TLS
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if have.TLS != r.TLS || have.TLS == nil || have.Trailer == nil {
		t.Errorf("want TLS and a trailer, have %+v", have)
	}
	if have.Transport != "http" || have.Operation != "numbers/Sum" || have.Peer == "" || have.RequestSize != int64(len(document)) {
		t.Errorf("have %+v", have)
	}
	if want := [2]int64{int64(len(document)), int64(len(`{"jsonrpc":"2.0","result":3,"id":1}`))}; want != sizes {
		t.Errorf("want the sizes %v, have %v", want, sizes)
	}
}
