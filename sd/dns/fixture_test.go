package dns_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/dns"
)

// patience is how long a test waits for what is to come, on a busy machine.
const patience = 30 * time.Second

// event is what a watch has yielded.
type event struct {
	set []sd.Instance
	err error
}

// watching is a watch whose events wait until the test takes them.
type watching struct {
	t      *testing.T
	events chan event
	end    func() // ends the watch, and waits for that
}

// watch begins a watch, which ends with the test.
func watch(t *testing.T, i sd.Instancer) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{t: t, events: make(chan event, 10_000)}
	var group sync.WaitGroup
	group.Go(func() {
		for set, err := range i.Watch(ctx) {
			w.events <- event{set: set, err: err}
		}
	})
	w.end = func() {
		cancel()
		group.Wait()
	}
	t.Cleanup(w.end)
	return w
}

// next returns what the watch yields next.
func (w *watching) next() event {
	w.t.Helper()
	select {
	case e := <-w.events:
		return e
	case <-time.After(patience):
		w.t.Fatal("the watch yields nothing")
		return event{}
	}
}

// set returns the next set. An error before it fails the test.
func (w *watching) set() []sd.Instance {
	w.t.Helper()
	e := w.next()
	if e.err != nil {
		w.t.Fatalf("want a set, have %v", e.err)
	}
	return e.set
}

// fails waits for an error, which must be the next.
func (w *watching) fails() error {
	w.t.Helper()
	e := w.next()
	if e.err == nil {
		w.t.Fatalf("want an error, have the set %v", e.set)
	}
	return e.err
}

// back returns the next set, after whatever errors.
func (w *watching) back() []sd.Instance {
	w.t.Helper()
	for {
		if e := w.next(); e.err == nil {
			return e.set
		}
	}
}

// quiet fails when something has come that the test has not taken.
func (w *watching) quiet() {
	w.t.Helper()
	select {
	case e := <-w.events:
		w.t.Errorf("want nothing new, have %v, %v", e.set, e.err)
	default:
	}
}

func wantAddresses(t *testing.T, set []sd.Instance, want ...string) {
	t.Helper()
	have := make([]string, 0, len(set))
	for _, i := range set {
		have = append(have, i.Address)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

func newSRV(t *testing.T, name string, opts ...dns.InstancerOption) sd.Instancer {
	t.Helper()
	i, err := dns.NewSRV(name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func newHost(t *testing.T, name string, port int, opts ...dns.InstancerOption) sd.Instancer {
	t.Helper()
	i, err := dns.NewHost(name, port, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}
