package lb

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// Node is one instance as policies see it, with what the pool knows of its load. It is the same as long as the instance stays in the set
// with the same ID and address. Its methods are safe for concurrent use.
type Node struct {
	// calls counts: the lower half how many are in flight, with the highest bit of it set when no more may begin; the upper half, modulo
	// 2^32, how many have begun. So one addition begins a call, and one ends it.
	calls atomic.Uint64
	cost  atomic.Uint64 // a reading: the bits of a float32 in nanoseconds above, the time of it in ticks below
	share atomic.Uint64 // the bits of a float64
	clock *clock
	mask  atomic.Uint32 // one call of mask+1 is timed; mask+1 is a power of two
	fails atomic.Uint32 // failed calls since the last that did not
	bad   atomic.Uint64 // failed calls
	total atomic.Bool   // its calls count in clock.inFlight
	// withheld is how many calls did not reach the instance, since they were withheld from it, modulo 2^32.
	withheld atomic.Uint32
	_        [8]byte // these take a line of the processor's cache

	instance atomic.Pointer[sd.Instance]
	id       string
	_        [40]byte // so that the allocator, too, gives it lines of its own
}

const (
	begun   = uint64(1) << 32
	closing = uint64(1) << 31
	flying  = closing - 1
)

// newNode returns the node of an instance without any calls.
func newNode(instance sd.Instance, clock *clock) *Node {
	n := &Node{id: instance.ID, clock: clock}
	n.set(instance)
	return n
}

func (n *Node) set(instance sd.Instance) {
	n.instance.Store(&instance)
	n.share.Store(math.Float64bits(float64(instance.Share())))
}

// ID is that of the instance.
func (n *Node) ID() string { return n.id }

// Instance is what the registry says of the instance. It must not be changed.
func (n *Node) Instance() sd.Instance { return *n.instance.Load() }

// Share is the part of the calls that the instance is meant to have, in relation to others.
func (n *Node) Share() float64 { return math.Float64frombits(n.share.Load()) }

// InFlight is the number of calls that have begun and not ended.
func (n *Node) InFlight() int { return int(n.calls.Load() & flying) }

// begin counts a call, and returns the count, with the bit of closing where the call may not go on. Each is followed by one end, also then.
func (n *Node) begin() (calls uint64) {
	calls = n.calls.Add(begun + 1)
	if n.total.Load() {
		n.clock.inFlight.Add(1)
	}
	return calls
}

// times says whether the call is to be timed that begin has counted.
func (n *Node) times(calls uint64) bool { return uint32(calls>>32)&n.mask.Load() == 0 }

// end counts the end of a call, and returns true for the last one of an instance that departs.
func (n *Node) end() (drained bool) {
	calls := n.calls.Add(^uint64(0))
	if n.total.Load() {
		n.clock.inFlight.Add(-1)
	}
	return calls&(closing|flying) == closing
}

// count makes the calls of the node count in clock.inFlight.
func (n *Node) count() {
	if n.total.CompareAndSwap(false, true) {
		n.clock.inFlight.Add(int64(n.InFlight()))
	}
}

// depart lets no more calls begin, and says whether there are none.
func (n *Node) depart() (idle bool) { return n.calls.Or(closing)&flying == 0 }

// started is how many calls have begun, modulo 2^32.
func (n *Node) started() uint32 { return uint32(n.calls.Load() >> 32) }

// Cost is what a call of the instance costs by what was observed, in nanoseconds: a moving average of how long calls take, which
// follows a rise at once and a fall slowly, and approaches 0 while nothing is observed. 0 is unknown. See PeakEWMA.
func (n *Node) Cost() float64 {
	cost, at := unpack(n.cost.Load())
	idle := ticks(n.clock.Last()) - at
	if idle < idleTicks || idle > newerTicks {
		return cost
	}
	return cost * decay(idle)
}

// waned is what is left of a whole since something was observed last.
func (n *Node) waned() float64 {
	_, at := unpack(n.cost.Load())
	idle := ticks(n.clock.Last()) - at
	if idle > newerTicks {
		return 1
	}
	return decay(idle)
}

// Failing is how many calls in a row have failed.
func (n *Node) Failing() int { return int(n.fails.Load()) }

// failed counts a call that failed, and returns how many have in a row.
func (n *Node) failed() (inRow uint32) {
	n.bad.Add(1)
	return n.fails.Add(1)
}

// succeeded counts a call that did not fail.
func (n *Node) succeeded() {
	if n.fails.Load() != 0 {
		n.fails.Store(0)
	}
}

// observe tells how long a call took that ended now, by the clock of the node, and whether it failed.
func (n *Node) observe(now, took time.Duration, failed bool) {
	at := ticks(now)
	for {
		old := n.cost.Load()
		cost, before := unpack(old)
		since := at - before
		if since > newerTicks {
			since, at = 0, before
		}
		if n.cost.CompareAndSwap(old, pack(next(cost, float64(took), since, failed), at)) {
			n.thin(since)
			return
		}
	}
}

// thin makes an instance with many calls have fewer of them timed, since reading the clock twice costs more than all else.
func (n *Node) thin(since uint32) {
	mask := n.mask.Load()
	switch {
	case since < often && mask < maxMask:
		n.mask.Store(mask<<1 | 1)
	case since > seldom && mask > 0:
		n.mask.Store(mask >> 1)
	}
}

// estimate sets the cost of an instance of which nothing is known.
func (n *Node) estimate(cost float64) { n.cost.Store(pack(cost, ticks(n.clock.Last()))) }

// next is the cost after an observation.
func next(cost, took float64, since uint32, failed bool) float64 {
	switch {
	case failed && (took < cost || cost == 0): // many that are broken are quick to say so; that they are is counted elsewhere
		return cost
	case took >= cost:
		return took
	}
	keep := decay(since)
	return cost*keep + took*(1-keep)
}

const (
	tickBits   = 16 // a tick is 2^16 ns, some 66 µs, so that 32 bits of them are three days
	idleTicks  = uint32(decayTime / 64 >> tickBits)
	newerTicks = math.MaxUint32 - uint32(time.Minute>>tickBits) // what is more is the time since an observation that is newer

	often   = uint32(2 * time.Millisecond >> tickBits) // between two timed calls of an instance
	seldom  = uint32(8 * time.Millisecond >> tickBits)
	maxMask = 15

	// decayTime is how long it takes until an observation counts a third: 1/e. As in Finagle.
	decayTime = 10 * time.Second
)

func ticks(t time.Duration) uint32 { return uint32(uint64(t) >> tickBits) }

func decay(since uint32) float64 {
	const scale = -float64(1<<tickBits) / float64(decayTime)
	return math.Exp(float64(since) * scale)
}

func pack(cost float64, at uint32) uint64 {
	return uint64(math.Float32bits(float32(cost)))<<32 | uint64(at)
}

func unpack(reading uint64) (cost float64, at uint32) {
	return float64(math.Float32frombits(uint32(reading >> 32))), uint32(reading)
}
