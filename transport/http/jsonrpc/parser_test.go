package jsonrpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// refusal is an answer with an error.
type refusal struct {
	Error struct {
		Code    int
		Message string
		Data    status.Error
	}
	ID json.RawMessage
}

func refusalOf(t testing.TB, document string) (r refusal) {
	t.Helper()
	if err := json.Unmarshal([]byte(document), &r); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	return r
}

func TestWhatIsNoCallIsRefusedWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := jsonrpc.NewHandler(set())
	deep := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)
	for _, row := range []struct {
		name, document string
		code           int
		message, want  string
	}{
		{"nothing", ``, -32700, "Parse error", "the document is empty"},
		{"white space", " \n", -32700, "Parse error", "the document is empty"},
		{"half a document", `{"jsonrpc":"2.0","method":"sum","id":1`, -32700, "Parse error", "the document ends too early"},
		{"half a batch", `[`, -32700, "Parse error", "the document ends too early"},
		{"half a text", `{"jsonrpc":"2`, -32700, "Parse error", "the document ends too early"},
		{"more behind", `{"jsonrpc":"2.0","method":"sum","id":1} {}`, -32700, "Parse error", "there is more behind the document, which ends at byte 39"},
		{"rubbish behind", `{"jsonrpc":"2.0","method":"sum","id":1}]`, -32700, "Parse error", "invalid JSON at byte 39"},
		{"more behind a batch", `[{"jsonrpc":"2.0","method":"sum","id":1}]1`, -32700, "Parse error", "there is more behind"},
		{"a member twice", `{"jsonrpc":"2.0","method":"sum","id":1,"id":2}`, -32700, "Parse error", "the member id appears twice in an object, at byte 39"},
		{"escaped, a member twice", `{"jsonrpc":"2.0","method":"sum","id":1,"\u0069d":2}`, -32700, "Parse error", "the member id appears twice"},
		{"a param twice", `{"jsonrpc":"2.0","method":"sum","params":{"a":1,"a":2},"id":1}`, -32700, "Parse error", "the member a appears twice"},
		{"no UTF-8", "{\"jsonrpc\":\"2.0\",\"method\":\"\xff\",\"id\":1}", -32700, "Parse error", "invalid JSON at byte 27: invalid UTF-8"},
		{"half a surrogate", `{"jsonrpc":"2.0","method":"\ud800","id":1}`, -32700, "Parse error", "invalid JSON at byte"},
		{"a byte order mark", "\ufeff{}", -32700, "Parse error", "invalid JSON at byte 0"},
		{"a comma too many", `{"jsonrpc":"2.0","method":"sum","id":1,}`, -32700, "Parse error", "invalid JSON at byte"},
		{"a number like no other", `{"jsonrpc":"2.0","method":"sum","id":01}`, -32700, "Parse error", "invalid JSON at byte"},
		{"deep", `{"jsonrpc":"2.0","method":"sum","x":` + deep + `}`, -32700, "Parse error", "invalid JSON at byte"},
		{"a number", `7`, -32600, "Invalid Request", "invalid request: want an object, have a number"},
		{"null", `null`, -32600, "Invalid Request", "invalid request: want an object, have null"},
		{"an empty batch", `[ ]`, -32600, "Invalid Request", "the batch is empty"},
		{"no version", `{"method":"sum","id":1}`, -32600, "Invalid Request", `jsonrpc: is missing; want "2.0"`},
		{"version 1.0", `{"jsonrpc":"1.0","method":"sum","id":1}`, -32600, "Invalid Request", `jsonrpc: want "2.0"`},
		{"a version as a number", `{"jsonrpc":2.0,"method":"sum","id":1}`, -32600, "Invalid Request", `jsonrpc: want "2.0"`},
		{"no method", `{"jsonrpc":"2.0","id":1}`, -32600, "Invalid Request", "method: is missing"},
		{"a method that is none", `{"jsonrpc":"2.0","method":null,"id":1}`, -32600, "Invalid Request", "method: want a string, have null"},
		{"params that are a text", `{"jsonrpc":"2.0","method":"sum","params":"bar","id":1}`, -32600, "Invalid Request", "params: want an object or an array, have a string"},
		{"params that are null", `{"jsonrpc":"2.0","method":"sum","params":null,"id":1}`, -32600, "Invalid Request", "params: want an object or an array, have null"},
		{"an id that is none", `{"jsonrpc":"2.0","method":"sum","id":false}`, -32600, "Invalid Request", "id: want a string, a number or null, have true or false"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := post(h, row.document)
			have := refusalOf(t, w.Body.String())
			if w.Code != http.StatusOK || have.Error.Code != row.code || have.Error.Message != row.message || string(have.ID) != "null" {
				t.Errorf("want %d %s, have HTTP %d, %s", row.code, row.message, w.Code, w.Body)
			}
			if have.Error.Data.Code != status.InvalidArgument || !strings.Contains(have.Error.Data.Message, row.want) || have.Error.Data.Reason == "" {
				t.Errorf("want %q in the data, have %+v", row.want, have.Error.Data)
			}
		})
	}
}

func TestWhatIsNoCallInABatchSaysWhereItStands(t *testing.T) {
	t.Parallel()
	w := post(jsonrpc.NewHandler(set()), `[{"jsonrpc":"2.0","method":"sum","id":1}, "x", {"jsonrpc":"2.0","id":3}, [], {"jsonrpc":"2.0","method":"sum","params":[4],"id":4}]`)
	var all []json.RawMessage
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil || len(all) != 5 {
		t.Fatalf("want 5 answers, have %s", w.Body)
	}
	for i, want := range map[int]string{1: "[1]: want an object, have a string", 2: "[2].method: is missing", 3: "[3]: want an object, have an array"} {
		have := refusalOf(t, string(all[i]))
		if have.Error.Code != -32600 || string(have.ID) != "null" || have.Error.Data.Message != "invalid request: "+want {
			t.Errorf("want %q, have %s", want, all[i])
		}
	}
	if want := `{"jsonrpc":"2.0","result":4,"id":4}`; string(all[4]) != want {
		t.Errorf("want %s, have %s", want, all[4])
	}
}

func TestNamesMayBeEscapedAndOthersStandBeside(t *testing.T) {
	t.Parallel()
	w := post(jsonrpc.NewHandler(set()), `{"auth":{"a":[1]},"json\u0072pc":"\u0032.0","m\u0065thod":"s\u0075m","params":[1,2],"id":1}`)
	if want := `{"jsonrpc":"2.0","result":3,"id":1}`; w.Body.String() != want {
		t.Errorf("want %s, have %s", want, w.Body)
	}
}

func TestABatchThatIsTooLongIsNotServed(t *testing.T) {
	t.Parallel()
	documents := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"jsonrpc":"2.0","method":"sum","id":1},`, n), ",") + "]"
	}
	for _, row := range []struct {
		most int
		opts []jsonrpc.HandlerOption
	}{{jsonrpc.DefaultMaxBatch, nil}, {3, []jsonrpc.HandlerOption{jsonrpc.HandlerMaxBatch(3)}}} {
		served := 0
		one := jsonrpc.HandlerConcurrency(1)
		h := jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("sum"), sum,
			jsonrpc.ServerFinalizer(func(_ context.Context, _ *jsonrpc.Request, _ jsonrpc.Outcome) { served++ }))}, append(row.opts, one)...)
		if w := post(h, documents(row.most)); served != row.most {
			t.Errorf("want %d calls served, have %d: %s", row.most, served, w.Body)
		}
		served = 0
		have := refusalOf(t, post(h, documents(row.most+1)).Body.String())
		want := fmt.Sprintf("the batch has more than %d calls", row.most)
		if have.Error.Code != -32600 || have.Error.Data.Message != want || have.Error.Data.Reason != "BATCH_TOO_LONG" || served > 0 {
			t.Errorf("want %q, have %+v and %d served", want, have, served)
		}
	}
}

func TestALongMethodNameIsNotRepeated(t *testing.T) {
	t.Parallel()
	have := refusalOf(t, post(jsonrpc.NewHandler(set()), call(strings.Repeat("x", 1000), "[]")).Body.String())
	if want := `there is no method "` + strings.Repeat("x", 64) + `..."`; have.Error.Data.Message != want || have.Error.Data.Reason != "METHOD_NOT_FOUND" {
		t.Errorf("want %q, have %+v", want, have.Error.Data)
	}
}
