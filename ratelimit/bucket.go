package ratelimit

import (
	"math/bits"
	"time"
)

// bucket is the arithmetic of a token bucket whose state is one number: the time at which it will be full (GCRA, the generic cell rate
// algorithm, ITU-T I.371, section A.2: the "theoretical arrival time"). The number of a bucket that is full is in the past, so that 0 is
// that of a new one, and nothing is lost by forgetting it.
//
// Times are ticks. An event is a power of two of them, of such a length that a tick is one to two nanoseconds, so that buckets count events
// exactly, whatever the rate: rounding an interval to nanoseconds would let bursts be one short, or rates be wrong by a part in a thousand.
type bucket struct {
	limit Limit
	shift uint   // an event is 1<<shift ticks
	ratio uint64 // ticks in a nanosecond, times 1<<63, rounded up
	full  int64  // ticks that an empty bucket takes to be full
}

// newBucket returns the bucket of a limit that Check accepts.
func newBucket(limit Limit) bucket {
	b := bucket{limit: limit}
	events, period := uint64(limit.Events), uint64(limit.Period)
	for events<<1 <= period {
		events <<= 1
		b.shift++
	}
	var rest uint64
	if b.ratio, rest = bits.Div64(events>>1, events<<63, period); rest > 0 {
		b.ratio++
	}
	b.full = int64(limit.Capacity()) << b.shift
	return b
}

// ticks turns a time that has passed into ticks.
func (b *bucket) ticks(passed time.Duration) int64 {
	ticks, _ := bits.Mul64(uint64(passed)<<1, b.ratio)
	return int64(ticks)
}

// duration turns ticks into a time in which as many surely pass.
func (b *bucket) duration(ticks int64) time.Duration {
	d, rest := bits.Div64(uint64(ticks)>>1, uint64(ticks)<<63, b.ratio)
	if rest > 0 {
		d++
	}
	return time.Duration(d)
}

// take takes n events from the bucket that is full at *at, at the time now, or none. N is from 0 to the capacity.
func (b *bucket) take(at *int64, now int64, n int) Decision {
	now = max(now, *at-b.full) // when it was empty, which a call that read the clock earlier may have come after
	filled := max(*at, now)
	after := filled + int64(n)<<b.shift
	d := Decision{Limit: b.limit}
	if missing := after - now - b.full; missing > 0 {
		d.RetryAfter = b.duration(missing)
	} else {
		d.Allowed = true
		*at, filled = after, after
	}
	d.Remaining = int((b.full - (filled - now)) >> b.shift)
	d.Reset = b.duration(filled - now)
	return d
}
