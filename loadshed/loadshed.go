// Package loadshed keeps a process useful when more is asked of it than it can do: so many calls are in progress at a time as it can work
// on, a few wait for a moment, and the others are refused at once, before they cost anything.
//
//	shedder, err := loadshed.New()
//	...
//	server := httptransport.NewServer(place, svc.Place, httptransport.ServerMiddleware(shedder.Middleware))
//
// One Shedder serves all endpoints of a process, on all transports, since they share what is scarce. It has four parts:
//
//   - a limit of the calls in progress, which it finds by itself, from what a little more or less of it does to the throughput;
//   - a queue for each priority (transport.Priority) in front of that, in which nobody waits for long: CoDel;
//   - a look at the processors, of the cgroup or of the machine: sheddable calls are refused while they are busy;
//   - refusals that are cheap, and tell callers when to try again, and that they may do so elsewhere at once.
//
// A Bulkhead is less: a fixed number of calls at a time, of one thing, so that it does not take up everything.
//
// See docs/loadshed.md for how it decides, and for what was measured.
package loadshed

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/internal/processor"
	"github.com/ashlar-go/ashlar/transport"
)

// Shedder lets as many calls pass at a time as a process can work on, has a few wait, and refuses the others. New makes it. It is safe for
// concurrent use, has no goroutine, and needs no closing. The zero value refuses all calls.
type Shedder struct {
	gate

	config  config
	tickets tickets
	sites   sites

	strict atomic.Bool   // the processor is busy
	mask   atomic.Uint32 // of the count of calls: those where it is 0 are timed
	next   atomic.Int64  // when tick has something to do, as a time.Duration
	timed  struct {      // calls since the last tick
		_       [40]byte
		count   atomic.Int64
		took    atomic.Int64
		squares atomic.Int64 // of took in microseconds
		_       [40]byte
	}
	refused [verdicts][classes]atomic.Uint64
	table   *table

	// What follows belongs to who holds mu.
	climber    *climber // nil with a fixed limit
	meter      *processor.Meter
	usage      processor.Usage
	meterAt    time.Duration // when the processors are to be looked at
	look       bool          // that is now, by who unlocks
	took       time.Duration // how long calls take, on the average
	squares    float64       // the average of the squares of that, in microseconds
	usual      time.Duration // the same when there is no overload: it follows a fall in a second, and a rise in thirty
	ticked     time.Duration
	ended      uint64 // calls, until the last tick
	endedLow   uint32
	overloaded [classes]bool
	target     time.Duration // how long a call may wait while overloaded
	patience   time.Duration // and else
	interval   interval
	calm       time.Duration // since when nothing is wrong, while telling
	counted    uint64        // calls that were refused, until then
	telling    bool          // an event of the beginning was told, and none of the end
	events     []Event       // to be told
}

// New makes a Shedder. It fails when an option is wrong.
func New(opts ...Option) (*Shedder, error) {
	s := &Shedder{config: defaults()}
	if err := option.Set(&s.config, opts); err != nil {
		return nil, fmt.Errorf("loadshed: %w", err)
	}
	if err := s.config.check(); err != nil {
		return nil, fmt.Errorf("loadshed: %w", err)
	}
	s.start = time.Now()
	s.room = s.config.room
	s.limit.Store(int64(s.config.first))
	if s.config.fixed == 0 {
		s.climber = newClimber(s.config.first, s.config.least, s.config.most)
	}
	if s.config.threshold > 0 || s.config.stall > 0 {
		s.meter = processor.NewMeter(s.config.root)
	} else {
		s.meterAt = forever
	}
	s.table = newTable(ReasonOverloaded, "overloaded; try again later", "", s.config.retryAfter)
	s.setPatience()
	return s, nil
}

// Acquire begins a call, or says why it is refused: with an Unavailable that ErrRefused is found in, or with the error of ctx, when that
// ends while the call waits. When there is no error the caller calls done with the call's error when that has ended, once: a second time
// does nothing, unless another call was begun meanwhile, which it could end too early. The priority of the call is that of
// transport.PriorityOf. It does not allocate.
//
// Middleware does this by itself; Acquire is for work that comes in another way. Who holds a place must not ask for another: it may wait
// for itself.
func (s *Shedder) Acquire(ctx context.Context) (done func(err error), err error) {
	if s == nil || s.table == nil {
		return nil, errZeroShedder
	}
	began, v := s.begin(ctx)
	if v != granted {
		return nil, s.table.refusal(ctx, v, endpoint.Server)
	}
	return s.tickets.take(s, began), nil
}

var errZeroShedder = errors.New("loadshed: a Shedder that New has not made")

// finish ends a call that returned err. The place is free again also when Useful panics.
func (s *Shedder) finish(began time.Duration, err error) {
	if err == nil {
		s.end(began, true)
		return
	}
	useful := false
	defer func() { s.end(began, useful) }()
	useful = s.config.useful(err)
}

const forever = time.Duration(math.MaxInt64)

// untimed is when a call began that is not timed.
const untimed = -1

// begin lets a call in, at once or after it has waited, or not. It returns when it began.
func (s *Shedder) begin(ctx context.Context) (began time.Duration, v verdict) {
	if s.strict.Load() && transport.PriorityOf(ctx) < transport.PriorityDefault {
		return s.queue(ctx)
	}
	w, ok := s.enter()
	if !ok {
		return s.queue(ctx)
	}
	if uint32(w>>40)&s.mask.Load() == 0 {
		return s.now(), granted
	}
	return untimed, granted
}

// queue is begin for a call that may have to wait.
func (s *Shedder) queue(ctx context.Context) (began time.Duration, v verdict) {
	c, now := classOf(transport.PriorityOf(ctx)), s.now()
	if ctx.Err() != nil {
		return 0, s.count(c, gone)
	}
	s.mu.Lock()
	s.tick(now)
	entered, v := s.admit(ctx, now, c)
	if entered || v != granted {
		s.count(c, v)
		s.tellOr(s.unlock(), func() {
			if entered {
				s.leave()
			}
		})
		return now, v
	}
	w, limit := s.join(now, c), s.line.queues[c].wait
	s.dispatch(now)
	s.tellOr(s.unlock(), func() { s.abandon(w, gone) })
	if v = s.await(ctx, w, limit); v == granted {
		now = s.now()
	}
	return now, s.count(c, v)
}

func (s *Shedder) count(c class, v verdict) verdict {
	s.refused[v][c].Add(1)
	return v
}

// admit lets a call in, or decides whether it may wait. The caller holds mu.
func (s *Shedder) admit(ctx context.Context, now time.Duration, c class) (entered bool, v verdict) {
	if c == sheddable && s.strict.Load() {
		return false, pressed
	}
	if _, entered = s.enter(); entered {
		return true, granted
	}
	ahead := s.line.ahead(c)
	expected := s.took * time.Duration(ahead+1) / time.Duration(s.limit.Load())
	if at, ok := ctx.Deadline(); ok && time.Until(at) < expected {
		return false, hopeless
	}
	if ahead > 0 && expected > s.line.queues[c].wait {
		return false, late
	}
	if s.line.len >= s.room {
		other := s.line.below(c)
		if other == nil {
			return false, full
		}
		s.settle(now, other, full)
	}
	return false, granted
}

// end ends a call.
func (s *Shedder) end(began time.Duration, useful bool) {
	if began != untimed {
		now := s.now()
		s.time(now - began)
		if s.exit(useful) {
			s.mu.Lock()
			s.tick(now)
			s.dispatch(now)
			s.told(s.unlock())
		} else if int64(now) >= s.next.Load() && s.mu.TryLock() {
			s.tick(now)
			s.told(s.unlock())
		}
		return
	}
	if s.exit(useful) {
		now := s.now()
		s.mu.Lock()
		s.tick(now)
		s.dispatch(now)
		s.told(s.unlock())
	}
}

// time notes how long a call has taken.
func (s *Shedder) time(took time.Duration) {
	s.timed.took.Add(int64(took))
	micros := min(took, longestTimed).Microseconds()
	s.timed.squares.Add(micros * micros)
	s.timed.count.Add(1)
}

// longestTimed is as long as a call may take to be squared.
const longestTimed = time.Minute

// unlock gives mu back, looks at the processors, and returns the events that are to be told.
func (s *Shedder) unlock() (events []Event) {
	if s.look {
		s.look = false
		s.mu.Unlock()
		usage := s.meter.Read(s.now()) // which takes too long for others to wait
		s.mu.Lock()
		s.metered(usage)
	}
	events, s.events = s.events, nil
	s.mu.Unlock()
	return events
}

// told tells the events. When one of those who are told panics the others are told nevertheless.
func (s *Shedder) told(events []Event) {
	for len(events) > 0 {
		first := events[0]
		events = events[1:]
		tell(s.config.told, first)
	}
}

// tell tells all of them, whichever panics.
func tell[E any](told []func(E), event E) {
	if len(told) == 0 {
		return
	}
	defer tell(told[1:], event)
	told[0](event)
}

// tellOr tells the events, and undoes what the call has got when that panics.
func (s *Shedder) tellOr(events []Event, undo func()) {
	if len(events) == 0 {
		return
	}
	well := false
	defer func() {
		if !well {
			undo()
		}
	}()
	s.told(events)
	well = true
}

// How often tick looks.
const (
	seldom   = 50 * time.Millisecond
	often    = time.Millisecond
	timings  = 2000 // calls a second that are timed, about
	mostMask = 15
)

// tick measures, and sets what follows from it, if it is time. The caller holds mu.
func (s *Shedder) tick(now time.Duration) {
	if int64(now) < s.next.Load() {
		return
	}
	w := word(s.word.Load())
	ended := uint64((w.ended() - s.endedLow) & (1<<24 - 1))
	s.endedLow, s.ended = w.ended(), s.ended+ended
	elapsed := now - s.ticked
	if elapsed > 0 {
		every := uint64(float64(ended)/elapsed.Seconds()) / timings
		s.mask.Store(uint32(min(1<<bits.Len64(every)-1, mostMask)))
	}
	s.ticked = now
	if n := s.timed.count.Swap(0); n > 0 {
		took, squares := time.Duration(s.timed.took.Swap(0)/n), float64(s.timed.squares.Swap(0)/n)
		weight := weight(s.took, n)
		s.took += time.Duration(float64(took-s.took) * weight)
		s.squares += (squares - s.squares) * weight
	}
	s.usual = usually(s.usual, s.took, elapsed, now)
	if now >= s.meterAt {
		s.meterAt, s.look = forever, true // until that is done
	}
	s.setPatience()
	s.watch(now)
	if s.climber != nil {
		s.climber.step(reading{
			now: now, useful: s.ended - s.useless.Load(), waited: s.line.waited.until(now), inProgress: w.inProgress(),
			took: s.took, usual: s.usual, spread: s.spread(), busy: s.strict.Load(),
		})
		s.limit.Store(int64(s.climber.now()))
		s.dispatch(now)
	}
	s.tell(now)
	s.next.Store(int64(now + min(max(s.took/4, often), seldom)))
}

// usually returns how long calls take usually, which it was before, after they have taken that long for a time. In the beginning that is
// the average since then: the first calls that end are the shortest.
func usually(before, took, elapsed, now time.Duration) time.Duration {
	if before == 0 {
		return took
	}
	adapts := min(now, 30*time.Second)
	if took < before {
		adapts = min(now, time.Second)
	}
	return before + time.Duration(float64(took-before)*-math.Expm1(-float64(elapsed)/float64(adapts)))
}

// spread returns the square of the coefficient of variation of how long calls take.
func (s *Shedder) spread() float64 {
	mean := float64(s.took) / float64(time.Microsecond)
	if mean <= 0 {
		return 0
	}
	return max(s.squares/(mean*mean)-1, 0)
}

func weight(before time.Duration, n int64) float64 {
	if before == 0 {
		return 1
	}
	return float64(n) / float64(n+30)
}
