package overload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Load is callers that do not know of each other: each calls once, whether the service keeps up or not.
type Load struct {
	Phases  []Phase
	Timeout time.Duration // how long a caller waits
	Seed    uint64        // of when they come
	Call    func(context.Context) error
	Refused func(error) bool // says of an error that the service has turned the call away
}

// Phase is a time in which calls come at one rate, one after the other at random.
type Phase struct {
	Rate float64 // calls in a second
	For  time.Duration
}

// Call is what has become of one.
type Call struct {
	Phase int           // in which it began
	Began time.Duration // since the beginning
	Took  time.Duration
	Fate  Fate
	Err   error // unless it was Served
}

// Fate is how a call ended.
type Fate uint8

// The fates.
const (
	Served  Fate = iota // In time.
	Refused             // At once, or before it was too late.
	Late                // The caller has given up.
	Failed              // In another way.
)

// Run makes the calls, and returns them when all have ended. It fails when ctx ends.
func (l *Load) Run(ctx context.Context) ([]Call, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	var (
		mu     sync.Mutex
		calls  []Call
		group  sync.WaitGroup
		source = rand.New(rand.NewPCG(l.Seed, l.Seed)) //nolint:gosec // a simulation
		start  = time.Now()
		at     time.Duration // of the next call
		end    time.Duration // of the phase
	)
	defer group.Wait()
	for phase, p := range l.Phases {
		begin := end
		end += p.For
		for at = begin + gap(source, p.Rate); at < end; at += gap(source, p.Rate) {
			if err := sleep(ctx, at-time.Since(start)); err != nil {
				return nil, err
			}
			group.Go(func() {
				c := l.one(ctx, start)
				c.Phase = phase
				mu.Lock()
				calls = append(calls, c)
				mu.Unlock()
			})
		}
		if err := sleep(ctx, end-time.Since(start)); err != nil {
			return nil, err
		}
	}
	group.Wait()
	return calls, ctx.Err()
}

func (l *Load) check() error {
	if l.Call == nil || l.Refused == nil || l.Timeout <= 0 || len(l.Phases) == 0 {
		return errors.New("overload: a Load needs Phases, a Timeout above 0, Call and Refused")
	}
	for i, p := range l.Phases {
		if !(p.Rate > 0) || p.For <= 0 { // a NaN, too
			return fmt.Errorf("overload: phase %d: want a rate and a time above 0, have %v/s for %v", i, p.Rate, p.For)
		}
	}
	return nil
}

// one makes a call.
func (l *Load) one(ctx context.Context, start time.Time) Call {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	began := time.Now()
	err := l.Call(ctx)
	c := Call{Began: began.Sub(start), Took: time.Since(began), Err: err}
	switch {
	case err == nil && c.Took <= l.Timeout:
		c.Fate = Served
	case err != nil && l.Refused(err):
		c.Fate = Refused
	case err == nil || ctx.Err() != nil:
		c.Fate = Late
	default:
		c.Fate = Failed
	}
	return c
}

// gap is the time between two calls.
func gap(source *rand.Rand, rate float64) time.Duration {
	return time.Duration(source.ExpFloat64() / rate * float64(time.Second))
}

// sleep waits, and returns an error when ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
