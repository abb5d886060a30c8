package redislimit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/ratelimit"
)

// ErrClosed is what Take returns after Close.
var ErrClosed = errors.New("redislimit: the limiter is closed")

// ErrGone is found in the error of a Take that Redis did not decide, with the Fallback Refuse. The text says why Redis is gone; Status and
// events have that for programs.
var ErrGone = errors.New("redislimit: Redis is gone")

// ErrForeign is found in the error of a Take whose key in Redis holds what no limiter has written: two things share a name.
var ErrForeign = errors.New("redislimit: the key in Redis holds something else")

// Limiter is a ratelimit.Limiter whose counts are in Redis. It is safe for concurrent use. Make one by New: the Take of any other fails.
type Limiter struct {
	name     string
	keys     keys
	script   *script
	looker   *script // of the calls that look for Redis
	fallback Fallback
	local    ratelimit.Limiter // of the fallback; nil refuses
	timeout  time.Duration
	interval time.Duration
	events   []func(Event)

	shared, alone tally
	outages       atomic.Uint64
	outage        atomic.Pointer[outage] // nil while Redis decides
	ended         atomic.Int64           // how many outages have ended
	looked        atomic.Int64           // when the limiter last began to look whether Redis answers, in nanoseconds since made
	made          time.Time

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	looks  sync.WaitGroup

	mu      sync.Mutex // what follows, changes of outage, and events
	looking bool       // a goroutine looks for Redis
	closed  bool
	last    time.Time // when the last outage ended
}

// New makes a limiter of that limit for each key. The processes that are to share it give it the same name, which no other limiter has
// that uses this Redis, and the same limit. Without Redis the fallback decides, which has no default.
//
// The client must obey the deadlines of contexts, which those of go-redis do with ContextTimeoutEnabled only: New refuses others, as far as
// it knows them. It stays the user's to close, after the limiter.
//
// New does not call Redis. What is wrong with its arguments is its error.
func New(client redis.UniversalClient, name string, limit ratelimit.Limit, fallback Fallback, opts ...Option) (*Limiter, error) {
	l, err := newLimiter(client, name, limit, fallback, opts)
	if err != nil {
		return nil, fmt.Errorf("redislimit: New: %w", err)
	}
	return l, nil
}

func newLimiter(client redis.UniversalClient, name string, limit ratelimit.Limit, fallback Fallback, opts []Option) (*Limiter, error) {
	s := settings{prefix: DefaultPrefix, timeout: DefaultTimeout, interval: DefaultInterval}
	if err := errors.Join(checkClient(client), option.Set(&s, opts)); err != nil {
		return nil, err
	}
	names, err := newKeys(s.prefix, name)
	if err != nil {
		return nil, err
	}
	decide, err := newScript(client, limit)
	if err != nil {
		return nil, err
	}
	looker, err := newScript(client, ratelimit.Limit{Events: 1e6, Period: time.Second, Burst: 1e9}) // so much that all is allowed
	if err != nil {
		return nil, err
	}
	local, err := fallback.limiter(limit)
	if err != nil {
		return nil, err
	}
	l := &Limiter{
		name: name, keys: names, script: decide, looker: looker, fallback: fallback, local: local,
		timeout: s.timeout, interval: s.interval, events: s.events, made: time.Now(),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

// checkClient returns why the client cannot be used. Those of other kinds than go-redis makes it believes.
func checkClient(client redis.UniversalClient) error {
	if v := reflect.ValueOf(client); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return errors.New("the client is nil")
	}
	var obeys bool
	switch c := client.(type) {
	case *redis.Client:
		obeys = c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		obeys = c.Options().ContextTimeoutEnabled
	case *redis.Ring:
		obeys = c.Options().ContextTimeoutEnabled
	default:
		obeys = true
	}
	if !obeys {
		return errors.New("the client ignores deadlines, and would wait for a Redis that hangs: make it with ContextTimeoutEnabled")
	}
	return nil
}

// Take implements ratelimit.Limiter. It waits for Redis for the time of Timeout at most, and not at all while Redis is gone. When ctx ends
// earlier it returns what ctx says; that Redis is not to blame for, and the events may have been taken. That ctx was cancelled, other than
// by a deadline, it may notice only when that time is over.
//
// Besides those of ratelimit.Limiter its errors are ErrGone, ErrClosed and ErrForeign.
func (l *Limiter) Take(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
	if l == nil || l.script == nil {
		return ratelimit.Decision{}, errNotMade
	}
	if err := l.script.exact.limit.CheckCost(n); err != nil {
		return ratelimit.Decision{}, err
	}
	if l.ctx.Err() != nil {
		return ratelimit.Decision{}, ErrClosed
	}
	if ctx.Err() != nil {
		return ratelimit.Decision{}, l.gaveUp(ctx)
	}
	if o := l.outage.Load(); o != nil {
		return l.decideAlone(ctx, key, n, o, nil)
	}
	ended := l.ended.Load()
	d, err := l.ask(ctx, key, n)
	switch {
	case err == nil:
		l.shared.add(d.Allowed)
		return d, nil
	case errors.Is(err, ErrForeign):
		return ratelimit.Decision{}, fmt.Errorf("%w: %q", err, l.keys.of(key))
	case over(ctx):
		l.suspect(key)
		return ratelimit.Decision{}, l.gaveUp(ctx)
	}
	return l.decideAlone(ctx, key, n, l.fail(err, key, ended), err)
}

// over reports whether the context has ended, which its Err says a moment later than a connection with the same deadline.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// errNotMade is what the Take of a zero Limiter returns.
var errNotMade = errors.New("redislimit: a Limiter that New has not made")

// gaveUp returns the error for a context that has ended.
func (l *Limiter) gaveUp(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = context.DeadlineExceeded
	}
	return fmt.Errorf("redislimit: %s: %w", l.name, err)
}

// ask lets Redis decide.
func (l *Limiter) ask(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	d, err := l.script.take(ctx, l.keys.of(key), n)
	return d, explain(ctx, l.timeout, err)
}

// explain says of an error that means no more than that the time of ctx is over what there was no time for. Go-redis tells by a plain
// context.DeadlineExceeded that it had no connection, which it tries several times to make, and not why.
func explain(ctx context.Context, limit time.Duration, err error) error {
	switch {
	case err == nil || !over(ctx):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer within %v: %w", limit, err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no connection within %v: %w", limit, err)
	}
	return err
}

// decideAlone decides without Redis, in an outage or, where that is nil, once, because of err.
func (l *Limiter) decideAlone(ctx context.Context, key string, n int, o *outage, err error) (d ratelimit.Decision, _ error) {
	switch {
	case l.local != nil:
		if d, err = l.local.Take(ctx, key, n); err != nil {
			return ratelimit.Decision{}, err
		}
	case o != nil:
		err = o.reason.Load().gone
	default:
		err = newReason(err).gone
	}
	l.alone.add(d.Allowed)
	if o != nil {
		o.alone.add(d.Allowed)
	}
	return d, err
}
