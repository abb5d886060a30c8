package sdtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// most is how many yields of one loop are looked at.
const most = 10_000

// yielded is what one turn of a loop got.
type yielded struct {
	set []sd.Instance
	err error
}

// addresses returns those of the set, sorted.
func (y yielded) addresses() []string {
	have := make([]string, len(y.set))
	for n, i := range y.set {
		have[n] = i.Address
	}
	slices.Sort(have)
	return have
}

func (y yielded) String() string {
	if y.err != nil {
		return fmt.Sprintf("error %q", y.err)
	}
	return fmt.Sprint(y.set)
}

// loop is one loop over a watch. It looks after the clauses about each turn.
type loop struct {
	c      *cell
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	leave  func(y yielded) bool // leaves the loop, may be nil

	mu      sync.Mutex
	all     []yielded
	changed chan struct{} // closed, and made anew, at each turn
	gate    chan struct{} // turns wait for it while it is not nil
	fault   error         // of the loop itself
}

// label marks the goroutines of a watch.
const label = "sdtest"

// watch begins a loop over a watch of the service by a new Instancer.
func (c *cell) watch() (*loop, error) {
	instancer, err := c.instancer(c.service)
	if err != nil {
		return nil, err
	}
	return c.watchOf(instancer, nil), nil
}

func (c *cell) watchOf(instancer sd.Instancer, leave func(y yielded) bool) *loop {
	ctx, cancel := context.WithCancel(c.ctx)
	l := c.newLoop(ctx, cancel)
	l.leave = leave
	l.run(instancer)
	return l
}

func (c *cell) newLoop(ctx context.Context, cancel context.CancelFunc) *loop {
	l := &loop{c: c, ctx: ctx, cancel: cancel, done: make(chan struct{}), changed: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loops = append(c.loops, l)
	return l
}

// run runs the loop on a goroutine of its own. All that it starts is marked with the name of the service.
func (l *loop) run(instancer sd.Instancer) {
	go func() {
		defer close(l.done)
		defer l.cancel()
		pprof.Do(l.ctx, pprof.Labels(label, l.c.service), func(context.Context) {
			l.fault = contain(func() error { return l.each(instancer.Watch(l.ctx)) })
		})
	}()
}

func (l *loop) each(watch iter.Seq2[[]sd.Instance, error]) error {
	for set, err := range watch {
		y := yielded{set, err}
		l.check(y)
		if gate := l.add(y); gate != nil {
			<-gate
		}
		if l.leave != nil && l.leave(y) {
			return nil
		}
		if l.count() >= most {
			return fmt.Errorf("it was given %d sets and errors, the last %v", most, y)
		}
	}
	if l.ctx.Err() == nil {
		return errors.New("the loop has ended by itself")
	}
	return nil
}

func (l *loop) add(y yielded) (gate chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, y)
	close(l.changed)
	l.changed = make(chan struct{})
	return l.gate
}

// check looks at what one turn gets.
func (l *loop) check(y yielded) {
	last, known := l.last()
	switch {
	case y.err != nil && y.set != nil:
		l.c.breach("Errors", fmt.Errorf("the set beside an error is %v: %w", y.set, y.err))
	case y.err != nil:
	case known && last.err == nil && sd.Same(last.set, y.set):
		l.c.breach("EqualSets", fmt.Errorf("%v was yielded twice", y.set))
	default:
		if want := sd.Normalize(y.set); !sd.Same(want, y.set) {
			l.c.breach("Order", fmt.Errorf("want %v, have %v", want, y.set))
		}
	}
}

// breach notes that a clause was broken that is not that of the check.
func (c *cell) breach(name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.broken {
		if v.Check == name {
			return // once is enough
		}
	}
	c.broken = append(c.broken, violation(name, err))
}

// hold lets the next turn of the loop wait for release.
func (l *loop) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate == nil {
		l.gate = make(chan struct{})
	}
}

func (l *loop) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate != nil {
		close(l.gate)
		l.gate = nil
	}
}

// history returns what there was from turn n on.
func (l *loop) history(n int) []yielded {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all[min(n, len(l.all)):])
}

func (l *loop) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func (l *loop) last() (y yielded, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return yielded{}, false
	}
	return l.all[len(l.all)-1], true
}

// await waits until one turn, of those from n on, is what is waited for, and returns it.
func (l *loop) await(n int, what string, is func(y yielded) bool) (yielded, error) {
	timer := time.NewTimer(l.c.h.Limit)
	defer timer.Stop()
	for {
		l.mu.Lock()
		all, changed := l.all, l.changed
		l.mu.Unlock()
		for ; n < len(all); n++ {
			if is(all[n]) {
				return all[n], nil
			}
		}
		select {
		case <-changed:
		case <-l.done:
			if l.count() == n {
				return yielded{}, fmt.Errorf("want %s, and the loop has ended: %w; it had %s", what, told(l.fault), l)
			}
		case <-timer.C:
			return yielded{}, fmt.Errorf("want %s within %v, have %s", what, l.c.h.Limit, l)
		}
	}
}

// set waits until the newest set has these addresses and no more, and returns it.
func (l *loop) set(instances ...sd.Instance) (yielded, error) { return l.setFrom(0, instances...) }

// awaitSet does the same with a list.
func (l *loop) awaitSet(list []sd.Instance) error {
	_, err := l.set(list...)
	return err
}

// setFrom does the same with the turns from n on.
func (l *loop) setFrom(n int, instances ...sd.Instance) (yielded, error) {
	want := yielded{set: instances}.addresses()
	timer := time.NewTimer(l.c.h.Limit)
	defer timer.Stop()
	for {
		l.mu.Lock()
		all, changed := l.all[min(n, len(l.all)):], l.changed
		l.mu.Unlock()
		for _, y := range slices.Backward(all) {
			if y.err == nil && slices.Equal(want, y.addresses()) {
				return y, nil
			}
			if y.err == nil {
				break
			}
		}
		select {
		case <-changed:
		case <-l.done:
			if l.count() == n+len(all) {
				return yielded{}, fmt.Errorf("want %v, and the loop has ended: %w; it had %s", want, told(l.fault), l)
			}
		case <-timer.C:
			return yielded{}, fmt.Errorf("want %v within %v, have %s", want, l.c.h.Limit, l)
		}
	}
}

// ended waits until the loop has ended, and returns what went wrong in it.
func (l *loop) ended(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-l.done:
		return l.fault
	case <-timer.C:
		return fmt.Errorf("the loop has not ended within %v", limit)
	}
}

// String returns the last that it was given.
func (l *loop) String() string {
	const few = 8
	all := l.history(0)
	if len(all) == 0 {
		return "nothing"
	}
	texts := make([]string, 0, few)
	for _, y := range all[max(0, len(all)-few):] {
		texts = append(texts, y.String())
	}
	return fmt.Sprintf("(the last of %d) %s", len(all), strings.Join(texts, ", "))
}

func told(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}
