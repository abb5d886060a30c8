package lb_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// yard is a pool, the registry that it watches, and all clients that it has made.
type yard struct {
	t    testing.TB
	pool *lb.Pool[*stone]
	news chan func(yield func([]sd.Instance, error) bool) bool

	dial func(ctx context.Context, i sd.Instance) error // nil: at once
	shut func(s *stone) error                           // likewise

	mu     sync.Mutex
	stones []*stone
	dials  map[string]int // by ID
	events []lb.Event
}

// stone is the client of an instance.
type stone struct {
	instance sd.Instance
	yard     *yard
	closed   atomic.Int32
}

func (s *stone) Close() error {
	s.closed.Add(1)
	if s.yard.shut != nil {
		return s.yard.shut(s)
	}
	return nil
}

// openYard opens a pool, in a bubble of synctest. Set up may change the yard before.
func openYard(t testing.TB, setUp func(y *yard), opts ...lb.PoolOption) *yard {
	t.Helper()
	y := &yard{t: t, news: make(chan func(func([]sd.Instance, error) bool) bool, 100), dials: make(map[string]int)}
	if setUp != nil {
		setUp(y)
	}
	pool, err := lb.New("quarry", y, y.connect, append([]lb.PoolOption{lb.PoolPolicy(lb.RoundRobin()), lb.PoolEvents(y.happened)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	y.pool = pool
	t.Cleanup(func() { _ = pool.Close() })
	return y
}

// Watch implements sd.Instancer.
func (y *yard) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case say := <-y.news:
				if !say(yield) {
					return
				}
			}
		}
	}
}

// set makes the registry say that these are the instances, and waits until nothing moves.
func (y *yard) set(instances ...sd.Instance) {
	y.news <- func(yield func([]sd.Instance, error) bool) bool { return yield(instances, nil) }
	synctest.Wait()
}

// names is set for instances that have a name only.
func (y *yard) names(names ...string) { y.set(named(names...)...) }

func (y *yard) fail(err error) {
	y.news <- func(yield func([]sd.Instance, error) bool) bool { return yield(nil, err) }
	synctest.Wait()
}

func named(names ...string) []sd.Instance {
	set := make([]sd.Instance, len(names))
	for i, n := range names {
		set[i] = sd.Instance{ID: n, Address: n + ":80"}
	}
	return set
}

func (y *yard) connect(ctx context.Context, i sd.Instance) (*stone, error) {
	y.mu.Lock()
	y.dials[i.ID]++
	y.mu.Unlock()
	if y.dial != nil {
		if err := y.dial(ctx, i); err != nil {
			return nil, err
		}
	}
	s := &stone{instance: i, yard: y}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.stones = append(y.stones, s)
	return s, nil
}

func (y *yard) happened(e lb.Event) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.events = append(y.events, e)
}

// told returns what has happened since the last time, such as "connected a".
func (y *yard) told() (texts []string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, e := range y.events {
		text := e.Kind.String()
		if e.Instance.ID != "" {
			text += " " + e.Instance.ID
		}
		texts = append(texts, text)
	}
	y.events = nil
	return texts
}

// made returns the clients made for an instance.
func (y *yard) made(id string) []*stone {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(y.stones), func(s *stone) bool { return s.instance.ID != id })
}

func (y *yard) dialled(id string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.dials[id]
}

// begin begins a call.
func (y *yard) begin() (s *stone, done func(error)) {
	y.t.Helper()
	s, done, err := y.pool.Pick(y.t.Context())
	if err != nil {
		y.t.Fatal(err)
	}
	if s.closed.Load() > 0 {
		y.t.Errorf("%v was picked, and is closed", s.instance)
	}
	return s, done
}

// beginAt begins a call of an instance, and ends those of others that are picked before.
func (y *yard) beginAt(id string) (s *stone, done func(error)) {
	y.t.Helper()
	for range 10_000 {
		s, done := y.begin()
		if s.instance.ID == id {
			return s, done
		}
		done(nil)
	}
	y.t.Fatalf("%s is never picked", id)
	return nil, nil
}

// calls makes calls, each of which ends with what answer says, and returns how many each instance got.
func (y *yard) calls(n int, answer func(id string) error) map[string]int {
	y.t.Helper()
	counts := make(map[string]int)
	for range n {
		s, done := y.begin()
		counts[s.instance.ID]++
		var err error
		if answer != nil {
			err = answer(s.instance.ID)
		}
		done(err)
	}
	return counts
}

// states returns the states of the instances, such as "a ready".
func (y *yard) states() (texts []string) {
	for _, s := range y.pool.Instances() {
		texts = append(texts, s.Instance.ID+" "+s.State.String())
	}
	return texts
}

func (y *yard) wantStates(want ...string) {
	y.t.Helper()
	if have := y.states(); !slices.Equal(want, have) {
		y.t.Errorf("want %v, have %v", want, have)
	}
}

// wantTold compares what has happened since the last time, in any order.
func (y *yard) wantTold(want ...string) {
	y.t.Helper()
	have := y.told()
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(want, have) {
		y.t.Errorf("want to be told %q, have %q", want, have)
	}
}

var errHung = errors.New("nobody answers")

// hang is a dial that takes until its context ends.
func hang(ctx context.Context, _ sd.Instance) error {
	<-ctx.Done()
	return errors.Join(errHung, ctx.Err())
}

// yardEndpoint returns an endpoint that may be repeated.
func yardEndpoint(t testing.TB, y *yard, answer func(s *stone) error) endpoint.Endpoint[int, int] {
	t.Helper()
	call, err := lb.Endpoint(readSpec, y.pool, func(s *stone) (endpoint.Endpoint[int, int], error) {
		return func(context.Context, int) (int, error) { return 0, answer(s) }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return call
}
