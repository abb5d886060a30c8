package jsonrpc_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// FuzzHandler checks that whatever arrives is answered with JSON that is JSON-RPC, or with nothing.
func FuzzHandler(f *testing.F) {
	for _, example := range section7(f) {
		f.Add(example.request)
	}
	f.Add(`{"jsonrpc":"2.0","method":"echo","params":[{"a":[1.50,null,"\ud83d\ude00"]}],"id":-0e1}`)
	f.Add(`[{"id":"\"","params":{"a":1},"method":"\u0065cho","jsonrpc":"2.0"},[],{},null]`)
	h := jsonrpc.NewHandler(set(
		jsonrpc.NewServer(named("echo"), echo[any]), jsonrpc.NewServer(named("flat"), echo[flat]), jsonrpc.NewServer(named("text"), echo[string]),
		jsonrpc.NewServer(named("map"), echo[map[string]int]),
	))
	f.Fuzz(func(t *testing.T, document string) {
		w := post(h, document)
		if w.Code == http.StatusNoContent && w.Body.Len() == 0 {
			return
		}
		body := w.Body.String()
		if w.Code != http.StatusOK || !jsontext.Value(body).IsValid() {
			t.Fatalf("have %d %q", w.Code, body)
		}
		answers := []json.RawMessage{json.RawMessage(body)}
		if strings.HasPrefix(body, "[") {
			if err := json.Unmarshal([]byte(body), &answers); err != nil || len(answers) == 0 {
				t.Fatalf("have %q, %v", body, err)
			}
		}
		for _, a := range answers {
			var answer struct {
				Version string          `json:"jsonrpc"`
				Result  json.RawMessage `json:"result"`
				Error   *struct {
					Code int          `json:"code"`
					Data status.Error `json:"data"`
				} `json:"error"`
				ID json.RawMessage `json:"id"`
			}
			if err := json.Unmarshal(a, &answer); err != nil || answer.Version != "2.0" || (answer.Result != nil) == (answer.Error != nil) || answer.ID == nil {
				t.Fatalf("have %s, %v", a, err)
			}
			if answer.Error != nil && (answer.Error.Code > -32600 || answer.Error.Code < -32700 || answer.Error.Data.Code == status.Internal) {
				t.Fatalf("want an error of the specification that is the sender's, have %s", a)
			}
			if !strings.Contains(document, string(answer.ID)) && string(answer.ID) != "null" {
				t.Fatalf("the id %s is none of %s", answer.ID, document)
			}
		}
	})
}

// FuzzAnswer checks that whatever a server answers becomes a result or a status, for a call and for a batch.
func FuzzAnswer(f *testing.F) {
	for _, example := range section7(f) {
		f.Add(200, "application/json", example.response)
	}
	f.Add(200, "application/json-rpc", `{"jsonrpc":"2.0","error":{"code":-32005,"message":"\ud83d\ude00","data":{"code":"not_found","violations":[{}]}},"id":1}`)
	f.Add(500, "application/json", `{"jsonrpc":"2.0","error":{"code":1e3},"id":null}`)
	f.Add(429, "application/problem+json", `{}`)
	f.Add(200, "application/json", `[{"jsonrpc":"2.0","result":{},"id":2},{"jsonrpc":"2.0","result":1,"id":1}]`)
	m, err := jsonrpc.NewMethod[[]int, any](named("sum"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, code int, contentType, body string) {
		if code < 200 || code > 999 {
			t.Skip()
		}
		conn := answering(t, code, contentType, body)
		check := func(err error) {
			if err != nil && (status.As(err) == nil || status.CodeOf(err) == status.OK) {
				t.Errorf("want a status, have %v", err)
			}
		}
		_, err := newClient[[]int, any](t, conn, "sum")(t.Context(), []int{1})
		check(err)
		if err == nil && (code > 299 || !jsontext.Value(body).IsValid()) {
			t.Errorf("HTTP %d, %q: want an error", code, body)
		}
		b := newBatcher(t, conn).Batch()
		first, second := m.Call(b, []int{1}), m.Call(b, nil)
		check(b.Do(t.Context()))
		for _, r := range []*jsonrpc.Result[any]{first, second} {
			check(errOf(r))
		}
	})
}
