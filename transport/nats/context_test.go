package natstransport_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// Go kit's server has a background context without one.
func TestTheDeadlineCrosses(t *testing.T) {
	t.Parallel()
	call := unary(t, func(ctx context.Context, _ *number) (*number, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			return &number{-1}, nil
		}
		return &number{int(time.Until(deadline).Milliseconds())}, nil
	}, nil)
	if have, err := call(t.Context(), &number{}); err != nil || have.N != -1 {
		t.Errorf("without a deadline: want none, have %v, %v", have, err)
	}
	for _, d := range []time.Duration{time.Minute, 2 * time.Hour} {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		have, err := call(ctx, &number{})
		cancel()
		left := time.Duration(have.N) * time.Millisecond
		if err != nil || left > d || left < d-limit {
			t.Errorf("want about %v, have %v, %v", d, left, err)
		}
	}
}

// waiting is an endpoint that returns when its context ends, and says why.
func waiting() (began chan struct{}, ended chan error, e func(context.Context, *number) (*number, error)) {
	began, ended = make(chan struct{}, 1), make(chan error, 1)
	return began, ended, func(ctx context.Context, _ *number) (*number, error) {
		began <- struct{}{}
		<-ctx.Done()
		ended <- errors.Join(ctx.Err(), context.Cause(ctx))
		return nil, ctx.Err()
	}
}

func TestBothSidesSeeTheDeadline(t *testing.T) {
	t.Parallel()
	began, ended, e := waiting()
	call := unary(t, e, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := call(ctx, &number{}); status.CodeOf(err) != status.DeadlineExceeded {
		t.Errorf("want deadline_exceeded, have %v", err)
	}
	wait(t, began, "the endpoint")
	if err := wait(t, ended, "the end of the server's context"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("server: want the deadline, have %v", err)
	}
}

func TestTheServerSeesThatTheClientGivesUp(t *testing.T) {
	t.Parallel()
	began, ended, e := waiting()
	call := unary(t, e, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-began
		cancel()
	}()
	if _, err := call(ctx, &number{}); status.CodeOf(err) != status.Canceled || errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want canceled, and not that it was not sent, have %v", err)
	}
	if err := wait(t, ended, "the end of the server's context"); !errors.Is(err, context.Canceled) || status.As(err) == nil {
		t.Errorf("server: want canceled with the reason as its cause, have %v", err)
	}
}

// Which instance serves a call the client does not know. All are told, and one knows the call.
func TestTheRightInstanceSeesThatTheClientGivesUp(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	began, ended, e := waiting()
	for range 3 {
		b.serve(natstransport.NewServer(unarySpec, e))
	}
	call := client[*number, *number](t, b.conn())
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := call(ctx, &number{})
			done <- err
		}()
		wait(t, began, "the endpoint")
		cancel()
		if err := wait(t, ended, "the end of the server's context"); !errors.Is(err, context.Canceled) {
			t.Errorf("want canceled, have %v", err)
		}
		if err := wait(t, done, "the call"); status.CodeOf(err) != status.Canceled {
			t.Errorf("want canceled, have %v", err)
		}
	}
}

// What cancels a request comes on another subscription, and may overtake it.
func TestACancellationMayComeFirst(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	began, ended, e := waiting()
	b.serve(natstransport.NewServer(unarySpec, e))
	nc := b.connect()
	reply := nc.NewInbox()
	if err := nc.Publish(natstransport.CancelSubject("numbers.Double"), []byte(reply)); err != nil {
		t.Fatal(err)
	}
	for range 1000 { // of other calls, and too many to be kept
		if err := nc.Publish(natstransport.CancelSubject("numbers.Double"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := nc.Request("nobody", nil, limit); !errors.Is(err, nats.ErrNoResponders) { // a round trip, so that they have come
		t.Fatal(err)
	}
	if err := nc.PublishRequest("numbers.Double", reply, []byte(`{"N":1}`)); err != nil {
		t.Fatal(err)
	}
	wait(t, began, "the endpoint")
	if err := wait(t, ended, "the end of the server's context"); !errors.Is(err, context.Canceled) {
		t.Errorf("want canceled, have %v", err)
	}
}

func TestACallWhoseContextHasEndedIsNotSent(t *testing.T) {
	t.Parallel()
	call := unary(t, func(context.Context, *number) (*number, error) {
		t.Error("the server was called")
		return &number{}, nil
	}, nil)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	for want, ctx := range map[status.Code]context.Context{status.Canceled: canceled, status.DeadlineExceeded: late} {
		if _, err := call(ctx, &number{}); status.CodeOf(err) != want || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("want %v and not sent, have %v", want, err)
		}
	}
}

// What a context has ended with does not change.
func TestTheDeadlineIsTheErrorForGood(t *testing.T) {
	t.Parallel()
	kept := make(chan context.Context, 1)
	call := unary(t, func(ctx context.Context, _ *number) (*number, error) {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil { // and its channel is not asked for
			<-tick.C
		}
		kept <- ctx
		return &number{}, nil
	}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := call(ctx, &number{}); err != nil && status.CodeOf(err) != status.DeadlineExceeded { // whichever comes first
		t.Errorf("want an answer or deadline_exceeded, have %v", err)
	}
	served := wait(t, kept, "the context")
	wait(t, served.Done(), "its end")
	for range 100 {
		if err := served.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("want the deadline, have %v", err)
		}
		runtime.Gosched()
	}
}

// The context of a call behaves as every other, whether its channel is asked for or not.
func TestTheContextOfACall(t *testing.T) {
	t.Parallel()
	type key struct{}
	kept := make(chan context.Context, 1)
	call := unary(t, func(ctx context.Context, _ *number) (*number, error) {
		if err := ctx.Err(); err != nil {
			t.Errorf("want no error, have %v", err)
		}
		child, cancel := context.WithCancel(context.WithValue(ctx, key{}, 1))
		defer cancel()
		select {
		case <-child.Done():
			t.Error("the context has ended")
		default:
		}
		kept <- ctx
		return &number{}, nil
	}, nil)
	if _, err := call(deadline(t), &number{}); err != nil {
		t.Fatal(err)
	}
	ctx := wait(t, kept, "the context")
	wait(t, ctx.Done(), "its end with the call")
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("want canceled, have %v", ctx.Err())
	}
}
