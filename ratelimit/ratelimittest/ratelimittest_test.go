package ratelimittest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/ratelimit/ratelimittest"
)

// take is a Limiter that is a function.
type take func(ctx context.Context, key string, n int) (ratelimit.Decision, error)

func (t take) Take(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
	return t(ctx, key, n)
}

func sound(limit ratelimit.Limit) ratelimit.Limiter {
	l, err := ratelimit.New(limit)
	if err != nil {
		panic(err)
	}
	return l
}

// breakage is a limiter that is broken in one way.
type breakage struct {
	name   string
	notice []string // the checks that must fail
	broken func(limit ratelimit.Limit) ratelimit.Limiter
}

// answers is a limiter that decides soundly, and says something else.
func answers(change func(d *ratelimit.Decision, n int)) func(ratelimit.Limit) ratelimit.Limiter {
	return func(limit ratelimit.Limit) ratelimit.Limiter {
		next := sound(limit)
		return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
			d, err := next.Take(ctx, key, n)
			if err == nil {
				change(&d, n)
			}
			return d, err
		})
	}
}

// asks is a limiter that asks a sound one for something else.
func asks(change func(key string, n int) (string, int)) func(ratelimit.Limit) ratelimit.Limiter {
	return func(limit ratelimit.Limit) ratelimit.Limiter {
		next := sound(limit)
		return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
			key, n = change(key, n)
			return next.Take(ctx, key, n)
		})
	}
}

// other is a limiter of another limit that claims to be of this one.
func other(change func(limit *ratelimit.Limit)) func(ratelimit.Limit) ratelimit.Limiter {
	return func(limit ratelimit.Limit) ratelimit.Limiter {
		changed := limit
		change(&changed)
		next := sound(changed)
		return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
			if err := limit.CheckCost(n); err != nil {
				return ratelimit.Decision{}, err
			}
			if n > changed.Capacity() {
				return ratelimit.Decision{Limit: limit, RetryAfter: limit.Period, Reset: limit.Period}, nil
			}
			d, err := next.Take(ctx, key, n)
			d.Limit, d.Remaining = limit, min(d.Remaining, limit.Capacity()-n)
			return d, err
		})
	}
}

func breakages() []breakage {
	return []breakage{
		{"refuses all", []string{"Begins"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			return take(func(context.Context, string, int) (ratelimit.Decision, error) {
				return ratelimit.Decision{Limit: limit, RetryAfter: time.Second, Reset: time.Second}, nil
			})
		}},
		{"allows all", []string{"CountsDown", "AtOnce", "Rate"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			return take(func(_ context.Context, _ string, n int) (ratelimit.Decision, error) {
				return ratelimit.Decision{Limit: limit, Allowed: true, Remaining: limit.Capacity() - n}, nil
			})
		}},
		{"fails", []string{"Begins", "Ended"}, func(ratelimit.Limit) ratelimit.Limiter {
			return take(func(context.Context, string, int) (ratelimit.Decision, error) {
				return ratelimit.Decision{}, errors.New("out of order")
			})
		}},
		{"has one fewer", []string{"Begins", "CountsDown", "Fractions"}, other(func(l *ratelimit.Limit) { l.Burst = max(l.Capacity()-1, 1) })},
		{"has one more", []string{"CountsDown", "AtOnce", "Bursts", "Fractions"}, other(func(l *ratelimit.Limit) { l.Burst = l.Capacity() + 1 })},
		{"ignores bursts", []string{"Bursts"}, other(func(l *ratelimit.Limit) { l.Burst = 0 })},
		{"is too fast", []string{"Rate", "Reset"}, other(func(l *ratelimit.Limit) { l.Period /= 2 })},
		{"is too slow", []string{"Rate", "Reset"}, other(func(l *ratelimit.Limit) { l.Period *= 2 })},
		{"is a hundredth too fast", []string{"Reset"}, other(func(l *ratelimit.Limit) { l.Period -= l.Period / 100 })},
		{"charges for refusals", []string{"AllOrNothing"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				d, err := next.Take(ctx, key, n)
				if err == nil && !d.Allowed {
					_, _ = next.Take(ctx, key, d.Remaining)
				}
				return d, err
			})
		}},
		{"gives a part", []string{"AllOrNothing", "Rate"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				d, err := next.Take(ctx, key, n)
				if err == nil && !d.Allowed {
					return next.Take(ctx, key, d.Remaining)
				}
				return d, err
			})
		}},
		{"charges for looking", []string{"Looks"}, asks(func(key string, n int) (string, int) {
			if n == 0 {
				n = 1
			}
			return key, n
		})},
		{"counts calls, not events", []string{"AllOrNothing", "Reset"}, asks(func(key string, n int) (string, int) { return key, min(n, 1) })},
		{"gives back for less than nothing", []string{"Costs"}, asks(func(key string, n int) (string, int) { return key, max(n, 0) })},
		{"refuses what it never has", []string{"Costs"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				d, err := next.Take(ctx, key, n)
				if n > limit.Capacity() {
					return ratelimit.Decision{Limit: limit, RetryAfter: time.Second, Reset: time.Second}, nil
				}
				return d, err
			})
		}},
		{"decides and fails", []string{"Costs"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				d, err := next.Take(ctx, key, n)
				d.Allowed = d.Allowed || err != nil
				return d, err
			})
		}},
		{"has one bucket for all", []string{"Keys"}, asks(func(_ string, n int) (string, int) { return "", n })},
		{"cuts keys", []string{"Keys"}, asks(func(key string, n int) (string, int) { return key[:min(len(key), 64)], n })},
		{"trims keys", []string{"Keys"}, asks(func(key string, n int) (string, int) { return strings.TrimSpace(key), n })},
		{"does not know case", []string{"Keys"}, asks(func(key string, n int) (string, int) { return strings.ToLower(key), n })},
		{"hashes tags alone", []string{"Keys"}, asks(func(key string, n int) (string, int) { return strings.Trim(key, "{}"), n })},
		{"comes back early", []string{"RetryAfter"}, answers(func(d *ratelimit.Decision, _ int) { d.RetryAfter -= d.RetryAfter / 10 })},
		{"comes back late", []string{"RetryAfter"}, answers(func(d *ratelimit.Decision, _ int) {
			d.RetryAfter *= 3
			d.Reset = max(d.Reset, d.RetryAfter)
		})},
		{"says no RetryAfter", []string{"CountsDown", "RetryAfter"}, answers(func(d *ratelimit.Decision, _ int) { d.RetryAfter = 0 })},
		{"always says RetryAfter", []string{"Begins"}, answers(func(d *ratelimit.Decision, _ int) { d.RetryAfter = max(d.RetryAfter, time.Second) })},
		{"resets early", []string{"Reset"}, answers(func(d *ratelimit.Decision, _ int) { d.Reset = max(d.Reset/2, d.RetryAfter) })},
		{"is rough", []string{"Reset"}, answers(func(d *ratelimit.Decision, _ int) { d.Reset = d.Reset.Round(time.Second) + d.RetryAfter })},
		{"counts from the wrong end", []string{"Begins", "CountsDown"}, answers(func(d *ratelimit.Decision, _ int) {
			d.Remaining = d.Limit.Capacity() - d.Remaining
		})},
		{"says what was there before", []string{"CountsDown"}, answers(func(d *ratelimit.Decision, n int) {
			if d.Allowed {
				d.Remaining += n
			}
		})},
		{"says no limit", []string{"Begins"}, answers(func(d *ratelimit.Decision, _ int) { d.Limit = ratelimit.Limit{} })},
		{"looks, and then takes", []string{"AtOnce"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				d, err := next.Take(ctx, key, 0)
				if err != nil || d.Remaining < n || limit.CheckCost(n) != nil {
					return next.Take(ctx, key, n)
				}
				<-time.After(1) // others come in between
				if taken, err := next.Take(ctx, key, n); err != nil || taken.Allowed {
					return taken, err
				}
				d.Remaining -= n
				return d, nil
			})
		}},
		{"saves up", []string{"NoMoreThanCapacity"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			saved, last := map[string]float64{}, time.Now()
			var mu sync.Mutex
			base := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				mu.Lock()
				defer mu.Unlock()
				d, err := base.Take(ctx, key, n)
				saved[key] += time.Since(last).Seconds()
				last = time.Now()
				if err == nil && !d.Allowed && saved[key] > 2 {
					saved[key]--
					return ratelimit.Decision{Allowed: true, Limit: limit, Reset: d.Reset}, nil
				}
				return d, err
			})
		}},
		{"gives all back together", []string{"Evenly"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			q, err := ratelimit.NewQuota(limit.Events, ratelimit.Every(limit.Period))
			if err != nil {
				panic(err)
			}
			return q
		}},
		{"waits", []string{"CountsDown"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				for {
					d, err := next.Take(ctx, key, n)
					if err != nil || d.Allowed {
						return d, err
					}
					select {
					case <-ctx.Done():
						return ratelimit.Decision{}, ctx.Err()
					case <-time.After(time.Minute):
					}
				}
			})
		}},
		{"hides the end of ctx", []string{"Ended"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				if ctx.Err() != nil {
					return ratelimit.Decision{}, errors.New("no connection")
				}
				return next.Take(ctx, key, n)
			})
		}},
		{"takes for one that has ended", []string{"Ended"}, func(limit ratelimit.Limit) ratelimit.Limiter {
			next := sound(limit)
			return take(func(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
				d, err := next.Take(ctx, key, n)
				if ctx.Err() != nil {
					return ratelimit.Decision{}, ctx.Err()
				}
				return d, err
			})
		}},
		{"rounds", []string{"Large"}, other(func(l *ratelimit.Limit) { l.Burst = l.Capacity() - l.Capacity()/1000 })},
	}
}

func violated(broken func(ratelimit.Limit) ratelimit.Limiter) (names []string, text string) {
	err := ratelimittest.Test(ratelimittest.Harness{
		New: func(limit ratelimit.Limit) (ratelimit.Limiter, error) { return broken(limit), nil },
	})
	var all interface{ Unwrap() []error }
	if errors.As(err, &all) {
		for _, e := range all.Unwrap() {
			if v, ok := errors.AsType[*ratelimittest.Violation](e); ok {
				names = append(names, v.Check)
			}
		}
	}
	return names, fmt.Sprint(err)
}

func (b *breakage) isNoticed(t *testing.T) {
	t.Helper()
	have, text := violated(b.broken)
	for _, want := range b.notice {
		if !slices.Contains(have, want) {
			t.Errorf("want %s to fail, have %v:\n%s", want, have, text)
		}
	}
}

func TestEachBreakageIsNoticed(t *testing.T) {
	t.Parallel()
	for _, b := range breakages() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { b.isNoticed(t) })
		})
	}
}

func TestEachCheckNoticesSomeBreakage(t *testing.T) {
	t.Parallel()
	noticed := map[string]bool{}
	for _, b := range breakages() {
		for _, name := range b.notice {
			noticed[name] = true
		}
	}
	for _, name := range ratelimittest.Checks() {
		if !noticed[name] {
			t.Errorf("no breakage is there for %s", name)
		}
	}
}

func TestASoundLimiterPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if names, text := violated(sound); names != nil {
			t.Error(text)
		}
	})
}

func TestAHarnessThatCannotBe(t *testing.T) {
	t.Parallel()
	made := func(limit ratelimit.Limit) (ratelimit.Limiter, error) { return sound(limit), nil }
	for _, h := range []ratelimittest.Harness{
		{}, {New: made, Period: -1}, {New: made, Precision: -1}, {New: made, Precision: 2 * time.Second},
		{New: func(ratelimit.Limit) (ratelimit.Limiter, error) { return nil, errors.New("no server") }},
	} {
		if ratelimittest.Test(h) == nil {
			t.Errorf("%+v: want an error", h)
		}
	}
}
