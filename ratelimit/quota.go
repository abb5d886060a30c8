package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/internal/keyed"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Quota is a Limiter within this process that gives each key so many events in each period of the calendar, such as a day: all of them
// come back when the next period begins. That is a fixed window: one count for a key, exact, and the time at which there is more is one
// that a person can be told. What it does not do is to spread them: just before and just after the change of periods a key can have
// twice as many. Where that is too much at once, have a Local as well, with a Gate for each. (For windows that slide, and what they
// cost, see Cloudflare's "How we built rate limiting capable of scaling to millions of domains", 2017: two counts, and an estimate.)
//
// Counts are of this process, and are lost with it. A clock that is set back makes periods longer, never counts smaller. What Local says of
// the number of keys is so here too: what has an old period is forgotten without any loss.
//
// Make one by NewQuota: the Take of any other fails. It has no goroutine, and need not be closed.
type Quota struct {
	events  int
	period  Period
	current atomic.Pointer[window]
	counts  *keyed.Map[count]
	bounded bool // by the option
}

// count is what a key has used in the period that ends at end.
type count struct {
	end  int64
	used int
}

// QuotaOption sets up a Quota. One that is given twice replaces the earlier.
type QuotaOption func(*quotaConfig) error

type quotaConfig struct {
	maxKeys int
	bounded bool
}

// QuotaMaxKeys sets how many keys there are at most. Each takes 30 to 50 bytes. The default is DefaultMaxKeys. NewGate refuses such a Quota
// without By and PerOperation, since then there is one key.
func QuotaMaxKeys(keys int) QuotaOption {
	return func(c *quotaConfig) error {
		c.maxKeys, c.bounded = keys, true
		return checkKeys("QuotaMaxKeys", keys)
	}
}

// NewQuota returns a Quota of so many events, 1 or more, in each period. It fails for what is wrong with the arguments, and for a period
// that does not say when the present one began and ends.
func NewQuota(events int, period Period, opts ...QuotaOption) (*Quota, error) {
	c := quotaConfig{maxKeys: DefaultMaxKeys}
	if period == nil {
		return nil, errors.New("ratelimit: NewQuota: the period is nil")
	}
	if err := option.Set(&c, opts); err != nil {
		return nil, fmt.Errorf("ratelimit: NewQuota: %w", err)
	}
	w, err := newWindow(events, period, time.Now())
	if err != nil {
		return nil, fmt.Errorf("ratelimit: NewQuota: %w", err)
	}
	over := func(c *count, now int64) bool { return c.used == 0 || c.end <= now }
	q := &Quota{events: events, period: period, counts: keyed.New(c.maxKeys, over), bounded: c.bounded}
	q.current.Store(w)
	return q, nil
}

// Take takes n events of the key from the present period, or none; see Limiter. It does not block, and does not look at the context. It
// fails, besides, when the Period does not say when the present one began and ends.
func (q *Quota) Take(_ context.Context, key string, n int) (Decision, error) {
	return q.take(time.Now(), key, n)
}

func (q *Quota) take(now time.Time, key string, n int) (Decision, error) {
	if q == nil || q.counts == nil {
		return Decision{}, errNoQuota
	}
	w, err := q.window(now)
	if err == nil {
		err = w.limit.CheckCost(n)
	}
	if err != nil {
		return Decision{}, err
	}
	at := now.UnixNano()
	e := q.counts.Acquire(key, at)
	d := w.take(e.Value, at, n)
	e.Release()
	return d, nil
}

var errNoQuota = errors.New("ratelimit: a Quota that NewQuota has not made")

// window returns the period that now is in.
func (q *Quota) window(now time.Time) (*window, error) {
	if w := q.current.Load(); w.contains(now.UnixNano()) {
		return w, nil
	}
	w, err := newWindow(q.events, q.period, now)
	if err != nil {
		return nil, fmt.Errorf("ratelimit: Quota: %w", err)
	}
	q.current.Store(w)
	return w, nil
}

// take takes n of the events of the count at the time now.
func (w *window) take(c *count, now int64, n int) Decision {
	if c.end <= now {
		*c = count{end: w.end}
	}
	d := Decision{Limit: w.limit}
	left := time.Duration(c.end - now)
	if n <= w.limit.Events-c.used {
		d.Allowed = true
		c.used += n
	} else {
		d.RetryAfter = left
	}
	d.Remaining = w.limit.Events - c.used
	if c.used > 0 {
		d.Reset = left
	}
	return d
}

// Status returns what it knows now.
func (q *Quota) Status() LocalStatus {
	if q == nil || q.counts == nil {
		return LocalStatus{}
	}
	return localStatus(q.current.Load().limit, q.counts.Stats())
}
