package lb

import "time"

// pace limits how much time is spent on making snapshots, which takes the longer the more instances there are, to a tenth, but for those
// that take so long that a change would have to wait for more than paceCredit. What was not spent may be spent at once, up to a limit, so
// that a change after a while of quiet is seen at once. A snapshot that is urgent, since the one before has instances that are not to be
// picked, waits only so long that a thousand of them that fail together are not a thousand snapshots, and that it is half of the time at
// most.
type pace struct {
	last  time.Duration // when the last was made
	took  time.Duration // how long that has taken
	debt  time.Duration // until when what was spent is more than a tenth
	since time.Duration // since when the snapshot is stale
	stale bool
}

const (
	paceFactor = 10
	paceCredit = 50 * time.Millisecond
	paceGather = 5 * time.Millisecond
	paceMany   = 1000                  // with fewer instances what is urgent does not wait
	paceUrgent = 200 * time.Nanosecond // with more, it waits so long for each since the last
)

// refresh makes a new snapshot of what is stale, and returns how long that has to wait.
func (p *Pool[C]) refresh(now time.Duration) (wait time.Duration) {
	if !p.stale {
		return never
	}
	if !p.pace.stale {
		p.pace.stale, p.pace.since = true, now
	}
	wait = p.rest(now)
	if p.urgent {
		wait = 0
		if n := len(p.nodes); n > paceMany {
			wait = p.pace.last + max(p.pace.took, min(paceUrgent*time.Duration(n), paceGather)) - now
		}
	}
	if wait > 0 {
		return wait
	}
	p.publish()
	p.depart(now)
	took := p.clock.Now() - now
	p.pace = pace{last: now + took, took: took, debt: min(max(p.pace.debt, now)+paceFactor*took, now+took+2*paceCredit)}
	return never
}

// rest is how long a snapshot that is not urgent has to wait. While many are dialled it waits for more of them.
func (p *Pool[C]) rest(now time.Duration) time.Duration {
	wait := p.pace.debt - now - paceCredit
	if most := len(p.current.Load().nodes); p.dials.slots > 0 && p.counts.connected < most+most/4 {
		wait = max(wait, p.pace.since+paceGather-now)
	}
	return wait
}
