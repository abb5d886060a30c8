package ratelimittest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
)

// tooLong is how long one Take may take.
const tooLong = 30 * time.Second

// taker takes from a new limiter, and looks at every decision.
type taker struct {
	harness *Harness
	limiter ratelimit.Limiter
	limit   ratelimit.Limit
	start   time.Time // nothing was taken before

	mu    sync.Mutex
	taken int // of the key "a"
}

func (h *Harness) taker(limit ratelimit.Limit) (*taker, error) {
	limiter, err := h.New(limit)
	if err != nil {
		return nil, fmt.Errorf("a new limiter of %v: %w", limit, err)
	}
	t := &taker{harness: h, limiter: limiter, limit: limit}
	if h.Window { // begin with a new period
		d, err := t.take("another", 1)
		if err != nil {
			return nil, err
		}
		pause(d.Reset)
	}
	t.start = time.Now()
	return t, nil
}

// ten returns a taker of ten events in a Period.
func (h *Harness) ten() (*taker, error) {
	return h.taker(ratelimit.Limit{Events: 10, Period: h.Period})
}

// take takes n of the key, and checks what every decision has to be like.
func (t *taker) take(key string, n int) (ratelimit.Decision, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	d, err := t.limiter.Take(ctx, key, n)
	if err != nil {
		if d != (ratelimit.Decision{}) {
			return d, fmt.Errorf("taking %d: the error %w, and the decision %+v beside it: want the zero value", n, err, d)
		}
		return d, fmt.Errorf("taking %d: %w", n, err)
	}
	if key == "a" && d.Allowed {
		t.mu.Lock()
		t.taken += n
		t.mu.Unlock()
	}
	return d, t.sound(d, n)
}

// sound says what is wrong with a decision whatever came before.
func (t *taker) sound(d ratelimit.Decision, n int) error {
	var wrong string
	switch {
	case d.Limit.Events != t.limit.Events || d.Limit.Capacity() != t.limit.Capacity() || d.Limit.Period != t.limit.Period:
		wrong = fmt.Sprintf("want the limit of %v", t.limit)
	case d.Remaining < 0 || d.Remaining > t.limit.Capacity():
		wrong = fmt.Sprintf("want a Remaining from 0 to %d", t.limit.Capacity())
	case d.Allowed && d.RetryAfter != 0:
		wrong = "want no RetryAfter with what is allowed"
	case d.Allowed && n > 0 && d.Remaining > t.limit.Capacity()-n:
		wrong = fmt.Sprintf("want a Remaining of at most %d", t.limit.Capacity()-n)
	case !d.Allowed && d.RetryAfter <= 0:
		wrong = "want a RetryAfter with what is refused"
	case !d.Allowed && d.RetryAfter > d.Reset:
		wrong = "want a RetryAfter of at most Reset, when all is there"
	case !d.Allowed && d.Remaining >= n:
		wrong = fmt.Sprintf("want a Remaining of less than %d with what is refused", n)
	default:
		return nil
	}
	return fmt.Errorf("taking %d: the decision is %+v: %s", n, d, wrong)
}

// must takes n of the key, which have to be there.
func (t *taker) must(key string, n int) (d ratelimit.Decision, err error) {
	if d, err = t.take(key, n); err == nil && !d.Allowed {
		err = fmt.Errorf("taking %d of the key %.20q: want them allowed, have %+v", n, key, d)
	}
	return d, err
}

// all takes all of the Capacity of the key, and fails if that is not there.
func (t *taker) all(key string) error {
	_, err := t.must(key, t.limit.Capacity())
	return err
}

// mustNot takes n of the key "a", which must not be there: only so many can have come back since the start. In real time they may.
func (t *taker) mustNot(n int) (d ratelimit.Decision, err error) {
	if d, err = t.take("a", n); err == nil && d.Allowed {
		err = t.bounded()
	}
	return d, err
}

// bounded fails when more was taken of the key "a" than can have been there until now.
func (t *taker) bounded() error {
	passed := time.Since(t.start)
	if most := t.limit.Capacity() + t.back(passed+t.harness.Precision); t.taken > most {
		return fmt.Errorf("%d were allowed within %v, want at most %d", t.taken, passed, most)
	}
	return nil
}

// back returns how many events have come back after so long at most.
func (t *taker) back(passed time.Duration) int {
	if t.harness.Window {
		return int(passed/t.limit.Period) * t.limit.Events
	}
	return int(float64(passed) / float64(t.limit.Period) * float64(t.limit.Events) * (1 + 1e-12))
}

// exactly fails unless the duration is that, within the precision, and what has passed since.
func (t *taker) exactly(what string, want, have time.Duration, since time.Time) error {
	precision := t.harness.Precision
	if have > want+precision+time.Nanosecond || have < want-precision-time.Nanosecond-time.Since(since) {
		return fmt.Errorf("%s: want %v, have %v", what, want, have)
	}
	return nil
}

func pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// costError returns an error unless err says that the cost can never be allowed.
func costError(n int, limit ratelimit.Limit, err error) error {
	e, ok := errors.AsType[*ratelimit.CostError](err)
	if !ok || !errors.Is(err, ratelimit.ErrCost) {
		return fmt.Errorf("taking %d: want a *CostError, have %w", n, orNone(err))
	}
	if e.Cost != n || e.Limit.Capacity() != limit.Capacity() {
		return fmt.Errorf("taking %d of %v: want them in the *CostError, have %+v", n, limit, *e)
	}
	return nil
}

var errNone = errors.New("none")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}
