// Package watchtest runs watches and registrations in the tests of drivers, beside the suite sd/sdtest.
package watchtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// Patience is how long a test waits for what is to come, on a busy machine too.
const Patience = 60 * time.Second

// Event is what a watch has yielded.
type Event struct {
	Set []sd.Instance
	Err error
}

// Watch is a watch whose events wait until the test takes them. It is for one goroutine.
type Watch struct {
	t      *testing.T
	events chan Event
	end    func()
}

// Start begins a watch, which ends with the test.
func Start(t *testing.T, instancer sd.Instancer) *Watch {
	t.Helper()
	const room = 10_000 // more than any test has events
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w := &Watch{t: t, events: make(chan Event, room)}
	var group sync.WaitGroup
	group.Go(func() {
		for set, err := range instancer.Watch(ctx) {
			w.events <- Event{set, err}
		}
	})
	w.end = func() {
		cancel()
		group.Wait()
	}
	t.Cleanup(w.end)
	return w
}

// End ends the watch, and waits for that. Ending twice is harmless.
func (w *Watch) End() { w.end() }

// Events are those that the test has not taken, for a select.
func (w *Watch) Events() <-chan Event { return w.events }

// During returns what the watch yields in that time.
func (w *Watch) During(length time.Duration) (all []Event) {
	over := time.NewTimer(length)
	defer over.Stop()
	for {
		select {
		case e := <-w.events:
			all = append(all, e)
		case <-over.C:
			return all
		}
	}
}

// Next returns what the watch yields next.
func (w *Watch) Next() Event {
	w.t.Helper()
	return w.Await("an event", func(Event) bool { return true })
}

// Set returns the next set. An error before it fails the test.
func (w *Watch) Set() []sd.Instance {
	w.t.Helper()
	e := w.Next()
	if e.Err != nil {
		w.t.Fatalf("want a set, have %v", e.Err)
	}
	return e.Set
}

// Fails returns an error, which must be the next.
func (w *Watch) Fails() error {
	w.t.Helper()
	e := w.Next()
	if e.Err == nil {
		w.t.Fatalf("want an error, have the set %v", e.Set)
	}
	return e.Err
}

// Back returns the next set, after whatever errors.
func (w *Watch) Back() []sd.Instance {
	w.t.Helper()
	return w.Await("a set", func(e Event) bool { return e.Err == nil }).Set
}

// Quiet fails when something has come that the test has not taken.
func (w *Watch) Quiet() {
	w.t.Helper()
	select {
	case e := <-w.events:
		w.t.Errorf("want nothing new, have %v, %v", e.Set, e.Err)
	default:
	}
}

// Await returns the first event that is what is waited for.
func (w *Watch) Await(what string, is func(Event) bool) Event {
	w.t.Helper()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	var last Event
	for {
		select {
		case last = <-w.events:
			if is(last) {
				return last
			}
		case <-limit.C:
			w.t.Fatalf("want %s, have %v, %v last", what, last.Set, last.Err)
		}
	}
}

// AwaitIDs waits for a set with exactly these IDs.
func (w *Watch) AwaitIDs(ids ...string) []sd.Instance {
	w.t.Helper()
	slices.Sort(ids)
	return w.Await(fmt.Sprint("the set of ", ids), func(e Event) bool {
		return e.Err == nil && slices.EqualFunc(e.Set, ids, func(i sd.Instance, id string) bool { return i.ID == id })
	}).Set
}

// AwaitAddresses waits for a set with exactly these addresses.
func (w *Watch) AwaitAddresses(want ...string) []sd.Instance {
	w.t.Helper()
	slices.Sort(want)
	return w.Await(fmt.Sprint("the set of ", want), func(e Event) bool { return e.Err == nil && slices.Equal(Addresses(e.Set), want) }).Set
}

// AwaitError waits for an error that has the text in it.
func (w *Watch) AwaitError(text string) {
	w.t.Helper()
	w.Await(fmt.Sprintf("an error with %q", text), func(e Event) bool { return e.Err != nil && strings.Contains(e.Err.Error(), text) })
}

// Within fails when f takes longer.
func Within(t *testing.T, limit time.Duration, what string, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if took := time.Since(began); took > limit {
		t.Errorf("want %s within %v, have it after %v", what, limit, took)
	}
}

// WantAddresses fails when the addresses of the set are others.
func WantAddresses(t *testing.T, set []sd.Instance, want ...string) {
	t.Helper()
	slices.Sort(want)
	if have := Addresses(set); !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

// Addresses returns the addresses of the set, sorted.
func Addresses(set []sd.Instance) []string {
	all := make([]string, 0, len(set))
	for _, i := range set {
		all = append(all, i.Address)
	}
	slices.Sort(all)
	return all
}
