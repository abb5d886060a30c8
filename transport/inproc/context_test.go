package inproc_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func TestTheServersContextHasTheDeadlineAndNoValues(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, 1), time.Hour)
	defer cancel()
	ctx, _ = transport.Observe(ctx)
	want, _ := ctx.Deadline()
	for name, opts := range map[string][]inproc.ClientOption{"as it is": nil, "copied": {inproc.ClientCopy(json.New())}} {
		call := unary(t, func(ctx context.Context, request *number) (*number, error) {
			if have, ok := ctx.Deadline(); !ok || !want.Equal(have) {
				t.Errorf("%s: deadline: want %v, have %v", name, want, have)
			}
			if ctx.Value(key{}) != nil || transport.Observed(ctx) || forwards(ctx) {
				t.Errorf("%s: the client's values have crossed", name)
			}
			if ctx.Err() != nil {
				t.Errorf("%s: ended too soon: %v", name, ctx.Err())
			}
			return request, nil
		}, nil, opts...)
		if _, err := call(transport.WithHeader(ctx, "X-A", "1"), &number{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var errCause = errors.New("a cause of the client's")

func TestTheServersContextEndsWithTheClients(t *testing.T) {
	t.Parallel()
	type key struct{}
	for _, row := range []struct {
		name string
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		{"cancel", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			return ctx, func() { cancel(errCause) }
		}, context.Canceled},
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, context.DeadlineExceeded},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, cancel := row.end(t.Context())
			defer cancel()
			call := unary(t, func(ctx context.Context, _ *number) (*number, error) {
				below, stop := context.WithTimeout(context.WithValue(ctx, key{}, 1), time.Hour)
				defer stop()
				if row.want == context.Canceled { //nolint:errorlint // identity is meant
					cancel()
				}
				<-below.Done()
				<-ctx.Done()
				if !errors.Is(ctx.Err(), row.want) || !errors.Is(below.Err(), row.want) {
					t.Errorf("%s: want %v, have %v and below %v", row.name, row.want, ctx.Err(), below.Err())
				}
				if errors.Is(context.Cause(below), errCause) {
					t.Errorf("%s: the cause has crossed", row.name)
				}
				return nil, ctx.Err()
			}, nil)
			if _, err := call(client, &number{}); !errors.Is(err, row.want) || status.As(err) == nil {
				t.Errorf("%s: want a status like %v, have %v", row.name, row.want, err)
			}
		})
	}
}

// As over a network, a call ends no later than its caller's context, whatever the server answered after that.
func TestALateAnswerIsTooLate(t *testing.T) {
	t.Parallel()
	for name, serverErr := range map[string]error{"a response": nil, "an error": status.New(status.NotFound, "no")} {
		synctest.Test(t, func(t *testing.T) {
			var outcome inproc.Outcome
			call := unary(t, func(_ context.Context, request *number) (*number, error) {
				time.Sleep(time.Minute)
				return request, serverErr
			}, []inproc.ServerOption{inproc.ServerFinalizer(func(_ context.Context, o inproc.Outcome) { outcome = o })})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if have, err := call(ctx, &number{}); status.CodeOf(err) != status.DeadlineExceeded || have != nil {
				t.Errorf("%s: want deadline exceeded, have %v, %v", name, have, err)
			}
			if !errors.Is(outcome.Err, serverErr) {
				t.Errorf("%s: the server: want %v, have %v", name, serverErr, outcome.Err)
			}
		})
	}
}

func TestTheServersContextEndsWithTheCall(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{false, true} {
		var kept context.Context
		ended := make(chan struct{})
		call := unary(t, func(ctx context.Context, request *number) (*number, error) {
			kept = ctx
			if asked {
				context.AfterFunc(ctx, func() { close(ended) })
			}
			return request, nil
		}, nil)
		if _, err := call(t.Context(), &number{}); err != nil {
			t.Fatal(err)
		}
		<-kept.Done()
		if !errors.Is(kept.Err(), context.Canceled) {
			t.Errorf("asked for before: %t: want canceled, have %v", asked, kept.Err())
		}
		if asked {
			<-ended
		}
	}
}

//nolint:paralleltest // goroutines are counted for the whole process
func TestContextsBelowTheServersStartNoGoroutine(t *testing.T) {
	type key struct{}
	before := runtime.NumGoroutine()
	call := unary(t, func(ctx context.Context, request *number) (*number, error) {
		ctx = context.WithValue(ctx, key{}, 1)
		for range 100 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithValue(ctx, key{}, 2), time.Hour)
			defer cancel()
		}
		if have := runtime.NumGoroutine(); have > before {
			t.Errorf("want the %d goroutines of before, have %d", before, have)
		}
		return request, ctx.Err()
	}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := call(ctx, &number{}); err != nil {
		t.Fatal(err)
	}
}

func TestAnEndedContextMakesNoCall(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, stop := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer stop()
	for name, row := range map[string]struct {
		ctx  context.Context
		want status.Code
	}{
		"canceled":                {canceled, status.Canceled},
		"expired":                 {expired, status.DeadlineExceeded},
		"expired, its timer late": {lateTimer{t.Context()}, status.DeadlineExceeded},
	} {
		finalized := status.OK
		called := inproc.ServerBefore(func(ctx context.Context) context.Context {
			t.Errorf("%s: the server was called", name)
			return ctx
		})
		final := inproc.ClientFinalizer(func(_ context.Context, o inproc.Outcome) { finalized = status.CodeOf(o.Err) })
		_, err := unary(t, double, []inproc.ServerOption{called}, final)(row.ctx, &number{})
		if status.CodeOf(err) != row.want || !errors.Is(err, transport.ErrNotSent) || finalized != row.want {
			t.Errorf("%s: want %v, not sent; have %v, finalized %v", name, row.want, err, finalized)
		}
		err = stream(t, echo, []inproc.ServerOption{called}, final)(row.ctx, nil, nil)
		if status.CodeOf(err) != row.want || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: stream: want %v, not sent; have %v", name, row.want, err)
		}
	}
}

// lateTimer is a context whose deadline is over and whose timer has yet to fire.
type lateTimer struct{ context.Context }

func (lateTimer) Deadline() (time.Time, bool) { return time.Now().Add(-time.Nanosecond), true }

// A goroutine that asks for Done while the call ends sees the end, whichever is first.
func TestDoneAndTheEndOfTheCallRace(t *testing.T) {
	t.Parallel()
	for range 200 {
		seen := make(chan struct{})
		call := unary(t, func(ctx context.Context, request *number) (*number, error) {
			go func() {
				<-ctx.Done()
				close(seen)
			}()
			return request, nil
		}, nil)
		if _, err := call(t.Context(), &number{}); err != nil {
			t.Fatal(err)
		}
		<-seen
	}
}

// forwards reports whether calls made with ctx carry a header field.
func forwards(ctx context.Context) bool {
	header := transport.HeaderMap{}
	transport.SetOutgoing(ctx, header)
	return len(header) > 0
}
