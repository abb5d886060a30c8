package loadshed

import (
	"math"
	"time"
)

// The climber's constants, chosen by simulation: docs/loadshed.md.
const (
	dip       = 0.75                   // the lower limit of the two that are compared, as a share of the upper
	deep      = 0.5                    // the same after so many moves down without one up,
	steady    = 3                      // or at the beginning where that is more than so many,
	few       = 32                     //
	far       = 3                      // or while calls take so many times as long as usually
	worth     = 0.2                    // how much of a rise of the limit has to come back as throughput; 1 would be all
	gain      = 0.5                    // how far a comparison moves the limit, in logarithms
	steeper   = 2                      // how much further it moves it down, since what came back is not far from worth at the least
	trust     = 0.75                   // how far from worth what came back is believed to be: it is 0 to 1, and the rest chance
	sure      = 1.5                    // by how many standard errors what came back differs from worth, to be acted upon
	certain   = 3                      // and to go on upwards at once
	half      = 0.6                    // what must not have come back to go on downwards
	exact     = 0.2                    // or how small that error is
	patient   = 8                      // or after how many comparisons
	leap      = 1.5                    // by how much the limit goes on at first,
	farthest  = 2                      // and at most
	spare     = 1.25                   // of the limit where it is known to be just enough
	fewest    = 100                    // calls that a phase should have,
	longest   = 250 * time.Millisecond // for which it waits so long, or twice as long as otherwise
	shortest  = 10 * time.Millisecond  // phase
	saturated = 0.8                    // of a phase: for so long somebody must have waited
	memory    = 10 * time.Second       // in which a limit that nobody reaches is given up

	// What keeps a comparison from looking more exact than it is: calls that all take the same time come and go at any, and the processors
	// have other things to do.
	leastSpread = 0.05
	unrest      = 0.02 * 0.02
)

// climber finds the limit with which the throughput is nearly as high as with any higher one. While calls wait, it lets the limit
// alternate between two values and compares how many calls a second come to a useful end. If fewer do with the lower one, in proportion,
// all calls in progress were being worked on, and the limit rises; if as many do, some of them were waiting for others within the
// service, and it falls. So it needs to know neither how long calls take nor whether that changes. As with the number of threads in .NET
// (Hellerstein, Morrison and Eilebrecht: Applying Control Theory in the Real World, 2009) and with transactions in databases (Heiss and
// Wagner: Adaptive Load Control in Transaction Processing Systems, 1991). Where a comparison leaves no doubt the limit goes on in that
// direction, each phase compared with the one before, until that was too far.
type climber struct {
	floor       float64 // of what is in force
	least, most float64 // of what is thought to be right: least leaves room for a dip
	first       float64 // the limit at the beginning

	limit     float64 // what is thought to be right
	phase     phase
	at        float64 // the limit in force
	cold      bool    // whether nobody has waited until lately
	measuring bool    // whether the calls in progress have adapted to it
	began     time.Duration
	from      reading
	falls     int           // how many moves down there were, without one up
	shallow   time.Duration // until then there are no deep dips
	before    flow          // of the phase before
	share     float64       // of a rise of the limit that came back: the sum over the comparisons, each by its weight
	weight    float64       // of all of them: the reciprocal of the square of the standard error
	compared  int           // how many there were
	ratio     float64       // of the limits of the last two phases, when going on
	peak      float64       // calls in progress in this phase, at most
}

// phase is what the limit in force is for.
type phase uint8

const (
	upper phase = iota // the limit itself
	lower              // a dip, to compare
	up                 // going on
	down               // going on
)

// flow is how many calls have come to a useful end, with which limit.
type flow struct{ limit, calls, rate float64 }

// reading is what the climber is told now and then. The counts grow.
type reading struct {
	now        time.Duration
	useful     uint64        // calls that have come to a useful end; it may be a little less than before
	waited     time.Duration // for how long somebody has waited for a place
	inProgress int           // calls
	took       time.Duration // how long calls take at present
	usual      time.Duration // and how long usually
	spread     float64       // the square of the coefficient of variation of that
	busy       bool          // the processor is
}

func newClimber(first, least, most int) *climber {
	c := &climber{floor: float64(least), most: float64(most), first: float64(first), limit: float64(first), cold: true}
	c.least = min(max(math.Ceil(c.floor/dip), c.floor+1), c.most)
	if first > few {
		c.falls = steady
	}
	c.begin(reading{}, upper, c.limit)
	return c
}

// now returns the limit in force.
func (c *climber) now() int { return int(c.at) }

// step takes a reading.
func (c *climber) step(r reading) {
	c.peak = max(c.peak, float64(r.inProgress))
	if !c.measuring {
		if float64(r.inProgress) <= c.at && r.now-c.began >= max(r.took/2, shortest/4) {
			c.measuring, c.from = true, r
		}
		return
	}
	span, calls := r.now-c.from.now, float64(max(int64(r.useful-c.from.useful), 0))
	enough, atMost, want := max(2*r.took, shortest), longest, float64(fewest)
	if c.phase == upper && r.took <= far*r.usual { // where it costs nothing
		enough, atMost, want = 2*enough, 2*atMost, 2*want
	}
	if span < enough || calls < want && span < max(2*enough, atMost) {
		return
	}
	if float64(r.waited-c.from.waited) < saturated*float64(span) {
		c.relax(span, r.busy)
		c.begin(r, upper, c.limit)
		return
	}
	before, have := c.before, flow{limit: c.at, calls: calls, rate: calls / span.Seconds()}
	c.before = have
	switch {
	case c.cold: // the calls within the service were not yet as many as they will be
		c.cold, c.limit = false, c.within(c.limit)
		c.begin(r, upper, c.limit)
	case c.phase == upper:
		depth := dip
		if (r.took > far*r.usual || c.falls >= steady) && r.now >= c.shallow {
			depth = deep
		}
		c.begin(r, lower, max(c.floor, min(math.Round(c.limit*depth), c.at-1)))
	case before.calls == 0 || calls == 0 || before.limit == have.limit:
		c.begin(r, upper, c.limit)
	case c.phase == lower:
		c.compare(r, before, have)
	default:
		c.goOn(r, before, have)
	}
}

func (c *climber) begin(r reading, p phase, at float64) {
	c.phase, c.at, c.measuring, c.began, c.peak = p, math.Round(at), false, r.now, float64(r.inProgress)
}

// shareOf returns how much of a rise of the limit came back, and the weight of that.
func shareOf(a, b flow, spread float64) (share, weight float64) {
	step := math.Log(a.limit / b.limit)
	return math.Log(a.rate/b.rate) / step, step * step / (max(spread, leastSpread)*(1/a.calls+1/b.calls) + 2*unrest)
}

// compare notes what a dip has brought, and moves the limit when that is clear.
func (c *climber) compare(r reading, before, have flow) {
	came, weight := shareOf(before, have, r.spread)
	c.share += weight * came
	c.weight += weight
	c.compared++
	share, wrong := c.share/c.weight, 1/math.Sqrt(c.weight)
	off := share - worth
	if have.limit < c.limit*(deep+dip)/2 && share+sure*wrong < half { // much too high
		c.forget()
		c.ratio = 1 / deep
		c.begin(r, down, c.within(have.limit/c.ratio))
		return
	}
	if have.limit < c.limit*(deep+dip)/2 { // it is not, and calls just take longer than they did
		c.shallow, c.falls = r.now+memory, 0
	}
	if math.Abs(off) < sure*wrong && wrong > exact && c.compared < patient {
		c.begin(r, upper, c.limit)
		return
	}
	c.forget()
	if off >= certain*wrong {
		c.before, c.ratio = before, leap
		c.begin(r, up, c.within(before.limit*leap))
		return
	}
	if c.falls++; off > 0 {
		c.falls = 0
	} else {
		off *= steeper
	}
	c.limit = c.within(c.limit * math.Exp(gain*min(max(off, -trust), trust)))
	c.begin(r, upper, c.limit)
}

// goOn goes on, or stops where it has gone too far.
func (c *climber) goOn(r reading, before, have flow) {
	share, weight := shareOf(before, have, r.spread)
	wrong := 1 / math.Sqrt(weight)
	c.ratio = min(c.ratio*leap, farthest)
	switch {
	case c.phase == up && share-worth > certain*wrong && have.limit < c.most:
		c.begin(r, up, c.within(have.limit*c.ratio))
		return
	case c.phase == down && share+sure*wrong < half && have.limit > c.least:
		c.begin(r, down, c.within(have.limit/c.ratio))
		return
	}
	if c.limit = before.limit; c.phase == down { // the last that was surely not too far
		c.limit *= spare
	}
	c.limit = c.within(c.limit)
	c.begin(r, upper, c.limit)
}

func (c *climber) within(limit float64) float64 { return min(max(limit, c.least), c.most) }

func (c *climber) forget() { c.share, c.weight, c.compared = 0, 0, 0 }

// relax lets go of a limit that is far from being reached: in some time, or at once where the processor is busy.
func (c *climber) relax(span time.Duration, busy bool) {
	c.forget()
	c.cold = true
	if c.phase == up { // and this high it was not needed
		c.limit = c.within(c.at)
	}
	enough := max(2*c.peak, c.first)
	switch {
	case c.limit <= enough:
	case busy:
		c.limit = enough
	default:
		c.limit += (enough - c.limit) * -math.Expm1(-float64(span)/float64(memory))
	}
	c.limit = c.within(c.limit)
}
