package jsonrpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	codecjson "github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/codec/xml"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

type base struct {
	First int `json:"first"`
}

// flat has what makes it hard to tell the order of a struct's fields.
type flat struct {
	base
	Second  string `json:"second,omitzero"`
	Hidden  int    `json:"-"`
	private int    //nolint:unused // it has no place among the params
	Fourth  *bool  `json:"fo.urth"`
	Spaced  int    `json:"a b"`
	Plain   float64
	Rest    map[string]any `json:",embed"`
}

// twice has a field that comes twice.
type twice struct {
	base
	Inner base `json:",embed"`
}

type itself struct {
	*itself //nolint:unused // it is there to be found
	A       int
}

// own reads JSON by itself.
type own struct{ text string }

func (o *own) UnmarshalJSON(data []byte) error { o.text = string(data); return nil }
func (o own) MarshalJSON() ([]byte, error)     { return []byte(o.text), nil }

// bound sends params to a server of the type, and returns what it made of them.
func bound[T any](t testing.TB, params string, opts ...jsonrpc.ServerOption) (have T, err error) {
	t.Helper()
	h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("bind"), func(_ context.Context, r T) (struct{}, error) {
		have = r
		return struct{}{}, nil
	}, opts...)})
	document := call("bind", params)
	if params == "" {
		document = `{"jsonrpc":"2.0","method":"bind","id":1}`
	}
	body := post(h, document).Body.String()
	if body == `{"jsonrpc":"2.0","result":null,"id":1}` {
		return have, nil
	}
	r := refusalOf(t, body)
	if r.Error.Code != -32602 || r.Error.Message != r.Error.Data.Message {
		t.Errorf("%s: want Invalid params with what is wrong, have %s", params, body)
	}
	return have, &r.Error.Data
}

func bind[T any](want T, params ...string) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		for _, p := range params {
			if have, err := bound[T](t, p); err != nil || !reflect.DeepEqual(want, have) {
				t.Errorf("%s: want %+v, have %+v, %v", p, want, have, err)
			}
		}
	}
}

func refuse[T any](params string, want ...string) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		_, err := bound[T](t, params)
		e := status.As(err)
		if e == nil {
			t.Fatalf("%s: want %q, have no error", params, want)
		}
		var have []string
		for _, v := range e.Violations {
			have = append(have, v.Error())
		}
		if !slices.Equal(want, have) {
			t.Errorf("%s: want %q, have %q", params, want, have)
		}
	}
}

func TestParamsAreBoundByTheTypeOfTheRequest(t *testing.T) {
	t.Parallel()
	yes, at := true, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, run := range map[string]func(t *testing.T){
		"a struct":                        bind(difference{42, 23}, `[42,23]`, `{"subtrahend":23,"minuend":42}`, `[ 42 , 23 ]`),
		"a pointer to one":                bind(&difference{42, 23}, `[42,23]`, `{"minuend":42,"subtrahend":23}`),
		"a struct, in part":               bind(difference{Minuend: 42}, `[42]`, `{"minuend":42}`, `{"minuend":42,"other":[]}`),
		"a struct, without params":        bind(difference{}, ``, `[]`, `{}`),
		"a pointer, without params":       bind(&difference{}, ``, `[]`, `{}`),
		"all kinds of fields":             bind(flat{base: base{1}, Second: "x", Fourth: &yes, Spaced: 5, Plain: 6}, `[1,"x",true,5,6]`, `{"first":1,"second":"x","fo.urth":true,"a b":5,"Plain":6}`),
		"a struct without fields":         bind(struct{}{}, ``, `[]`, `{}`, `{"a":1}`),
		"a slice":                         bind([]int{1, 2}, `[1,2]`),
		"a slice, without params":         bind([]int{}, ``, `[]`),
		"an array":                        bind([2]int{1, 2}, `[1,2]`),
		"a map":                           bind(map[string]int{"a": 1}, `{"a":1}`),
		"a map, without params":           bind(map[string]int{}, ``, `{}`),
		"a text":                          bind("x", `["x"]`),
		"a number":                        bind(7, `[7]`),
		"a truth value":                   bind(true, `[true]`),
		"bytes":                           bind([]byte("hi"), `["aGk="]`),
		"a time":                          bind(at, `["2026-01-02T03:04:05Z"]`),
		"a type with a text":              bind(netip.MustParseAddr("::1"), `["::1"]`),
		"a pointer to a text":             bind(&[]string{"x"}[0], `["x"]`),
		"a type that reads itself":        bind(own{`[1, {}]`}, `[1, {}]`),
		"a type that reads itself, named": bind(own{`{"a": 1}`}, `{"a": 1}`),
		"a raw message":                   bind(json.RawMessage(`{"a":[1]}`), `{"a":[1]}`),
		"anything":                        bind[any](map[string]any{"a": 1.0}, `{"a":1}`),
		"anything, by position":           bind[any]([]any{1.0}, `[1]`),
		"anything, without params":        bind[any](nil, ``),

		"too many":                    refuse[difference](`[1,2,3]`, "want at most 2 parameters, have 3"),
		"too many for none":           refuse[struct{}](`[1]`, "want at most 0 parameters, have 1"),
		"fields that are named alike": refuse[twice](`[1]`, "want the parameters by name, have an array"),
		"fields alike, inside":        refuse[struct{ twice }](`[1]`, "want the parameters by name, have an array"),
		"a struct in itself":          refuse[itself](`[1]`, "want the parameters by name, have an array"),
		"a field by name":             refuse[difference](`{"minuend":"x"}`, "minuend: want an integer, have a string"),
		"a field by position":         refuse[difference](`[1,"x"]`, "subtrahend: want an integer, have a string"),
		"deep inside":                 refuse[struct{ Items []difference }](`[[{"minuend":1},{"minuend":[]}]]`, "Items[1].minuend: want an integer, have an array"),
		"an element":                  refuse[[]int](`[1,"x"]`, "[1]: want an integer, have a string"),
		"a slice by name":             refuse[[]int](`{"a":1}`, "want an array, have an object"),
		"an array of another length":  refuse[[2]int](``, "want an array of 2"),
		"a map by position":           refuse[map[string]int](`[1]`, "want an object, have an array"),
		"one, by name":                refuse[string](`{"a":"x"}`, "want one parameter by position, have an object"),
		"one, missing":                refuse[string](``, "want one parameter by position, have none"),
		"one, of none":                refuse[string](`[]`, "want one parameter by position, have 0"),
		"one, of two":                 refuse[string](`["x","y"]`, "want one parameter by position, have 2"),
		"one of another type":         refuse[string](`[1]`, "[0]: want a string, have a number"),
		"deeper than the limit":       refuse[any](strings.Repeat("[", 129)+strings.Repeat("]", 129), "nested deeper than 128 levels"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
}

func TestUnknownNamesAreAsTheCodecHasIt(t *testing.T) {
	t.Parallel()
	strict := jsonrpc.ServerCodec(codecjson.New(codecjson.RejectUnknown()))
	_, err := bound[difference](t, `{"minuend":1,"other":2}`, strict)
	if e := status.As(err); e == nil || len(e.Violations) != 1 || e.Violations[0].Error() != "other: unknown member" {
		t.Errorf("have %v", err)
	}
}

// crossed calls with a request, and returns the params that went and what the server made of them.
func crossed[T any](t testing.TB, request T, opts ...jsonrpc.ClientOption) (params string, have T, err error) {
	t.Helper()
	e := func(_ context.Context, r T) (struct{}, error) { have = r; return struct{}{}, nil }
	h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("bind"), e,
		jsonrpc.ServerBefore(func(ctx context.Context, r *jsonrpc.Request) context.Context { params = string(r.Params); return ctx }))})
	conn, _ := start(t, h)
	_, err = newClient[T, struct{}](t, conn, "bind", opts...)(t.Context(), request)
	return params, have, err
}

func cross[T any](request T, params string, opts ...jsonrpc.ClientOption) func(t *testing.T) {
	return crossAs(request, request, params, opts...)
}

func crossAs[T any](request, want T, params string, opts ...jsonrpc.ClientOption) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		sent, have, err := crossed(t, request, opts...)
		if err != nil || sent != params || !reflect.DeepEqual(want, have) {
			t.Errorf("want %+v as %s, have %+v as %s, %v", want, params, have, sent, err)
		}
	}
}

func TestRequestsCrossAsTheyAre(t *testing.T) {
	t.Parallel()
	yes := true
	for name, run := range map[string]func(t *testing.T){
		"a struct":                     cross(difference{42, 23}, `{"minuend":42,"subtrahend":23}`),
		"a pointer":                    cross(&difference{42, 23}, `{"minuend":42,"subtrahend":23}`),
		"a nil pointer":                crossAs(nil, &difference{}, ``),
		"by position":                  cross(difference{42, 23}, `[42,23]`, jsonrpc.ClientByPosition()),
		"a pointer, by position":       cross(&difference{42, 23}, `[42,23]`, jsonrpc.ClientByPosition()),
		"by position, without a field": cross(flat{base: base{1}, Fourth: &yes, Spaced: 2, Plain: 3}, `[1,null,true,2,3]`, jsonrpc.ClientByPosition()),
		"by position, without the last": cross(struct {
			A, B int `json:",omitzero"`
		}{A: 1}, `[1]`, jsonrpc.ClientByPosition()),
		"nothing":                   cross(struct{}{}, ``),
		"nothing, by position":      cross(struct{}{}, ``, jsonrpc.ClientByPosition()),
		"a slice":                   cross([]string{"a"}, `["a"]`),
		"a map":                     cross(map[string]int{"a": 1}, `{"a":1}`),
		"a text":                    cross("x", `["x"]`),
		"bytes":                     cross([]byte("hi"), `["aGk="]`),
		"a time":                    cross(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), `["2026-01-02T03:04:05.000000006Z"]`),
		"a type that writes itself": cross(own{`[1,{}]`}, `[1,{}]`),
		"anything":                  cross[any]([]any{"a"}, `["a"]`),
		"no anything":               cross[any](nil, ``),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
	_, _, err := crossed[any](t, 7)
	wantStatus(t, "anything that is a number", err, status.Internal, "the request to bind could not be encoded")
	_, _, err = crossed(t, own{`"x"`})
	wantStatus(t, "a type that writes a text", err, status.Internal, "the request to bind could not be encoded")
	_, _, err = crossed[any](t, []any{func() {}})
	wantStatus(t, "what JSON cannot say", err, status.Internal, "the request to bind could not be encoded")
	_, err = jsonrpc.NewClient[[]int, int](named("sum"), dial(t, "http://h"), "/rpc", jsonrpc.ClientByPosition())
	if want := "jsonrpc: client of sum: ClientByPosition: []int is no struct whose fields have names of their own"; err == nil || err.Error() != want {
		t.Errorf("want %q, have %v", want, err)
	}
}

func TestTheCodecIsOneForJSON(t *testing.T) {
	t.Parallel()
	wantPanic(t, "ServerCodec: the codec is for [application/xml text/xml], want one for application/json", func() {
		jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerCodec(xml.New()))
	})
	wantPanic(t, "ServerCodec: the codec is nil", func() { jsonrpc.NewServer(named("sum"), sum, jsonrpc.ServerCodec(nil)) })
	_, err := jsonrpc.NewMethod[int, int](named("sum"), jsonrpc.ClientCodec(nil))
	if want := "jsonrpc: method sum: ClientCodec: the codec is nil"; err == nil || err.Error() != want {
		t.Errorf("want %q, have %v", want, err)
	}
}

func TestAnEndpointIsServedOverRESTAsWell(t *testing.T) {
	t.Parallel()
	type get struct {
		ID    string `json:"id"    path:"id"`
		Limit int    `json:"limit" query:"limit"`
	}
	spec := endpoint.Spec{Service: "orders", Method: "Get"}
	e := endpoint.New(spec, func(_ context.Context, r *get) (string, error) { return fmt.Sprint(r.ID, " ", r.Limit), nil })
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", httptransport.NewServer(spec, e))
	mux.Handle("/rpc", jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(spec, e)}))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/orders/7?limit=3", http.NoBody))
	if w.Body.String() != `"7 3"` {
		t.Errorf("REST: have %s", w.Body)
	}
	for _, params := range []string{`{"id":"7","limit":3}`, `["7",3]`} {
		if have := post(mux, call("orders/Get", params)).Body.String(); have != `{"jsonrpc":"2.0","result":"7 3","id":1}` {
			t.Errorf("JSON-RPC: have %s", have)
		}
	}
}
