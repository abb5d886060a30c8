package jsonrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// codes is the table of docs/transport-http-jsonrpc.md.
var codes = [...]int64{
	status.Canceled: -32001, status.Unknown: -32002, status.InvalidArgument: -32602, status.DeadlineExceeded: -32004,
	status.NotFound: -32005, status.AlreadyExists: -32006, status.PermissionDenied: -32007, status.ResourceExhausted: -32008,
	status.FailedPrecondition: -32009, status.Aborted: -32010, status.OutOfRange: -32011, status.Unimplemented: -32012,
	status.Internal: -32603, status.Unavailable: -32014, status.DataLoss: -32015, status.Unauthenticated: -32016,
}

// remoteFailure calls a server that fails with what the result sets.
func remoteFailure(t testing.TB) (call endpoint.Endpoint[struct{}, int], failWith func(error)) {
	t.Helper()
	var err error
	h := jsonrpc.NewHandler([]*jsonrpc.Server{
		jsonrpc.NewServer(named("fail"), func(context.Context, struct{}) (int, error) { return 0, err },
			jsonrpc.ServerErrorHandler(func(context.Context, error) {})),
	})
	conn, _ := start(t, h)
	return newClient[struct{}, int](t, conn, "fail"), func(e error) { err = e }
}

func TestEveryCodeReachesTheClientAsAnEqualError(t *testing.T) {
	t.Parallel()
	c, failWith := remoteFailure(t)
	for code := status.Canceled; code <= status.Unauthenticated; code++ {
		detail, _ := status.NewDetail("shop.OutOfStock", map[string]any{"sku": "a", "left": 2})
		want := &status.Error{
			Code: code, Message: `quotes " and ü`, Reason: "SOME_REASON", ID: "0123456789abcdef", RetryAfter: 1500 * time.Millisecond,
			Violations: []status.Violation{{Field: "items[0].price", Description: "is negative"}},
			Details:    []status.Detail{detail},
		}
		bare := &status.Error{Code: code}
		for _, tt := range []struct {
			name       string
			sent, want *status.Error
		}{{"full", want, want}, {"bare", bare, bare}, {"with a cause", want.WithCause(errors.New("hunter2")), want}} {
			failWith(tt.sent)
			if _, have := c(t.Context(), struct{}{}); !reflect.DeepEqual(error(tt.want), have) {
				t.Errorf("%v, %s: want %+v, have %+v", code, tt.name, tt.want, have)
			}
			failWith(fmt.Errorf("select from orders: %w", tt.sent))
			if _, have := c(t.Context(), struct{}{}); !reflect.DeepEqual(error(tt.want), have) {
				t.Errorf("%v, %s, wrapped: want %+v, have %+v", code, tt.name, tt.want, have)
			}
		}
	}
}

func TestCodesAndMessagesOfErrors(t *testing.T) {
	t.Parallel()
	for code, want := range codes {
		if status.Code(code) == status.OK {
			continue
		}
		for _, message := range []string{"what is wrong", ""} {
			body := post(jsonrpc.NewHandler(set(failing(status.New(status.Code(code), message)))), call("fail", "[]")).Body.String()
			have := refusalOf(t, body)
			wantMessage := message
			if message == "" {
				wantMessage = map[status.Code]string{status.InvalidArgument: "Invalid params", status.Internal: "Internal error"}[status.Code(code)]
			}
			if wantMessage == "" {
				wantMessage = status.Code(code).String()
			}
			if int64(have.Error.Code) != want || have.Error.Message != wantMessage || have.Error.Data.Code != status.Code(code) {
				t.Errorf("%v: want %d %q, have %s", status.Code(code), want, wantMessage, body)
			}
		}
	}
}

func TestSecretsOfACauseNeverReachTheWire(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	cause := errors.New("dial postgres://admin:" + secret + "@db: refused")
	for name, err := range map[string]error{
		"plain":                  cause,
		"wrapped":                fmt.Errorf("place: %w", cause),
		"joined":                 errors.Join(cause, cause),
		"as cause":               status.New(status.Unavailable, "try later").WithCause(cause),
		"around":                 fmt.Errorf("%w: %w", cause, status.New(status.NotFound, "none")),
		"in an Error":            &jsonrpc.Error{Code: 7, Message: "seven", Err: cause},
		"an Error as cause":      status.New(status.Unavailable, "try later").WithCause(&jsonrpc.Error{Code: 7, Message: secret, Data: json.RawMessage(`"hunter2"`)}),
		"an Error beside":        errors.Join(status.New(status.NotFound, "none"), cause),
		"an Error with a status": status.New(status.Unavailable, "x").WithCause(&jsonrpc.Error{Code: 7, Message: secret, Err: status.New(status.Aborted, secret)}),
		"a foreign panic":        &endpoint.PanicError{Value: secret},
	} {
		w := post(jsonrpc.NewHandler(set(failing(err))), call("fail", "[]"))
		if !strings.Contains(w.Body.String(), `"error"`) || strings.Contains(w.Body.String(), secret) || strings.Contains(fmt.Sprint(w.Header()), secret) {
			t.Errorf("%s: have %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
}

func TestErrorsThatWereNotWrittenToBeShownAreInternalWithAnID(t *testing.T) {
	t.Parallel()
	conn, logged := start(t, jsonrpc.NewHandler(set(failing(errors.New("secret")))))
	_, err := newClient[any, int](t, conn, "fail")(t.Context(), nil)
	e := status.As(err)
	if e == nil || e.Code != status.Internal || e.Message != "internal error" || e.ID == "" || e.Cause != nil {
		t.Fatalf("have %v", err)
	}
	if text := logged(); !strings.Contains(text, "secret") || !strings.Contains(text, e.ID) || !strings.Contains(text, "fail: ") {
		t.Errorf("want the text and the id %s in the log, have %q", e.ID, text)
	}
	var seen error
	secret := errors.New("secret")
	handler := jsonrpc.ServerErrorHandler(func(_ context.Context, err error) { seen = err })
	conn, logged = start(t, jsonrpc.NewHandler(set(failing(secret, handler))))
	_, err = newClient[any, int](t, conn, "fail")(t.Context(), nil)
	if !errors.Is(seen, secret) || status.As(seen).ID != status.As(err).ID || logged() != "" {
		t.Errorf("want the handler to see it, and nothing in the log; have %v for %v, and %q", seen, err, logged())
	}
	conn, logged = start(t, jsonrpc.NewHandler(set(failing(status.From(secret))))) // as a request log returns it
	_, err = newClient[any, int](t, conn, "fail")(t.Context(), nil)
	if status.As(err).ID == "" || logged() != "" {
		t.Errorf("want an error with an ID that is not logged again, have %v and %q", err, logged())
	}
}

func TestAMessageThatIsNotUTF8IsMadeSo(t *testing.T) {
	t.Parallel()
	have := refusalOf(t, post(jsonrpc.NewHandler(set(failing(status.New(status.NotFound, "a\xffb")))), call("fail", "[]")).Body.String())
	if have.Error.Message != "a\uFFFDb" || have.Error.Data.Message != "a\uFFFDb" {
		t.Errorf("have %q", have.Error.Message)
	}
}

func TestAResultThatCannotBeEncodedIsAnError(t *testing.T) {
	t.Parallel()
	for name, result := range map[string]any{"a function": func() {}, "not a number": math.NaN(), "deep inside": []any{1, make(chan int)}} {
		h := jsonrpc.NewHandler(set(jsonrpc.NewServer(named("odd"), func(context.Context, any) (any, error) { return result, nil })))
		w := post(h, `[{"jsonrpc":"2.0","method":"odd","id":1},{"jsonrpc":"2.0","method":"sum","id":2}]`)
		answers := strings.SplitN(strings.TrimPrefix(w.Body.String(), "["), `,{"jsonrpc":"2.0","result":0,"id":2}]`, 2)
		if len(answers) != 2 {
			t.Fatalf("%s: have %s", name, w.Body)
		}
		have := refusalOf(t, answers[0])
		if have.Error.Code != jsonrpc.CodeInternalError || have.Error.Data.ID == "" || string(have.ID) != "1" {
			t.Errorf("%s: have %s", name, answers[0])
		}
	}
}

// viper is an error that panics when anybody looks into it.
type viper struct{}

func (viper) Error() string { return "hiss" }
func (viper) Unwrap() error { panic("bitten") }

func TestAnErrorThatPanicsIsInternal(t *testing.T) {
	t.Parallel()
	conn, logged := start(t, jsonrpc.NewHandler(set(failing(viper{}))))
	_, err := newClient[any, int](t, conn, "fail")(t.Context(), nil)
	if status.CodeOf(err) != status.Internal || status.As(err).ID == "" || !strings.Contains(logged(), "bitten") {
		t.Errorf("have %v, %s", err, logged())
	}
}

func TestAnErrorChoosesItsCodeMessageAndData(t *testing.T) {
	t.Parallel()
	c, failWith := remoteFailure(t)
	none := status.New(status.NotFound, "there is none").WithReason("NONE")
	data := json.RawMessage(`{"balance":[1,"x"]}`)
	for _, row := range []struct {
		name string
		sent error
		want *status.Error
		own  jsonrpc.Error
	}{
		{"the code", &jsonrpc.Error{Code: 1234, Err: none}, none, jsonrpc.Error{Code: 1234, Message: "there is none"}},
		{"wrapped", fmt.Errorf("a: %w", &jsonrpc.Error{Code: -1 << 60, Err: fmt.Errorf("b: %w", none)}), none, jsonrpc.Error{Code: -1 << 60, Message: "there is none"}},
		{"the message", &jsonrpc.Error{Code: 1, Message: "no funds", Err: none}, none, jsonrpc.Error{Code: 1, Message: "no funds"}},
		{"data", &jsonrpc.Error{Code: 2, Data: data, Err: none}, status.New(status.Unknown, "there is none"), jsonrpc.Error{Code: 2, Message: "there is none", Data: data}},
		{"data under a known code", &jsonrpc.Error{Code: -32005, Data: data, Err: none}, status.New(status.Unknown, "there is none"), jsonrpc.Error{Code: -32005, Message: "there is none", Data: data}},
		{"all of it", &jsonrpc.Error{Code: 3, Message: "no funds", Data: data}, status.New(status.Unknown, "no funds"), jsonrpc.Error{Code: 3, Message: "no funds", Data: data}},
		{"no status", &jsonrpc.Error{Code: 4, Message: "no funds"}, status.New(status.Unknown, "no funds"), jsonrpc.Error{Code: 4, Message: "no funds"}},
		{"data that is none", &jsonrpc.Error{Code: 5, Data: json.RawMessage(`{`), Err: none}, none, jsonrpc.Error{Code: 5, Message: "there is none"}},
	} {
		failWith(row.sent)
		_, err := c(t.Context(), struct{}{})
		e, own := status.As(err), new(jsonrpc.Error)
		if e == nil || !errors.As(err, &own) {
			t.Errorf("%s: want a status and an Error, have %v", row.name, err)
			continue
		}
		if have := e.WithCause(nil); !reflect.DeepEqual(row.want, have) {
			t.Errorf("%s: want %+v, have %+v", row.name, row.want, have)
		}
		if own.Code != row.own.Code || own.Message != row.own.Message || own.Err != nil || row.own.Data != nil && string(own.Data) != string(row.own.Data) {
			t.Errorf("%s: want %+v, have %+v %s", row.name, row.own, own, own.Data)
		}
	}
}

func TestAnErrorOfAnotherServerCanBePassedOn(t *testing.T) {
	t.Parallel()
	far := answering(t, http.StatusOK, "application/json", `{"jsonrpc":"2.0","error":{"code":-32000,"message":"reverted","data":"0x08c3"},"id":1}`)
	call := newClient[struct{}, int](t, far, "eth_call")
	proxy, failWith := remoteFailure(t)
	_, err := call(t.Context(), struct{}{})
	own, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok || own.Code != -32000 || own.Message != "reverted" || string(own.Data) != `"0x08c3"` {
		t.Fatalf("have %+v", own)
	}
	failWith(own)
	_, err = proxy(t.Context(), struct{}{})
	if passed, ok := errors.AsType[*jsonrpc.Error](err); !ok || !reflect.DeepEqual(own, passed) {
		t.Errorf("want %+v, have %v", own, err)
	}
}

func TestTheTextOfAnErrorHasAllOfIt(t *testing.T) {
	t.Parallel()
	err := &jsonrpc.Error{Code: 7, Message: "seven", Err: status.New(status.NotFound, "none")}
	if want := "JSON-RPC error 7: seven: not_found: none"; err.Error() != want || !errors.Is(err, status.New(status.NotFound, "none")) {
		t.Errorf("want %q, have %q", want, err)
	}
}

func TestErrorsOfForeignServersBecomeStatuses(t *testing.T) {
	t.Parallel()
	answer := func(rest string) string { return `{"jsonrpc":"2.0",` + rest + `}` }
	for _, row := range []struct {
		name        string
		http        int
		contentType string
		body        string
		code        status.Code
		message     string
		own         int64 // 0 for none
	}{
		{"parse error", 200, "application/json", answer(`"error":{"code":-32700,"message":"Parse error"},"id":null`), status.InvalidArgument, "Parse error", -32700},
		{"invalid request", 200, "application/json", answer(`"error":{"code":-32600,"message":"Invalid Request"},"id":null`), status.InvalidArgument, "Invalid Request", -32600},
		{"no such method", 200, "application/json", answer(`"error":{"code":-32601,"message":"Method not found"},"id":1`), status.Unimplemented, "Method not found", -32601},
		{"wrong params", 200, "application/json", answer(`"error":{"code":-32602,"message":"Invalid params"},"id":1`), status.InvalidArgument, "Invalid params", -32602},
		{"internal", 200, "application/json", answer(`"error":{"code":-32603,"message":"Internal error"},"id":1`), status.Internal, "Internal error", -32603},
		{"of the server", 200, "application/json", answer(`"error":{"code":-32005,"message":"limit exceeded"},"id":1`), status.Unknown, "limit exceeded", -32005},
		{"of the application", 200, "application/json", answer(`"error":{"code":3,"message":"reverted","data":{"code":7}},"id":1`), status.Unknown, "reverted", 3},
		{"data with a code of OK", 200, "application/json", answer(`"error":{"code":3,"message":"m","data":{"code":"ok"}},"id":1`), status.Unknown, "m", 3},
		{"without a message", 200, "application/json", answer(`"error":{"code":3},"id":1`), status.Unknown, "", 3},
		{"another content type", 200, "application/json-rpc; charset=utf-8", answer(`"error":{"code":3,"message":"m"},"id":1`), status.Unknown, "m", 3},
		{"of version 1", 200, "application/json", answer(`"result":null,"error":{"code":3,"message":"m"},"id":1`), status.Unknown, "m", 3},
		{"HTTP 400 with JSON", 400, "application/json", answer(`"error":{"code":-32602,"message":"bad"},"id":1`), status.InvalidArgument, "bad", -32602},
		{"HTTP 500 with JSON", 500, "application/json", answer(`"error":{"code":-32601,"message":"no"},"id":null`), status.Unimplemented, "no", -32601},
		{"HTTP 429 with other JSON", 429, "application/json", `{"error":"slow down"}`, status.ResourceExhausted, "test/Far answered HTTP 429", 0},
		{"HTTP 503 with a page", 503, "text/html", "<html>", status.Unavailable, "test/Far answered HTTP 503", 0},
		{"HTTP 401 with nothing", 401, "", "", status.Unauthenticated, "test/Far answered HTTP 401", 0},
		{"HTTP 404 with a result", 404, "application/json", answer(`"result":1,"id":1`), status.NotFound, "test/Far answered HTTP 404", 0},
		{"HTTP 403 with problem details", 403, "application/problem+json", `{"title":"Forbidden","status":403,"detail":"not you"}`, status.PermissionDenied, "not you", 0},
	} {
		spec := endpoint.Spec{Service: "test", Method: "Far"}
		var seen error
		call, err := jsonrpc.NewClient[struct{}, int](spec, answering(t, row.http, row.contentType, row.body), "/rpc",
			jsonrpc.ClientHTTP(httptransport.ClientFinalizer(func(_ context.Context, o httptransport.Outcome) { seen = o.Err })))
		if err != nil {
			t.Fatal(err)
		}
		_, err = call(t.Context(), struct{}{})
		e := status.As(err)
		if e == nil || e.Code != row.code || e.Message != row.message {
			t.Errorf("%s: want %v %q, have %v", row.name, row.code, row.message, err)
		}
		own, ok := errors.AsType[*jsonrpc.Error](err)
		if ok != (row.own != 0) || ok && own.Code != row.own {
			t.Errorf("%s: want the code %d, have %v", row.name, row.own, own)
		}
		if !reflect.DeepEqual(seen, err) {
			t.Errorf("%s: want the finalizer to see %v, have %v", row.name, err, seen)
		}
	}
}

func TestTheDocumentationHasTheCodesAndTheDefaults(t *testing.T) {
	t.Parallel()
	text := readFile(t, "../../../docs/transport-http-jsonrpc.md")
	for code, number := range codes {
		if status.Code(code) == status.OK {
			continue
		}
		row := regexp.MustCompile(fmt.Sprintf("`%s` \\| %d\\b", status.Code(code), number))
		if !row.MatchString(text) {
			t.Errorf("want a row %v", row)
		}
	}
	for _, want := range []string{
		fmt.Sprintf("| `HandlerMaxBatch(n)` | %d |", jsonrpc.DefaultMaxBatch), fmt.Sprintf("| `HandlerConcurrency(n)` | %d |", jsonrpc.DefaultConcurrency),
		fmt.Sprintf("| `HandlerHTTP(opts...)` | %d MiB for", httptransport.DefaultMaxRequest>>20),
		fmt.Sprintf("| `ClientHTTP(opts...)` | %d MiB for", httptransport.DefaultMaxResponse>>20),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q", want)
		}
	}
}
