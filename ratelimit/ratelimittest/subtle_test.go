package ratelimittest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/ratelimit/ratelimittest"
)

// changes is a limiter that has a sound one to go on.
func changes(with func(next take, limit ratelimit.Limit) take) func(ratelimit.Limit) ratelimit.Limiter {
	return func(limit ratelimit.Limit) ratelimit.Limiter { return with(sound(limit).Take, limit) }
}

// subtleties are limiters that are broken in one small way, which one check only is there for.
func subtleties() []breakage {
	return []breakage{
		{"is full, and says that it will be", []string{"Begins"}, answers(func(d *ratelimit.Decision, _ int) {
			if d.Remaining == d.Limit.Capacity() {
				d.Reset = time.Second
			}
		})},
		{"says one too few", []string{"CountsDown"}, answers(func(d *ratelimit.Decision, n int) {
			if n == 1 {
				d.Remaining = max(0, d.Remaining-1)
			}
		})},
		{"says one too many", []string{"CountsDown"}, answers(func(d *ratelimit.Decision, n int) {
			if n == 1 && d.Allowed {
				d.Remaining = min(d.Remaining+1, d.Limit.Capacity()-1)
			}
		})},
		{"is full again before the time to wait", []string{"CountsDown"}, answers(func(d *ratelimit.Decision, _ int) {
			if !d.Allowed {
				d.Reset = d.RetryAfter / 2
			}
		})},
		{"refuses what it says is there", []string{"CountsDown"}, answers(func(d *ratelimit.Decision, _ int) {
			if !d.Allowed {
				d.Remaining = d.Limit.Capacity()
			}
		})},
		{"has less than none", []string{"CountsDown"}, answers(func(d *ratelimit.Decision, _ int) {
			if !d.Allowed {
				d.Remaining = -1
			}
		})},
		{"has more than there is", []string{"Looks"}, answers(func(d *ratelimit.Decision, n int) {
			if n == 0 {
				d.Remaining = d.Limit.Capacity() + 1
			}
		})},
		{"has all that was taken", []string{"AllOrNothing"}, answers(func(d *ratelimit.Decision, n int) {
			if n > 1 && d.Allowed {
				d.Remaining = d.Limit.Capacity()
			}
		})},
		{"names another cost", []string{"Costs"}, changes(func(next take, limit ratelimit.Limit) take {
			return func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				if limit.CheckCost(n) != nil {
					return ratelimit.Decision{}, &ratelimit.CostError{Cost: n + 1, Limit: limit}
				}
				return next(ctx, key, n)
			}
		})},
		{"gives all back for a cost that is none", []string{"Costs"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next, bad := sound(limit), ""
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				if limit.CheckCost(n) != nil {
					bad += "!"
				}
				return next.Take(ctx, key+bad, n)
			})
		}},
		{"forgets a key", []string{"Keys"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next, times := sound(limit), ""
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				if key == "B" {
					times += "!"
					key += times
				}
				return next.Take(ctx, key, n)
			})
		}},
		{"refuses those that come in between", []string{"AtOnce"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			var mu sync.Mutex
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				if !mu.TryLock() {
					return ratelimit.Decision{Limit: limit, RetryAfter: limit.Fill(1), Reset: limit.Fill(limit.Capacity())}, nil
				}
				defer mu.Unlock()
				<-time.After(1)
				return next.Take(ctx, key, n)
			})
		}},
		{"decides beside the end of ctx", []string{"Ended"}, changes(func(next take, limit ratelimit.Limit) take {
			return func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				if ctx.Err() != nil {
					return ratelimit.Decision{Limit: limit}, ctx.Err()
				}
				return next(ctx, key, n)
			}
		})},
		{"allows what has ended, by no limit", []string{"Ended"}, changes(func(next take, _ ratelimit.Limit) take {
			return func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				if ctx.Err() != nil {
					return ratelimit.Decision{Allowed: true}, nil //nolint:nilerr // which is the breakage
				}
				return next(ctx, key, n)
			}
		})},
		{"is full later than it says", []string{"Reset"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			slow := sound(ratelimit.Limit{Events: limit.Events, Period: 2 * limit.Period, Burst: limit.Burst})
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				d, err := slow.Take(ctx, key, n)
				if err == nil {
					d.Limit, d.Reset = limit, max(d.Reset/2, d.RetryAfter)
				}
				return d, err
			})
		}},
		{"gives back two by two", []string{"Evenly"}, changes(func(next take, _ ratelimit.Limit) take {
			return func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				if d, err := next(ctx, key, 0); n != 1 || err != nil || d.Remaining > 1 || d.Limit.Capacity() < 2 {
					return next(ctx, key, n)
				}
				d, err := next(ctx, key, 2)
				if d.Allowed || d.Reset < d.Limit.Fill(d.Limit.Capacity()-1) {
					return next(ctx, key, n)
				}
				d.Remaining = 0
				return d, err
			}
		})},
	}
}

func TestEachSubtletyIsNoticed(t *testing.T) {
	t.Parallel()
	for _, b := range subtleties() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { b.isNoticed(t) })
		})
	}
}

// TestAnErrorHasNoDecisionBesideIt is what every check wants, and says.
func TestAnErrorHasNoDecisionBesideIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := ratelimittest.Test(ratelimittest.Harness{New: func(limit ratelimit.Limit) (ratelimit.Limiter, error) {
			return take(func(context.Context, string, int) (ratelimit.Decision, error) {
				return ratelimit.Decision{Limit: limit}, errors.New("out of order")
			}), nil
		}})
		if err == nil || !strings.Contains(err.Error(), "beside it: want the zero value") {
			t.Errorf("want a decision beside an error to be told of, have %v", err)
		}
	})
}
