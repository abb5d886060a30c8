package circuitbreaker

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// AdaptiveBreaker is the client-side throttling of "Site Reliability Engineering" (Beyer and others, 2016, chapter 21, "Handling
// Overload"): it refuses a share of the calls that follows from how many of those in the last seconds were accepted, so that the other side
// gets about K times as many as it can do with. Where nothing is accepted, only a probe goes through each second. It is a Breaker; make it
// with NewAdaptive, or by the Policy that Adaptive returns: one that is not made so refuses all calls, and says so.
type AdaptiveBreaker struct {
	config  *adaptiveConfig
	start   time.Time
	width   int64 // of a bucket, as all times in nanoseconds
	refusal error
	done    [epochs]func(err error) // by epoch of the call, made once

	_ [64]byte // what follows is read at each call, and written when a call fails or the window moves

	edge    atomic.Int64  // when the window moves next, since start
	state   atomic.Uint32 // a State
	epoch   atomic.Uint32 // how often a ramp has begun
	failed  atomic.Uint64 // calls that failed, as all counts since the start
	dropped atomic.Uint64 // calls that were refused
	before  counts        // what they were where the window begins

	// The following is used while calls are refused only.
	failing atomic.Int64 // how many of the newest buckets have failures only
	probe   atomic.Int64 // when a call is let through at any rate
	ramping atomic.Bool  // see ramp
	credit  atomic.Int64 // calls that may be made since others have succeeded

	_ [64]byte // and this is written at each call

	good atomic.Uint64 // calls that succeeded

	_ [64]byte

	mu    sync.Mutex
	ring  ring
	since int64 // when the streak began: with the last failure, or with the ramp

	sinceGood uint64 // successes until then
}

// epochs is how many ramps must have begun until a call that is still going on is taken for one that began lately.
const epochs = 8

// counts are those at one moment.
type counts struct {
	good, bad, fail atomic.Uint64
}

// NewAdaptive returns a breaker that is closed. It fails when an option is wrong.
func NewAdaptive(opts ...AdaptiveOption) (*AdaptiveBreaker, error) { return newAdaptive(nil, opts) }

// newAdaptive makes one that tells changed first, unless that is nil, so that it hears of all changes, even if another function panics.
func newAdaptive(changed func(from, to State), opts []AdaptiveOption) (*AdaptiveBreaker, error) {
	config, err := newAdaptiveConfig(opts)
	if err != nil {
		return nil, prefixed(err)
	}
	if changed != nil {
		config.changed = slices.Insert(config.changed, 0, changed)
	}
	a := &AdaptiveBreaker{
		config: config, start: time.Now(), width: int64(config.width()), refusal: &OpenError{RetryAfter: config.probe},
		ring: newRing(config.buckets),
	}
	a.edge.Store(a.width)
	for i := range a.done {
		epoch := uint32(i)
		a.done[i] = func(err error) { a.end(epoch, err) }
	}
	return a, nil
}

// Adaptive is the Policy whose breakers are as NewAdaptive makes them.
func Adaptive(opts ...AdaptiveOption) Policy {
	opts = slices.Clone(opts)
	return PolicyFunc(func(changed func(from, to State)) (Breaker, error) { return newAdaptive(changed, opts) })
}

var errNotMade = errors.New("the AdaptiveBreaker was not made by NewAdaptive")

func (a *AdaptiveBreaker) now() int64 { return int64(time.Since(a.start)) }

// Allow implements Breaker. It allocates nothing.
func (a *AdaptiveBreaker) Allow() (done func(err error), err error) {
	now := a.now()
	if now >= a.edge.Load() { // which is 0 where it was not made
		if a.config == nil {
			return nil, &OpenError{Err: errNotMade}
		}
		a.move(now)
	}
	// With so few failures the sum of judge cannot be more than the protection.
	if State(a.state.Load()) == Closed && float64(a.bad()) <= a.config.protection || a.admit(now) {
		return a.done[a.epoch.Load()%epochs], nil
	}
	a.dropped.Add(1)
	return nil, a.refusal
}

// bad is how many calls of the window failed or were refused. Where the window begins is read first, here and below: what is counted by
// now is never less then, though the window may move meanwhile.
func (a *AdaptiveBreaker) bad() uint64 {
	before := a.before.bad.Load()
	return a.failed.Load() + a.dropped.Load() - before
}

// wellDone is how many succeeded.
func (a *AdaptiveBreaker) wellDone() uint64 {
	before := a.before.good.Load()
	return a.good.Load() - before
}

// load is what the window says.
type load struct {
	good, all float64
	excess    float64 // by how many all are more than K times the good ones
}

func (a *AdaptiveBreaker) load() load {
	good, bad := float64(a.wellDone()), float64(a.bad())
	c := a.config
	failing := min(1, float64(a.failing.Load()*a.width)/float64(c.minKAfter))
	k := c.k - (c.k-c.minK)*failing
	return load{good: good, all: good + bad, excess: good + bad - k*good}
}

// admit decides by the window.
func (a *AdaptiveBreaker) admit(now int64) bool {
	l := a.load()
	if State(a.state.Load()) == Closed {
		if l.excess <= a.config.protection {
			return true
		}
		if !a.trip(now) {
			return true // the window has moved while it was looked at
		}
	}
	next := now + a.pause()
	switch due := a.probe.Load(); {
	case l.excess <= 0, a.spend(), rand.Float64()*l.all >= l.excess: //nolint:gosec // it spreads, it does not protect
		a.probe.Store(next)
		return true
	default:
		return now >= due && a.probe.CompareAndSwap(due, next) // one of those that come at the same time
	}
}

// pause is how long it takes until a probe, at random so that many clients do not probe together.
func (a *AdaptiveBreaker) pause() int64 {
	probe := int64(a.config.probe)
	return probe + rand.Int64N(probe/4+1) //nolint:gosec // as above
}

// end is told how a call ended.
func (a *AdaptiveBreaker) end(epoch uint32, err error) {
	switch {
	case err == nil:
		a.good.Add(1)
		if State(a.state.Load()) != Closed {
			a.succeed()
		}
	case errors.Is(err, ErrIgnored):
		if a.ramping.Load() {
			a.credit.Add(1)
		}
	case epoch != a.epoch.Load()%epochs:
		// It says how things were before the last ramp, and not how they are.
	default:
		a.fail()
	}
}

// fail counts a failure. Its time is read, so that those of calls that took long count when they are known.
func (a *AdaptiveBreaker) fail() {
	now := a.now()
	if now >= a.edge.Load() {
		a.move(now)
	}
	a.failed.Add(1)
	if State(a.state.Load()) != Closed {
		a.relapse(now)
	}
}

// Report implements Reporter.
func (a *AdaptiveBreaker) Report() Report {
	if a.config == nil {
		return Report{State: Open, DropRatio: 1}
	}
	if now := a.now(); now >= a.edge.Load() {
		a.move(now)
	}
	before := a.before.fail.Load()
	r := Report{State: State(a.state.Load()), Successes: a.wellDone(), Failures: a.failed.Load() - before}
	if l := a.load(); r.State != Closed && l.excess > 0 {
		r.DropRatio = l.excess / l.all
	}
	return r
}
