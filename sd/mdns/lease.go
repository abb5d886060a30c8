package mdns

import (
	"math/rand/v2"
	"time"
)

const (
	firstAsk = 80               // percent of the TTL after which a record is asked for again
	askStep  = 5                // percent from there to the next time (RFC 6762, section 5.2)
	asks     = 4                // times
	jitter   = 2                // percent that are random
	minTTL   = 2 * time.Second  // of what is announced, which is not to be said more often than once in a second
	maxTTL   = 75 * time.Minute // (RFC 6762, section 10)
)

// lease is how long a record holds. The zero lease has ended.
type lease struct {
	from  time.Time
	ttl   time.Duration
	asked int // times since it was renewed
	shift int // thousandths of the TTL by which it is asked for later
}

func newLease(now time.Time, seconds uint32) lease {
	return lease{from: now, ttl: min(time.Duration(seconds)*time.Second, maxTTL), shift: rand.IntN(10 * jitter)} //nolint:gosec // no secret
}

func (l *lease) end() time.Time { return l.from.Add(l.ttl) }

func (l *lease) live(now time.Time) bool { return l.ttl > 0 && now.Before(l.end()) }

// next returns when the record is to be asked for, or ends.
func (l *lease) next() time.Time {
	if l.asked == asks {
		return l.end()
	}
	thousandths := 10*(firstAsk+l.asked*askStep) + l.shift
	return l.from.Add(l.ttl * time.Duration(thousandths) / 1000)
}

// ask says whether the record is to be asked for now, which counts as done then.
func (l *lease) ask(now time.Time) bool {
	due := false
	for l.live(now) && l.asked < asks && !now.Before(l.next()) {
		l.asked++
		due = true
	}
	return due
}

// known says whether more than half of the lease is left, so that whoever announces the record need not say it again.
func (l *lease) known(now time.Time) bool { return l.live(now) && l.end().Sub(now) > l.ttl/2 }

// renew makes a lease that has not ended when the links were lost whole again.
func (l *lease) renew(now time.Time) {
	if l.ttl > 0 {
		*l = newLease(now, uint32(l.ttl/time.Second))
	}
}
