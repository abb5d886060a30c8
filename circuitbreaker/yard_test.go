package circuitbreaker_test

import (
	"container/heap"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

var errDown = errors.New("it is down")

func adaptive(t testing.TB, opts ...circuitbreaker.AdaptiveOption) *circuitbreaker.AdaptiveBreaker {
	t.Helper()
	a, err := circuitbreaker.NewAdaptive(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// simulates is for tests that do so on one goroutine, at length.
func simulates(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("there is one goroutine, which the race detector makes slow")
	}
}

// yard is where things happen in the order of virtual time, on one goroutine. It is used in a bubble of synctest.
type yard struct {
	start time.Time
	queue appointments
}

func newYard() *yard { return &yard{start: time.Now()} }

func (y *yard) now() time.Duration { return time.Since(y.start) }

func (y *yard) at(when time.Duration, what func()) { heap.Push(&y.queue, appointment{when, what}) }

// run does what is to be done until then.
func (y *yard) run(until time.Duration) {
	for len(y.queue) > 0 && y.queue[0].when <= until {
		next, _ := heap.Pop(&y.queue).(appointment)
		y.wait(next.when)
		next.what()
	}
	y.wait(until)
}

func (y *yard) wait(until time.Duration) {
	if d := until - y.now(); d > 0 {
		<-time.After(d)
	}
}

type appointment struct {
	when time.Duration
	what func()
}

type appointments []appointment

func (a *appointments) Len() int           { return len(*a) }
func (a *appointments) Less(i, j int) bool { return (*a)[i].when < (*a)[j].when }
func (a *appointments) Swap(i, j int)      { (*a)[i], (*a)[j] = (*a)[j], (*a)[i] }

func (a *appointments) Push(x any) {
	if next, ok := x.(appointment); ok {
		*a = append(*a, next)
	}
}

func (a *appointments) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// service says how a call ends that begins now, and how long it takes.
type service func(now time.Duration) (took time.Duration, err error)

// client makes calls that a breaker lets through or not.
type client struct {
	yard    *yard
	breaker circuitbreaker.Breaker
	serve   service
	every   func() time.Duration // between two calls

	log []entry
}

// entry is a call.
type entry struct {
	at      time.Duration
	refused bool
	failed  bool
}

// evenly is so many calls a second.
func evenly(rate float64) func() time.Duration {
	return func() time.Duration { return time.Duration(float64(time.Second) / rate) }
}

// poisson is so many on the average, at random.
func poisson(rate float64, seed uint64) func() time.Duration {
	random := rand.New(rand.NewPCG(seed, 1))
	return func() time.Duration { return time.Duration(random.ExpFloat64() * float64(time.Second) / rate) }
}

// call makes calls from now on until then.
func (c *client) call(until time.Duration) {
	var next func()
	next = func() {
		c.once()
		if then := c.yard.now() + c.every(); then < until {
			c.yard.at(then, next)
		}
	}
	c.yard.at(c.yard.now()+c.every(), next)
}

func (c *client) once() {
	at := c.yard.now()
	done, err := c.breaker.Allow()
	if err != nil {
		c.log = append(c.log, entry{at: at, refused: true})
		return
	}
	took, err := c.serve(at)
	c.log = append(c.log, entry{at: at, failed: err != nil})
	if took == 0 {
		done(err)
		return
	}
	c.yard.at(at+took, func() { done(err) })
}

// tally is how many calls there were.
type tally struct{ all, refused, failed int }

func (t tally) sent() int        { return t.all - t.refused }
func (t tally) accepted() int    { return t.all - t.refused - t.failed }
func (t tally) passing() float64 { return float64(t.sent()) / float64(t.all) }

func (c *client) tally(from, to time.Duration) (t tally) {
	for _, e := range c.log {
		if e.at < from || e.at >= to {
			continue
		}
		t.all++
		if e.refused {
			t.refused++
		}
		if e.failed {
			t.failed++
		}
	}
	return t
}

// firstRefusal is the time of the first one from then on, -1 if there is none.
func (c *client) firstRefusal(from time.Duration) time.Duration {
	for _, e := range c.log {
		if e.refused && e.at >= from {
			return e.at
		}
	}
	return -1
}

type durations []time.Duration

func (d durations) median() time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func (d durations) most() time.Duration { return slices.Max(d) }
