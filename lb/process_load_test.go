package lb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/lb"
)

const callLimit = 5 * time.Second

// loadRate is how many calls are made each second. Under the race detector two cores do not make as many.
func loadRate() int {
	if raceEnabled {
		return 200
	}
	return 2000
}

// load makes calls at a rate, however long they take, until it is stopped.
type load struct {
	calls  int // that were begun; to be read when it has stopped
	stop   context.CancelFunc
	paced  chan struct{} // closed when no more begin
	active sync.WaitGroup

	mu      sync.Mutex
	failed  []error
	longest time.Duration
}

// startLoad begins to make the calls. Each is numbered, and answers with its number.
func startLoad(ctx context.Context, rate int, call func(ctx context.Context, n int, text string) (string, error)) *load {
	paced, stop := context.WithCancel(ctx)
	l := &load{stop: stop, paced: make(chan struct{})}
	go func() {
		defer close(l.paced)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for start := time.Now(); ; {
			for due := int(time.Since(start).Seconds() * float64(rate)); l.calls < due; l.calls++ {
				n := l.calls
				l.active.Go(func() { l.one(ctx, n, call) })
			}
			select {
			case <-tick.C:
			case <-paced.Done():
				return
			}
		}
	}()
	return l
}

func (l *load) one(ctx context.Context, n int, call func(ctx context.Context, n int, text string) (string, error)) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	want, start := strconv.Itoa(n), time.Now()
	have, err := call(ctx, n, want)
	if err == nil && have != want {
		err = fmt.Errorf("want %q, have %q", want, have)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = append(l.failed, fmt.Errorf("call %d, after %v: %w", n, time.Since(start), err))
	}
	l.longest = max(l.longest, time.Since(start))
}

// end stops the load, waits for the calls that have begun, and reports those that failed.
func (l *load) end(t testing.TB) {
	t.Helper()
	l.stop()
	<-l.paced
	l.active.Wait()
	if n := len(l.failed); n > 0 {
		t.Errorf("%d of %d calls failed: %v", n, l.calls, errors.Join(l.failed[:min(n, 5)]...))
	}
	t.Logf("%d calls, of which the slowest took %v", l.calls, l.longest)
}

// warm makes the calls of a second, as fast as they go, so that the pool may repeat as many as one that has been called for a while: all that an
// instance had when it was killed, also when a busy machine has let them pile up.
func (c caller) warm(t testing.TB) {
	t.Helper()
	const callers = 64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range loadRate() / callers {
				if _, err := c.read(t.Context(), "stone"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	c.attempts.Store(0)
}

// reaches waits until so many instances are in the state.
func (c caller) reaches(t testing.TB, state lb.State, count int) {
	t.Helper()
	c.await(t, fmt.Sprintf("%d instances that are %v", count, state), func(all []lb.InstanceStatus) bool {
		have := 0
		for _, i := range all {
			if i.State == state {
				have++
			}
		}
		return have == count
	})
}

// called waits until the instance is called.
func (c caller) called(t testing.TB, address string) {
	t.Helper()
	c.await(t, "calls of "+address, func(all []lb.InstanceStatus) bool {
		return slices.ContainsFunc(all, func(i lb.InstanceStatus) bool {
			return i.Instance.Address == address && i.State == lb.Ready && i.InFlight > 0
		})
	})
}

// await waits until something holds of the instances.
func (c caller) await(t testing.TB, what string, holds func([]lb.InstanceStatus) bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(2 * callLimit)
	defer limit.Stop()
	for {
		all := c.instances()
		if holds(all) {
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("want %s, have %+v", what, all)
		}
	}
}
