package lb

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	latencyWindow  = 2048 // calls that are remembered, at most, with half of their weight after as many more
	latencyRefresh = 64   // after how many calls the percentile is reckoned again
	latencyDigits  = 4    // bits of a duration that count, so that it is known to a sixteenth

	latencyBuckets = (64 - latencyDigits) << latencyDigits
	slowestNeeded  = 10  // calls above the percentile, for it to say anything
	fewestNeeded   = 100 // calls
)

// latencies learns how long calls take: a histogram of the last of them, whose buckets are a sixteenth of a power of two wide. It
// is safe for concurrent use, and takes no lock.
type latencies struct {
	percentile float64
	needed     uint64

	buckets [latencyBuckets]atomic.Uint32
	count   atomic.Uint64
	busy    atomic.Bool
	known   atomic.Int64 // the percentile, in nanoseconds; 0 until there are enough
}

func newLatencies(percentile float64) *latencies {
	return &latencies{percentile: percentile, needed: max(fewestNeeded, uint64(math.Ceil(slowestNeeded/(1-percentile))))}
}

// observe tells how long a call took.
func (l *latencies) observe(took time.Duration) {
	l.buckets[latencyBucket(uint64(max(took, 0)))].Add(1)
	if l.count.Add(1)%latencyRefresh == 0 && l.busy.CompareAndSwap(false, true) {
		l.refresh()
		l.busy.Store(false)
	}
}

// reached is how long it takes until all calls but those above the percentile have ended, 0 if that is not known.
func (l *latencies) reached() time.Duration { return time.Duration(l.known.Load()) }

func (l *latencies) refresh() {
	total := uint64(0)
	for i := range l.buckets {
		total += uint64(l.buckets[i].Load())
	}
	if total < l.needed {
		return
	}
	rank := uint64(math.Ceil(l.percentile * float64(total)))
	seen := uint64(0)
	for i := range l.buckets {
		if seen += uint64(l.buckets[i].Load()); seen >= rank {
			l.known.Store(max(1, latencyBound(i))) // rather a little late than for calls that are no slower
			break
		}
	}
	if total < max(latencyWindow, 2*l.needed) {
		return
	}
	for i := range l.buckets {
		if half := l.buckets[i].Load() / 2; half > 0 {
			l.buckets[i].Add(-half)
		}
	}
}

// latencyBucket returns the bucket of ns nanoseconds.
func latencyBucket(ns uint64) int {
	if ns < 1<<latencyDigits {
		return int(ns)
	}
	shift := bits.Len64(ns) - 1 - latencyDigits
	return shift<<latencyDigits + int(ns>>shift)
}

// latencyBound returns the largest number of nanoseconds that is in the bucket.
func latencyBound(bucket int) int64 {
	if bucket < 1<<latencyDigits {
		return int64(bucket)
	}
	shift := bucket>>latencyDigits - 1
	leading := int64(bucket) - int64(shift)<<latencyDigits
	return (leading+1)<<shift - 1
}
