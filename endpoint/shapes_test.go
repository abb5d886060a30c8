package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// count sends the numbers from 1 to n.
var count = endpoint.FromServerStream(func(ctx context.Context, n int, send func(string) error) error {
	for i := range n {
		if err := send(strconv.Itoa(i + 1)); err != nil {
			return err
		}
	}
	return ctx.Err()
})

var sum = endpoint.FromClientStream(func(_ context.Context, requests iter.Seq2[int, error]) (string, error) {
	total := 0
	for n, err := range requests {
		if err != nil {
			return "", err
		}
		total += n
	}
	return strconv.Itoa(total), nil
})

func TestServerStream(t *testing.T) {
	t.Parallel()
	var have []string
	for message, err := range count.Receive(t.Context(), 3) {
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, message)
	}
	if want := []string{"1", "2", "3"}; !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
	for message, err := range count.Receive(t.Context(), 0) {
		t.Errorf("an empty stream: have %q, %v", message, err)
	}
}

func TestReceiveTellsHowItFailed(t *testing.T) {
	t.Parallel()
	failing := endpoint.FromServerStream(func(_ context.Context, n int, send func(string) error) error {
		if err := send(strconv.Itoa(n)); err != nil {
			return err
		}
		return io.ErrUnexpectedEOF
	})
	var have []string
	for message, err := range failing.Receive(t.Context(), 3) {
		have = append(have, fmt.Sprint(message, err))
	}
	if want := []string{"3<nil>", "unexpected EOF"}; !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestBreakingOffReceiveCancelsTheCallAndWaits(t *testing.T) {
	t.Parallel()
	var (
		ctxErr, sendErr, again error
		ended                  bool
	)
	endless := endpoint.FromServerStream(func(ctx context.Context, _ int, send func(string) error) error {
		defer func() { ended = true }()
		for sendErr == nil {
			sendErr = send("x")
		}
		ctxErr, again = ctx.Err(), send("after the end")
		return sendErr
	})
	messages := 0
	for _, err := range endless.Receive(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if messages++; messages == 3 {
			break
		}
	}
	if messages != 3 || !ended {
		t.Errorf("want 3 messages and the call ended, have %d, %t", messages, ended)
	}
	if !errors.Is(ctxErr, context.Canceled) || status.CodeOf(sendErr) != status.Canceled || status.CodeOf(again) != status.Canceled {
		t.Errorf("want the context and out canceled, have %v, %v, %v", ctxErr, sendErr, again)
	}
}

func TestClientStream(t *testing.T) {
	t.Parallel()
	if have, err := sum.Send(t.Context(), endpoint.Seq(1, 2, 3)); have != "6" || err != nil {
		t.Errorf("want 6, have %s, %v", have, err)
	}
	if have, err := sum.Send(t.Context(), endpoint.Seq[int]()); have != "0" || err != nil {
		t.Errorf("no request: want 0, have %s, %v", have, err)
	}
	broken := func(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, io.ErrUnexpectedEOF) }
	if have, err := sum.Send(t.Context(), broken); have != "" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("want the error, have %s, %v", have, err)
	}
}

func TestSendWantsOneResponse(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]status.Code{0: status.Internal, 1: status.OK, 2: status.Internal, 5: status.Internal} {
		_, err := count.Send(t.Context(), endpoint.Seq(n))
		if have := status.CodeOf(err); want != have {
			t.Errorf("%d responses: want %v, have %v", n, want, err)
		}
	}
	deaf := endpoint.FromServerStream(func(_ context.Context, _ int, send func(string) error) error {
		_, _ = send("a"), send("b")
		return nil
	})
	if _, err := deaf.Unary(t.Context(), 1); status.CodeOf(err) != status.Internal {
		t.Errorf("a Stream deaf to out's errors: want internal, have %v", err)
	}
}

func TestUnaryAsStreamAndBack(t *testing.T) {
	t.Parallel()
	e := endpoint.Endpoint[string, int](length)
	if have, err := e.Stream().Unary(t.Context(), "four"); have != 4 || err != nil {
		t.Errorf("want 4, have %d, %v", have, err)
	}
	failing := endpoint.Endpoint[string, int](func(context.Context, string) (int, error) { return 1, io.ErrUnexpectedEOF })
	sent := false
	err := failing.Stream()(t.Context(), endpoint.Seq("x"), func(int) error { sent = true; return nil })
	if !errors.Is(err, io.ErrUnexpectedEOF) || sent {
		t.Errorf("want the error and nothing sent, have %v, %t", err, sent)
	}
}

func TestTheOneRequest(t *testing.T) {
	t.Parallel()
	broken := func(yield func(int, error) bool) { yield(0, io.ErrUnexpectedEOF) }
	unary := endpoint.Endpoint[int, string](func(_ context.Context, n int) (string, error) { return strconv.Itoa(n), nil })
	for name, s := range map[string]endpoint.Stream[int, string]{"server stream": count, "unary": unary.Stream()} {
		out := func(message string) error {
			t.Errorf("%s: have %q", name, message)
			return nil
		}
		if err := s(t.Context(), endpoint.Seq[int](), out); status.CodeOf(err) != status.InvalidArgument {
			t.Errorf("%s without a request: want invalid argument, have %v", name, err)
		}
		if err := s(t.Context(), broken, out); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s with a broken one: want that error, have %v", name, err)
		}
	}
	if have, err := unary.Stream().Send(t.Context(), endpoint.Seq(1, 2, 3)); have != "1" || err != nil {
		t.Errorf("only the first is read: want 1, have %s, %v", have, err)
	}
}

// What panics in the body of a loop over Receive is the caller's, and no failure of the call.
func TestAPanicInTheLoopStaysTheCallers(t *testing.T) {
	t.Parallel()
	s := endpoint.NewStream(placeSpec.Client(), count, endpoint.Recover())
	var have any
	func() {
		defer func() { have = recover() }()
		for range s.Receive(t.Context(), 3) {
			panic("in the loop")
		}
	}()
	if want := "in the loop"; want != have {
		t.Errorf("want %q, have %v", want, have)
	}
}
