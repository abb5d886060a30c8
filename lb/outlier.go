package lb

import (
	"math"
	"slices"
	"time"
)

const (
	rateEvery    = 10 * time.Second // how often success rates are compared
	rateMinCalls = 100              // of an instance in that time, for its rate to say anything
	rateMinNodes = 5                // that have so many, for their average to say anything
)

// eject takes a node out of what is picked, if not too many are already. So does Envoy, from which the terms and the numbers of rate
// are: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier.
func (p *Pool[C]) eject(n *node[C]) {
	n.fails.Store(0)
	if n.left || !n.connected || n.ejected {
		return
	}
	connected := 0
	for _, other := range p.nodes {
		if other.connected {
			connected++
		}
	}
	most := max(1, int(p.config.maxEjected*float64(connected)))
	if connected < 2 || len(p.out) >= most || p.config.maxEjected == 0 {
		return
	}
	now := p.clock.Now()
	if now-n.returned > p.config.ejectMax {
		n.ejects = 0
	}
	wait := min(p.config.ejectFirst<<min(n.ejects, 30), p.config.ejectMax)
	n.ejected, n.until, n.ejects = true, now+wait, n.ejects+1
	p.out = append(p.out, n)
	p.stale, p.urgent = true, true
	p.tell(Event{Kind: Ejected, Instance: n.Instance()})
}

// restore lets those back whose time is over, and returns how long until the next.
func (p *Pool[C]) restore(now time.Duration) (wait time.Duration) {
	wait = never
	p.out = slices.DeleteFunc(p.out, func(n *node[C]) bool {
		if n.until > now && !n.left {
			wait = min(wait, n.until-now)
			return false
		}
		n.ejected, n.returned = false, now
		n.fails.Store(0)
		n.estimate(p.meanCost())
		p.stale = true
		if !n.left {
			p.tell(Event{Kind: Returned, Instance: n.Instance()})
		}
		return true
	})
	return wait
}

// rate ejects those whose share of calls that succeed is lower than the average by more than some standard deviations, and returns how
// long until it is to do so again.
func (p *Pool[C]) rate(now time.Duration) (wait time.Duration) {
	if p.config.ejectRate == 0 {
		return never
	}
	if now < p.rating {
		return p.rating - now
	}
	p.rating = now + rateEvery
	type rated struct {
		node *node[C]
		rate float64
	}
	var (
		all          []rated
		sum, squares float64
	)
	for _, n := range p.nodes {
		begun, bad := uint64(n.started()), n.bad.Load()
		calls, failed := uint32(begun)-uint32(n.rated.begun), bad-n.rated.bad
		n.rated.begun, n.rated.bad = begun, bad
		if n.connected && !n.ejected && calls >= rateMinCalls {
			r := 1 - min(1, float64(failed)/float64(calls))
			all = append(all, rated{n, r})
			sum, squares = sum+r, squares+r*r
		}
	}
	if len(all) < rateMinNodes {
		return rateEvery
	}
	mean := sum / float64(len(all))
	least := mean - p.config.ejectRate*math.Sqrt(max(0, squares/float64(len(all))-mean*mean))
	for _, r := range all {
		if r.rate < least {
			p.eject(r.node)
		}
	}
	return rateEvery
}
