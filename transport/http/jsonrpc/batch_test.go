package jsonrpc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

func TestABatchFillsItsResults(t *testing.T) {
	t.Parallel()
	notified := make(chan []int, 1)
	note := func(_ context.Context, numbers []int) (struct{}, error) { notified <- numbers; return struct{}{}, nil }
	none := status.New(status.NotFound, "there is none").WithReason("NONE")
	conn, _ := start(t, jsonrpc.NewHandler(set(failing(none), jsonrpc.NewServer(named("note"), note))))
	var outcome httptransport.Outcome
	batcher := newBatcher(t, conn, httptransport.ClientFinalizer(func(_ context.Context, o httptransport.Outcome) { outcome = o }))
	b := batcher.Batch()
	total := newMethod[[]int, int](t, "sum").Call(b, []int{1, 2})
	if _, err := total.Get(); !errors.Is(err, jsonrpc.ErrNotDone) {
		t.Errorf("before Do: want ErrNotDone, have %v", err)
	}
	if err := newMethod[[]int, struct{}](t, "note").Notify(b, []int{7}); err != nil {
		t.Fatal(err)
	}
	failed := newMethod[any, int](t, "fail").Call(b, nil)
	left := newMethod[*difference, int](t, "subtract").Call(b, &difference{42, 23})
	if b.Len() != 4 {
		t.Errorf("want 4 calls, have %d", b.Len())
	}
	ctx, observer := transport.Observe(t.Context())
	if err := b.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if have, err := total.Get(); have != 3 || err != nil {
		t.Errorf("sum: have %d, %v", have, err)
	}
	if have, err := left.Get(); have != 19 || err != nil {
		t.Errorf("subtract: have %d, %v", have, err)
	}
	if _, err := failed.Get(); !errors.Is(err, none) || status.As(err).Cause != nil {
		t.Errorf("fail: have %v", err)
	}
	if numbers := <-notified; len(numbers) != 1 || numbers[0] != 7 {
		t.Errorf("note: have %v", numbers)
	}
	if info := observer.Info(); info.Operation != "test/Batch" || outcome.Status != http.StatusOK || outcome.Err != nil || info.ResponseSize == 0 {
		t.Errorf("have %+v, %+v", info, outcome)
	}
	if err := b.Do(t.Context()); err == nil || err.Error() != "jsonrpc: the batch has been done; make another one" {
		t.Errorf("a second time: have %v", err)
	}
	wantPanic(t, "the batch has been done", func() { newMethod[[]int, int](t, "sum").Call(b, nil) })
	if err := batcher.Batch().Do(t.Context()); err != nil {
		t.Errorf("an empty batch: have %v", err)
	}
}

func TestARequestThatCannotBeEncodedIsLeftOutOfTheBatch(t *testing.T) {
	t.Parallel()
	conn, _ := start(t, jsonrpc.NewHandler(set()))
	b := newBatcher(t, conn).Batch()
	bad := newMethod[any, int](t, "sum")
	first := bad.Call(b, func() {})
	total := newMethod[[]int, int](t, "sum").Call(b, []int{1, 2})
	if err := bad.Notify(b, 7); !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("a notification: have %v", err)
	}
	if err := b.Do(t.Context()); err != nil || b.Len() != 1 {
		t.Fatal(err, b.Len())
	}
	_, err := first.Get()
	wantStatus(t, "the bad one", err, status.Internal, "the request to sum could not be encoded")
	if have, err := total.Get(); !errors.Is(status.As(errOf(first)).Cause, transport.ErrNotSent) || have != 3 || err != nil {
		t.Errorf("have %d, %v", have, err)
	}
}

func errOf[T any](r *jsonrpc.Result[T]) error { _, err := r.Get(); return err }

func TestTheAnswersOfABatchGoToTheirCalls(t *testing.T) {
	t.Parallel()
	answer := func(id string) string { return fmt.Sprintf(`{"jsonrpc":"2.0","result":%s,"id":%s}`, id, id) }
	nameless := `{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}`
	for _, row := range []struct {
		name, body    string
		err           string // of Do
		first, second string // errors; empty for the result, which is the id
	}{
		{"in order", "[" + answer("1") + "," + answer("2") + "]", "", "", ""},
		{"in another order", "[" + answer("2") + "," + answer("1") + "]", "", "", ""},
		{"one is missing", "[" + answer("2") + "]", "", "it has nothing about this call", ""},
		{"all are missing", "[]", "", "it has nothing about this call", "it has nothing about this call"},
		{"one without an id", "[" + answer("2") + "," + nameless + "]", "", "Invalid Request", ""},
		{"a third", "[" + answer("1") + "," + answer("3") + "]", "it has the id 3, which no call has", "", "it has the id 3"},
		{"an id as a text", "[" + answer(`"1"`) + "]", `it has the id "1", which no call has`, "the id", "the id"},
		{"an id as another number", "[" + `{"jsonrpc":"2.0","result":1,"id":01}` + "]", "invalid JSON", "invalid JSON", "invalid JSON"},
		{"an id in another form", "[" + `{"jsonrpc":"2.0","result":1,"id":1.0}` + "]", "it has the id 1.0", "the id", "the id"},
		{"one twice", "[" + answer("1") + "," + answer("1") + "]", "it has the id 1 twice", "", "it has the id 1 twice"},
		{"refused as a whole", nameless, "Invalid Request", "Invalid Request", "Invalid Request"},
		{"one result", answer("1"), "it is one result, for a batch", "one result", "one result"},
		{"no JSON", "[", "ends too early", "ends too early", "ends too early"},
	} {
		b := newBatcher(t, answering(t, 200, "application/json", row.body)).Batch()
		m := newMethod[struct{}, int](t, "n")
		results := []*jsonrpc.Result[int]{m.Call(b, struct{}{}), m.Call(b, struct{}{})}
		check := func(what, want string, err error) {
			if (err == nil) != (want == "") || err != nil && (status.As(err) == nil || !strings.Contains(status.As(err).Message, want)) {
				t.Errorf("%s, %s: want %q, have %v", row.name, what, want, err)
			}
		}
		check("Do", row.err, b.Do(t.Context()))
		for i, want := range []string{row.first, row.second} {
			have, err := results[i].Get()
			check(fmt.Sprint("call ", i+1), want, err)
			if err == nil && have != i+1 {
				t.Errorf("%s: want %d, have %d", row.name, i+1, have)
			}
		}
	}
}

func TestAServerThatIsDownFailsTheWholeBatch(t *testing.T) {
	t.Parallel()
	for _, conn := range []*httptransport.Conn{
		answering(t, 503, "text/html", ""), answering(t, 503, "application/json", `{"jsonrpc":"2.0","error":{"code":-32014,"message":"m","data":{"code":"unavailable"}},"id":null}`),
	} {
		b := newBatcher(t, conn).Batch()
		r := newMethod[struct{}, int](t, "n").Call(b, struct{}{})
		if err := b.Do(t.Context()); status.CodeOf(err) != status.Unavailable || !errors.Is(errOf(r), err) {
			t.Errorf("have %v, and %v", err, errOf(r))
		}
	}
	other := newBatcher(t, answering(t, 200, "application/json", "[]"), httptransport.ClientBefore(func(context.Context, *http.Request) context.Context {
		return context.Background()
	})).Batch()
	newMethod[struct{}, int](t, "n").Call(other, struct{}{})
	if err := other.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "a hook has given the call the context of another one") {
		t.Errorf("have %v", err)
	}
}

func TestAPanicOfTheClientsOwnIsNoResult(t *testing.T) {
	t.Parallel()
	conn := answering(t, 200, "application/json", `[{"jsonrpc":"2.0","result":{},"id":1},{"jsonrpc":"2.0","result":{},"id":2}]`)
	for name, opt := range map[string]httptransport.ClientOption{
		"a hook": httptransport.ClientBefore(func(context.Context, *http.Request) context.Context { boom(); return nil }),
		"decode": httptransport.ClientMaxResponse(100),
	} {
		b := newBatcher(t, conn, opt).Batch()
		first, second := newMethod[struct{}, bomb](t, "bomb").Call(b, struct{}{}), newMethod[struct{}, any](t, "any").Call(b, struct{}{})
		wantPanic(t, "hunter2", func() { _ = b.Do(t.Context()) })
		if !errors.Is(errOf(first), jsonrpc.ErrNotDone) || !errors.Is(errOf(second), jsonrpc.ErrNotDone) {
			t.Errorf("%s: have %v and %v", name, errOf(first), errOf(second))
		}
	}
}

func TestABatchLongerThanTheServerTakesIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	conn, _ := start(t, jsonrpc.NewHandler(set(), jsonrpc.HandlerMaxBatch(1)))
	b := newBatcher(t, conn).Batch()
	m := newMethod[[]int, int](t, "sum")
	r := m.Call(b, nil)
	m.Call(b, nil)
	err := b.Do(t.Context())
	if e := status.As(err); e == nil || e.Reason != "BATCH_TOO_LONG" || !errors.Is(errOf(r), err) {
		t.Errorf("have %v", err)
	}
	notes := newBatcher(t, conn).Batch()
	for range 2 {
		if err := m.Notify(notes, nil); err != nil {
			t.Error(err)
		}
	}
	if e := status.As(notes.Do(t.Context())); e == nil || e.Reason != "BATCH_TOO_LONG" {
		t.Errorf("notifications: have %v", e)
	}
}
