package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/internal/keyed"
	"github.com/ashlar-go/ashlar/internal/option"
)

// DefaultMaxKeys is how many keys a Local or a Quota knows at most.
const DefaultMaxKeys = 1 << 16

// Local is a Limiter within this process: a token bucket for each key, which holds as many events as the Capacity of the limit, begins
// full, and gets Events back evenly in each Period.
//
// It knows a bounded number of keys. The bucket of a key that was not used for so long that it is full again is the same as a new one,
// and is forgotten without any loss when the space is needed. Where few are full, one that was not used lately begins anew: it may have
// a burst too many. LocalStatus.Evicted counts that; a number that grows asks for LocalMaxKeys. A key is kept as a hash of 64 bits
// with a seed of this Local, so that its length does not matter. That any two of a million keys have the same, and so one bucket, has a
// probability of one in 36 million.
//
// Make one by New: the Take of any other fails. It has no goroutine, and need not be closed.
type Local struct {
	bucket  bucket
	base    time.Time // ticks count from here
	buckets *keyed.Map[int64]
	bounded bool // by the option
}

// LocalOption sets up a Local. One that is given twice replaces the earlier.
type LocalOption func(*localConfig) error

type localConfig struct {
	maxKeys int
	bounded bool
}

// LocalMaxKeys sets how many keys there are at most. Each takes 20 to 35 bytes. The default is DefaultMaxKeys. NewGate refuses such a Local
// without By and PerOperation, since then there is one key.
func LocalMaxKeys(keys int) LocalOption {
	return func(c *localConfig) error {
		c.maxKeys, c.bounded = keys, true
		return checkKeys("LocalMaxKeys", keys)
	}
}

func checkKeys(name string, keys int) error {
	if keys < 1 {
		return fmt.Errorf("%s(%d): want 1 or more", name, keys)
	}
	return nil
}

// New returns a Local. It fails for a limit that Check refuses, and for what is wrong with an option.
func New(limit Limit, opts ...LocalOption) (*Local, error) {
	c := localConfig{maxKeys: DefaultMaxKeys}
	if err := limit.Check(); err != nil {
		return nil, fmt.Errorf("ratelimit: New: %w", err)
	}
	if err := option.Set(&c, opts); err != nil {
		return nil, fmt.Errorf("ratelimit: New: %w", err)
	}
	full := func(at *int64, now int64) bool { return *at <= now }
	return &Local{bucket: newBucket(limit), base: time.Now(), buckets: keyed.New(c.maxKeys, full), bounded: c.bounded}, nil
}

var errNoLocal = errors.New("ratelimit: a Local that New has not made")

// Take takes n events of the key, or none; see Limiter. It does not block, and does not look at the context.
func (l *Local) Take(_ context.Context, key string, n int) (Decision, error) {
	if l == nil || l.buckets == nil {
		return Decision{}, errNoLocal
	}
	if err := l.bucket.limit.CheckCost(n); err != nil {
		return Decision{}, err
	}
	now := l.bucket.ticks(time.Since(l.base))
	e := l.buckets.Acquire(key, now)
	d := l.bucket.take(e.Value, now, n)
	e.Release()
	return d, nil
}

// LocalStatus is what a Local, or a Quota, knows of itself at one moment.
type LocalStatus struct {
	Limit   Limit
	Keys    int // that it knows; some may be as good as new by now
	MaxKeys int
	// Forgotten counts the keys that were forgotten without any loss, and Evicted those that may have had something too much by it.
	Forgotten, Evicted uint64
}

// Status returns what it knows now.
func (l *Local) Status() LocalStatus {
	if l == nil || l.buckets == nil {
		return LocalStatus{}
	}
	return localStatus(l.bucket.limit, l.buckets.Stats())
}

func localStatus(limit Limit, s keyed.Stats) LocalStatus {
	return LocalStatus{Limit: limit, Keys: s.Keys, MaxKeys: s.Limit, Forgotten: s.Forgotten, Evicted: s.Evicted}
}
