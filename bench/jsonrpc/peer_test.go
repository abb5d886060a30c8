package jsonrpc_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/handler"
	"github.com/creachadair/jrpc2/jhttp"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

func named(method string) endpoint.Spec { return endpoint.Spec{Method: method} }

func TestAForeignClientCallsOurServer(t *testing.T) {
	t.Parallel()
	notes := make(chan int, 3)
	server := httptest.NewServer(jsonrpc.NewHandler([]*jsonrpc.Server{
		jsonrpc.NewServer(named("subtract"), subtract),
		jsonrpc.NewServer(named("note"), func(_ context.Context, numbers []int) (struct{}, error) { notes <- numbers[0]; return struct{}{}, nil }),
		jsonrpc.NewServer(named("fail"), func(context.Context, any) (int, error) { return 0, status.New(status.NotFound, "there is none") }),
	}))
	defer server.Close()
	client := jrpc2.NewClient(jhttp.NewChannel(server.URL, nil), nil)
	defer client.Close()
	for _, params := range []any{difference{42, 23}, []int{42, 23}} {
		var have int
		if err := client.CallResult(t.Context(), "subtract", params, &have); err != nil || have != 19 {
			t.Errorf("%v: have %d, %v", params, have, err)
		}
	}
	if err := client.Notify(t.Context(), "note", []int{7}); err != nil || <-notes != 7 {
		t.Errorf("a notification: have %v", err)
	}
	_, err := client.Call(t.Context(), "fail", []int{})
	if e, ok := errors.AsType[*jrpc2.Error](err); !ok || e.Code != -32005 || e.Message != "there is none" {
		t.Errorf("an error: have %v", err)
	}
	answers, err := client.Batch(t.Context(), []jrpc2.Spec{
		{Method: "subtract", Params: []int{5, 3}}, {Method: "note", Params: []int{8}, Notify: true}, {Method: "none"},
	})
	if err != nil || len(answers) != 2 || answers[0].ResultString() != "2" || answers[1].Error().Code != jrpc2.MethodNotFound || <-notes != 8 {
		t.Errorf("a batch: have %v, %v", answers, err)
	}
	if _, err = client.Batch(t.Context(), []jrpc2.Spec{{Method: "note", Params: []int{9}, Notify: true}}); err != nil || <-notes != 9 {
		t.Errorf("a batch of notifications: have %v", err)
	}
}

func TestOurClientCallsAForeignServer(t *testing.T) {
	t.Parallel()
	notes := make(chan int, 2)
	bridge := jhttp.NewBridge(handler.Map{
		"subtract": handler.New(subtract),
		"note":     handler.New(func(_ context.Context, numbers []int) error { notes <- numbers[0]; return nil }),
		"fail": handler.New(func(context.Context) (int, error) {
			return 0, &jrpc2.Error{Code: -31999, Message: "mine", Data: []byte(`{"a":1}`)}
		}),
	}, nil)
	defer bridge.Close()
	server := httptest.NewServer(bridge)
	defer server.Close()
	conn, err := httptransport.Dial(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if have, err := client[*difference](t, conn, "subtract")(t.Context(), &difference{42, 23}); have != 19 || err != nil {
		t.Errorf("have %d, %v", have, err)
	}
	note, err := jsonrpc.NewNotifier[[]int](named("note"), conn, "/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note(t.Context(), []int{7}); err != nil || <-notes != 7 {
		t.Errorf("a notification: have %v", err)
	}
	_, err = client[struct{}](t, conn, "fail")(t.Context(), struct{}{})
	if own, ok := errors.AsType[*jsonrpc.Error](err); !ok || own.Code != -31999 || own.Message != "mine" || string(own.Data) != `{"a":1}` {
		t.Errorf("an error: have %v", err)
	}
	if _, err = client[struct{}](t, conn, "none")(t.Context(), struct{}{}); status.CodeOf(err) != status.Unimplemented {
		t.Errorf("no such method: have %v", err)
	}
	checkBatch(t, conn, notes)
}

func checkBatch(t *testing.T, conn *httptransport.Conn, notes <-chan int) {
	t.Helper()
	batcher, err := jsonrpc.NewBatcher(named("batch"), conn, "/")
	if err != nil {
		t.Fatal(err)
	}
	method, err := jsonrpc.NewMethod[*difference, int](named("subtract"))
	if err != nil {
		t.Fatal(err)
	}
	note, err := jsonrpc.NewMethod[[]int, struct{}](named("note"))
	if err != nil {
		t.Fatal(err)
	}
	batch := batcher.Batch()
	first := method.Call(batch, &difference{5, 3})
	if err := note.Notify(batch, []int{8}); err != nil {
		t.Fatal(err)
	}
	second := method.Call(batch, &difference{3, 5})
	if err := batch.Do(t.Context()); err != nil || <-notes != 8 {
		t.Errorf("a batch: have %v", err)
	}
	for want, result := range map[int]*jsonrpc.Result[int]{2: first, -2: second} {
		if have, err := result.Get(); have != want || err != nil {
			t.Errorf("want %d, have %d, %v", want, have, err)
		}
	}
}

func client[Req any](t *testing.T, conn *httptransport.Conn, method string) endpoint.Endpoint[Req, int] {
	t.Helper()
	c, err := jsonrpc.NewClient[Req, int](named(method), conn, "/")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
