package log_test

import (
	"context"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

// What these tests look for is found by the race detector: each call tells the request log around it what it was.

func TestClientThatMakesTwoCallsAtOnceIsOneLine(t *testing.T) {
	t.Parallel()
	var out recorder
	price, stock := inprocClient(t, "Price", nil), inprocClient(t, "Stock", nil)
	both := endpoint.New(place.Client(), func(ctx context.Context, n int) (sum int, err error) {
		var (
			wg      sync.WaitGroup
			answers [2]int
			errs    [2]error
		)
		wg.Go(func() { answers[0], errs[0] = price(ctx, n) })
		wg.Go(func() { answers[1], errs[1] = stock(ctx, n) })
		wg.Wait()
		if errs[0] != nil || errs[1] != nil {
			t.Error(errs)
		}
		return answers[0] + answers[1], nil
	}, log.Middleware(&out))

	if sum, err := both(t.Context(), 2); sum != 4 || err != nil {
		t.Fatal(sum, err)
	}
	if line := out.only(t); line["transport"] != "inproc" || line["operation"] != place.Operation() || line["side"] != "client" {
		t.Errorf("have %v", line)
	}
}

func TestCallThatOutlivesItsClientDoesNotTouchTheLine(t *testing.T) {
	t.Parallel()
	var (
		out      recorder
		wg       sync.WaitGroup
		returned = make(chan struct{})
	)
	notify := inprocClient(t, "Notify", returned)
	call := endpoint.New(place.Client(), func(ctx context.Context, n int) (int, error) {
		wg.Go(func() {
			if _, err := notify(ctx, n); err != nil {
				t.Error(err)
			}
		})
		close(returned) // so that it ends while the line is written, before or after
		return n, nil
	}, log.Middleware(&out))

	if n, err := call(t.Context(), 2); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	wg.Wait()
	if line := out.only(t); line["code"] != "ok" || line["operation"] != place.Operation() {
		t.Errorf("have %v", line)
	}
}

// inprocClient returns the client of an operation that answers with its request, when wait is closed.
func inprocClient(t *testing.T, method string, wait <-chan struct{}) endpoint.Endpoint[int, int] {
	t.Helper()
	spec := endpoint.Spec{Service: "catalog", Method: method}
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, func(_ context.Context, n int) (int, error) {
		if wait != nil {
			<-wait
		}
		return n, nil
	}))
	call, err := inproc.NewClient[int, int](spec.Client(), &mux)
	if err != nil {
		t.Fatal(err)
	}
	return call
}
