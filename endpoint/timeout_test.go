package endpoint_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// wait waits for the end of its context, and returns how long that took.
func wait(ctx context.Context, _ string) (time.Duration, error) {
	begin := time.Now()
	<-ctx.Done()
	return time.Since(begin), ctx.Err()
}

func TestTimeoutOnlyShortens(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name                   string
		timeout, caller, wants time.Duration
	}{
		{"no deadline", time.Second, 0, time.Second},
		{"a later deadline", time.Second, time.Minute, time.Second},
		{"a sooner deadline", time.Minute, time.Second, time.Second},
		{"the same deadline", time.Second, time.Second, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			if row.caller > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, row.caller)
				defer cancel()
			}
			have, err := endpoint.New(placeSpec, wait, endpoint.Timeout(row.timeout))(ctx, "")
			if row.wants != have || status.CodeOf(err) != status.DeadlineExceeded {
				t.Errorf("%s: want %v and deadline exceeded, have %v, %v", row.name, row.wants, have, err)
			}
		})
	}
}

func TestTimeoutLeavesASoonerDeadlineUntouched(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, 1), time.Second)
	defer cancel()
	same := func(have context.Context, _ string) (bool, error) { return have == ctx, nil }
	if have, err := endpoint.New(placeSpec, same, endpoint.Timeout(time.Minute))(ctx, ""); !have || err != nil {
		t.Errorf("want the very context, have %t, %v", have, err)
	}
}

func TestTimeoutReleasesItsTimer(t *testing.T) {
	t.Parallel()
	var inner context.Context
	keep := func(ctx context.Context, _ string) (int, error) { inner = ctx; return 1, nil }
	if _, err := endpoint.New(placeSpec, keep, endpoint.Timeout(time.Hour))(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inner.Err(), context.Canceled) {
		t.Errorf("want the inner context ended with the call, have %v", inner.Err())
	}
}

// A timeout must not cut server-sent events, WebSockets and downloads.
func TestTimeoutLeavesStreams(t *testing.T) {
	t.Parallel()
	for _, kind := range []endpoint.Kind{0, endpoint.ClientStream, endpoint.ServerStream, endpoint.Bidirectional} {
		synctest.Test(t, func(t *testing.T) {
			spec := placeSpec
			spec.Kind = kind
			s := endpoint.NewStream(spec, func(ctx context.Context, _ iter.Seq2[string, error], _ func(string) error) error {
				if _, ok := ctx.Deadline(); ok {
					t.Errorf("%v: have a deadline", kind)
				}
				time.Sleep(time.Hour)
				return ctx.Err()
			}, endpoint.Timeout(time.Second))
			if err := s(t.Context(), nil, nil); err != nil {
				t.Errorf("%v: %v", kind, err)
			}
		})
	}
}
