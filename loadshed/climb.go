package loadshed

import (
	"math"
	"time"
)

// The climber's constants, chosen by simulation: docs/loadshed.md.
const (
	dip       = 0.75                   // the lower limit of the two that are compared, as a share of the upper
	worth     = 0.25                   // how much of a rise of the limit has to come back as throughput; 1 would be all
	gain      = 0.5                    // how far a comparison moves the limit, in logarithms
	doubt     = 40                     // calls in a phase at which a comparison counts half
	fewest    = 200                    // calls that a phase should have
	shortest  = 10 * time.Millisecond  // phase
	longest   = 250 * time.Millisecond // that a phase waits for them, or four times as long as it would without them
	saturated = 0.8                    // of a phase: for so long somebody must have waited
	trust     = 0.75                   // how far from worth what came back is believed to be: it is 0 to 1, and the rest chance
	clear     = 0.1                    // the least move that says something
	certain   = 4                      // comparisons alike, after which the limit is not near where it should be
	quicken   = 1.6                    // how much further each moves the limit then, than the one before
	quickest  = 3                      // up to so much
	furthest  = 0.7                    // that the limit moves at once, in logarithms: twice, or half
	memory    = 10 * time.Second       // in which a limit that nobody reaches is given up
)

// climber finds the limit with which the throughput is nearly as high as with any higher one. While calls wait, it lets the limit alternate
// between two values and compares how many calls a second come to a useful end. If fewer do with the lower one, in proportion, all calls
// in progress were being worked on, and the limit rises; if as many do, some of them were waiting for others within the service, and
// it falls. So it needs to know neither how long calls take nor whether that changes. As with the number of threads in .NET
// (Hellerstein, Morrison and Eilebrecht: Applying Control Theory in the Real World, 2009) and with transactions in databases
// (Heiss and Wagner: Adaptive Load Control in Transaction Processing Systems, 1991).
type climber struct {
	least, most float64
	first       float64 // the limit at the beginning

	limit     float64 // the upper one
	lower     bool    // whether the lower one is in force
	measuring bool    // whether the calls in progress have adapted to it
	began     time.Duration
	from      reading
	upper     float64 // useful calls a second with the upper limit; 0 if unknown
	upperCnt  float64
	last      float64 // what the last comparison has moved it by
	alike     int     // how many have said the same
	boost     float64 // while the limit is not near
	near      bool    // whether the limit is about right
	peak      float64 // calls in progress in this phase, at most
}

// reading is what the climber is told now and then. The counts only grow.
type reading struct {
	now        time.Duration
	useful     uint64        // calls that have come to a useful end
	waited     time.Duration // for how long somebody has waited for a place
	inProgress int           // calls
	took       time.Duration // how long calls take at present
	busy       bool          // the processor is
}

func newClimber(first, least, most int) *climber {
	return &climber{least: float64(least), most: float64(most), first: float64(first), limit: float64(first), boost: 1}
}

// high and low are the two limits.
func (c *climber) high() int { return int(math.Round(c.limit)) }

func (c *climber) low() int {
	return max(1, min(int(math.Round(c.limit*dip)), c.high()-1))
}

// now returns the limit in force.
func (c *climber) now() int {
	if c.lower {
		return c.low()
	}
	return c.high()
}

// step takes a reading.
func (c *climber) step(r reading) {
	c.peak = max(c.peak, float64(r.inProgress))
	if !c.measuring {
		if r.now-c.began >= max(r.took, shortest/4) {
			c.measuring, c.from = true, r
		}
		return
	}
	took, calls := r.now-c.from.now, float64(r.useful-c.from.useful)
	enough, longest, want := max(2*r.took, shortest), longest, float64(fewest)
	if !c.lower {
		enough, longest, want = 2*enough, 2*longest, 2*want
	}
	if !c.near {
		longest, want = longest/4, want/4
	}
	if took < enough || calls < want && took < max(4*enough, longest) {
		return
	}
	rate := calls / took.Seconds()
	full := float64(r.waited-c.from.waited) >= saturated*float64(took)
	switch {
	case !full:
		c.relax(took, r.busy)
		c.begin(r, false)
	case !c.lower:
		c.upper, c.upperCnt = rate, calls
		c.begin(r, true)
	default:
		c.compare(rate, calls)
		c.begin(r, false)
	}
}

func (c *climber) begin(r reading, lower bool) {
	c.lower, c.measuring, c.began, c.peak = lower, false, r.now, float64(r.inProgress)
	if !lower {
		c.upper = 0
	}
}

// compare moves the limit by what a lower one has brought.
func (c *climber) compare(rate, calls float64) {
	if c.upper == 0 || calls == 0 || c.upperCnt == 0 {
		return
	}
	share := math.Log(c.upper/rate) / math.Log(float64(c.high())/float64(c.low()))
	move := gain * (min(max(share, worth-trust), worth+trust) - worth) * calls / (calls + doubt)
	if math.Abs(move) > clear && math.Signbit(move) == math.Signbit(c.last) {
		c.alike++
	} else {
		c.near, c.alike = c.near || c.last != 0, 0
	}
	c.near = c.near && c.alike < certain
	if c.near {
		c.boost = 1
	} else {
		c.boost = min(c.boost*quicken, quickest)
	}
	c.last = move
	c.limit *= math.Exp(min(max(move*c.boost, -furthest), furthest))
	c.limit = min(max(c.limit, c.least), c.most)
}

// relax lets go of a limit that is far from being reached.
func (c *climber) relax(took time.Duration, busy bool) {
	c.boost, c.last, c.alike, c.near = 1, 0, 0, false
	enough := max(2*c.peak, c.first)
	if busy {
		c.limit = min(c.limit, max(c.peak, c.least))
	}
	if c.limit > enough {
		c.limit += (enough - c.limit) * -math.Expm1(-float64(took)/float64(memory))
	}
}
