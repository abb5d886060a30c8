package ratelimit_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/status"
)

// echo sends back what it reads.
func echo(_ context.Context, in iter.Seq2[string, error], out func(string) error) error {
	for message, err := range in {
		if err != nil {
			return err
		}
		if err := out(message); err != nil {
			return err
		}
	}
	return nil
}

// stream opens a stream of those messages, and returns those that came back, and after how long.
func stream(ctx context.Context, s endpoint.Stream[string, string], messages ...string) (back []string, after []time.Duration, err error) {
	start := time.Now()
	err = s(ctx, func(yield func(string, error) bool) {
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
	}, func(m string) error {
		back, after = append(back, m), append(after, time.Since(start))
		return nil
	})
	return back, after, err
}

func TestTheOpeningOfAStreamCounts(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]*ratelimit.Gate{
		"erroring":  must(ratelimit.Erroring(rate.NewLimiter(0, 1))),
		"delaying":  must(ratelimit.Delaying(rate.NewLimiter(0, 1), ratelimit.MaxWait(1))),
		"a limiter": must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(1))))),
	} {
		s := endpoint.NewStream(spec, echo, g.Middleware)
		if back, _, err := stream(t.Context(), s, "a", "b", "c"); err != nil || len(back) != 3 {
			t.Errorf("%s: want 3 messages, have %v, %v", name, back, err)
		}
		if back, _, err := stream(t.Context(), s, "a"); status.CodeOf(err) != status.ResourceExhausted || back != nil {
			t.Errorf("%s: want it refused, have %v, %v", name, back, err)
		}
	}
}

func TestEachMessageCounts(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]*ratelimit.Gate{
		"erroring":  must(ratelimit.Erroring(rate.NewLimiter(0, 3), ratelimit.Messages())),
		"a limiter": must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(3))), ratelimit.Messages())),
	} {
		for _, side := range []endpoint.Spec{spec, spec.Client()} {
			s := endpoint.NewStream(side, echo, g.Middleware)
			back, _, err := stream(t.Context(), s)
			if back != nil || err != nil {
				t.Errorf("%s, a stream of none: have %v, %v", name, back, err)
			}
			if side.Side == endpoint.Client {
				continue // the other has taken them
			}
			back, _, err = stream(t.Context(), s, "a", "b", "c", "d")
			if status.CodeOf(err) != status.ResourceExhausted || !slices.Equal([]string{"a", "b", "c"}, back) {
				t.Errorf("%s: want three, and the fourth refused, have %v, %v", name, back, err)
			}
		}
	}
}

func TestMessagesHaveKeysAndCosts(t *testing.T) {
	t.Parallel()
	g := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(5))), ratelimit.Messages(),
		ratelimit.By(ratelimit.KeyOf(func(m string) string { return m[:1] })), ratelimit.Cost(func(m string) int { return len(m) })))
	s := endpoint.NewStream(spec, echo, g.Middleware)
	ctx, info := served(t.Context(), "", nil)
	back, _, err := stream(ctx, s, "a1234", "b1234", "b1")
	if status.CodeOf(err) != status.ResourceExhausted || len(back) != 2 {
		t.Errorf("want two, and the third refused, have %v, %v", back, err)
	}
	if have := info.Response.Get(ratelimit.HeaderRateLimit); have != "" {
		t.Errorf("want no fields, since the header may have been sent, have %s", have)
	}
}

func TestEachMessageIsDelayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := must(ratelimit.Delaying(rate.NewLimiter(10, 1), ratelimit.Messages()))
		_, after, err := stream(t.Context(), endpoint.NewStream(spec, echo, g.Middleware), "a", "b", "c")
		const tenth = time.Second / 10
		if want := []time.Duration{0, tenth, 2 * tenth}; err != nil || !slices.Equal(want, after) {
			t.Errorf("want them after %v, have %v, %v", want, after, err)
		}
	})
}

func TestMessagesWhereThereAreNone(t *testing.T) {
	t.Parallel()
	g := must(ratelimit.Erroring(rate.NewLimiter(0, 1), ratelimit.Messages()))
	if err := call(t.Context(), g.Middleware(spec, nothing)); err == nil {
		t.Error("around decoding, of no known kind: want an error")
	}
	unary := endpoint.New(spec, func(context.Context, string) (string, error) { return "", nil }, g.Middleware)
	if _, err := unary(t.Context(), ""); err != nil {
		t.Errorf("a unary call: want it to count as one message, have %v", err)
	}
	if _, err := unary(t.Context(), ""); status.CodeOf(err) != status.ResourceExhausted {
		t.Errorf("a second: want it refused, have %v", err)
	}
}
