package jsonrpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// dialogue is an example of the specification.
type dialogue struct{ title, request, response string }

// section7 reads the examples.
func section7(t testing.TB) (all []dialogue) {
	t.Helper()
	text, err := os.ReadFile("testdata/section7.txt")
	if err != nil {
		t.Fatal(err)
	}
	var title string
	var into *string
	for line := range strings.Lines(string(text)) {
		request, isRequest := strings.CutPrefix(line, "--> ")
		response, isResponse := strings.CutPrefix(line, "<-- ")
		switch {
		case isRequest:
			all = append(all, dialogue{title: title, request: request})
			into = &all[len(all)-1].request
		case isResponse:
			into = &all[len(all)-1].response
			*into = response
		case strings.TrimSpace(line) == "":
			into = nil
		case into != nil:
			*into += line
		default:
			title = strings.TrimSpace(line)
		}
	}
	return all
}

// compact returns a document without white space, as far as it is one.
func compact(document string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(document)) != nil {
		return document
	}
	return out.String()
}

// withoutData returns a document without the data of its errors, and how many errors had some. All other bytes stay as they are.
func withoutData(t testing.TB, document string) (rest string, removed int) {
	t.Helper()
	for {
		begin := strings.Index(document, `,"data":`)
		if begin < 0 {
			return document, removed
		}
		dec := jsontext.NewDecoder(strings.NewReader(document[begin+len(`,"data":`):]))
		value, err := dec.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		document = document[:begin] + document[begin+len(`,"data":`)+len(value):]
		removed++
	}
}

// exampleHandler serves the methods that the examples have.
func exampleHandler(notified *atomic.Int64) *jsonrpc.Handler {
	note := func(context.Context, []int) (struct{}, error) { notified.Add(1); return struct{}{}, nil }
	servers := set(jsonrpc.NewServer(named("get_data"), func(context.Context, struct{}) ([]any, error) { return []any{"hello", 5}, nil }))
	for _, name := range []string{"update", "notify_hello", "notify_sum"} {
		servers = append(servers, jsonrpc.NewServer(named(name), note))
	}
	return jsonrpc.NewHandler(servers)
}

func TestTheExamplesOfTheSpecificationAreAnsweredByteForByte(t *testing.T) {
	t.Parallel()
	examples := section7(t)
	if len(examples) != 15 {
		t.Fatalf("want 15 examples, have %d", len(examples))
	}
	for _, example := range examples {
		t.Run(example.title, func(t *testing.T) {
			t.Parallel()
			var notified atomic.Int64
			w := post(exampleHandler(&notified), example.request)
			have, removed := withoutData(t, w.Body.String())
			if want := compact(example.response); want != have {
				t.Errorf("want %s\nhave %s", want, have)
			}
			if want := strings.Count(example.response, `"error"`); want != removed {
				t.Errorf("want what was wrong in the data of %d errors, have %d: %s", want, removed, w.Body)
			}
			wantCode := http.StatusOK
			if example.response == "" {
				wantCode = http.StatusNoContent
			}
			if w.Code != wantCode {
				t.Errorf("want HTTP %d, have %d", wantCode, w.Code)
			}
			wantNotified := int64(len(regexp.MustCompile(`"method": "(update|notify_)`).FindAllString(example.request, -1)))
			if notified.Load() != wantNotified {
				t.Errorf("want %d notifications carried out, have %d", wantNotified, notified.Load())
			}
		})
	}
}

// scripted returns a Conn whose server expects the requests of dialogues in order, and gives their responses. Ids are given as ours, by theirs.
func scripted(t *testing.T, ids map[string]string, script ...dialogue) *httptransport.Conn {
	t.Helper()
	ours := func(document string) string {
		for theirs, own := range ids {
			document = strings.ReplaceAll(document, `"id":`+theirs+"}", `"id":`+own+"}")
		}
		return document
	}
	return dial(t, "http://h", httptransport.DialClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		if want := ours(compact(script[0].request)); want != body.String() {
			t.Errorf("want %s\nhave %s", want, &body)
		}
		response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r}
		if script[0].response == "" {
			response.StatusCode, response.Header = http.StatusNoContent, http.Header{}
		}
		response.Body = readCloser(ours(compact(script[0].response)))
		script = script[1:]
		return response, nil
	})}))
}

func TestTheExamplesOfTheSpecificationAreSentByteForByte(t *testing.T) {
	t.Parallel()
	find := func(title string) (found []dialogue) {
		for _, d := range section7(t) {
			if d.title == title {
				found = append(found, d)
			}
		}
		return found
	}
	positional := newClient[difference, int](t, scripted(t, nil, find("rpc call with positional parameters:")...), "subtract", jsonrpc.ClientByPosition())
	for _, row := range []struct {
		request difference
		want    int
	}{{difference{42, 23}, 19}, {difference{23, 42}, -19}} {
		if have, err := positional(t.Context(), row.request); have != row.want || err != nil {
			t.Errorf("%v: want %d, have %d, %v", row.request, row.want, have, err)
		}
	}
	byName := newClient[difference, int](t, scripted(t, map[string]string{"4": "1"}, find("rpc call with named parameters:")[1]), "subtract")
	if have, err := byName(t.Context(), difference{42, 23}); have != 19 || err != nil {
		t.Errorf("by name: have %d, %v", have, err)
	}
	type reversed struct {
		Subtrahend int `json:"subtrahend"`
		Minuend    int `json:"minuend"`
	}
	inReverse := newClient[reversed, int](t, scripted(t, map[string]string{"3": "1"}, find("rpc call with named parameters:")[0]), "subtract")
	if have, err := inReverse(t.Context(), reversed{23, 42}); have != 19 || err != nil {
		t.Errorf("by name, in another order: have %d, %v", have, err)
	}
	notifications := find("a Notification:")
	update, err := jsonrpc.NewNotifier[[]int](named("update"), scripted(t, nil, notifications[0]), "/rpc")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := update(t.Context(), []int{1, 2, 3, 4, 5}); err != nil {
		t.Error(err)
	}
	foobar, err := jsonrpc.NewNotifier[struct{}](named("foobar"), scripted(t, nil, notifications[1]), "/rpc")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := foobar(t.Context(), struct{}{}); err != nil {
		t.Error(err)
	}
	missing := newClient[struct{}, int](t, scripted(t, map[string]string{`"1"`: "1"}, find("rpc call of non-existent method:")...), "foobar")
	_, err = missing(t.Context(), struct{}{})
	wantStatus(t, "a method that is not there", err, 12, "Method not found")
}

func TestTheBatchesOfTheSpecificationAreSentByteForByte(t *testing.T) {
	t.Parallel()
	examples := section7(t)
	batch := examples[13]
	batch.request = strings.Replace(batch.request, `{"foo": "boo"},`, "", 1) // which this client cannot be made to send
	batcher := newBatcher(t, scripted(t, map[string]string{`"1"`: "1", `"2"`: "2", `"5"`: "3", `"9"`: "4"}, batch, examples[14]))
	b := batcher.Batch()
	total := newMethod[[]int, int](t, "sum").Call(b, []int{1, 2, 4})
	hello := newMethod[[]int, struct{}](t, "notify_hello")
	if err := hello.Notify(b, []int{7}); err != nil {
		t.Fatal(err)
	}
	left := newMethod[difference, int](t, "subtract", jsonrpc.ClientByPosition()).Call(b, difference{42, 23})
	foo := newMethod[map[string]string, any](t, "foo.get").Call(b, map[string]string{"name": "myself"})
	data := newMethod[struct{}, []any](t, "get_data").Call(b, struct{}{})
	if err := b.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if have, err := total.Get(); have != 7 || err != nil {
		t.Errorf("sum: have %d, %v", have, err)
	}
	if have, err := left.Get(); have != 19 || err != nil {
		t.Errorf("subtract: have %d, %v", have, err)
	}
	_, err := foo.Get()
	wantStatus(t, "foo.get", err, 12, "Method not found")
	if have, err := data.Get(); !slices.Equal(have, []any{"hello", 5.0}) || err != nil {
		t.Errorf("get_data: have %v, %v", have, err)
	}
	b = batcher.Batch()
	if err := newMethod[[]int, struct{}](t, "notify_sum").Notify(b, []int{1, 2, 4}); err != nil {
		t.Fatal(err)
	}
	if err := hello.Notify(b, []int{7}); err != nil {
		t.Fatal(err)
	}
	if err := b.Do(t.Context()); err != nil {
		t.Error(err)
	}
}
