package lb

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	rateEvery    = 10 * time.Second // how often success rates are compared
	rateMinCalls = 100              // of an instance in that time, for its rate to say anything
	rateMinNodes = 5                // that have so many, for their average to say anything
	percent      = 100
	rateMinGap   = 0.05 // below the average, since among many that are well a single failed call is many standard deviations
)

// accuse has a node looked at that has had as many failed calls in a row as PoolEjectAfter says, or a multiple of it.
func (p *Pool[C]) accuse(n *node[C], err error) {
	if n.accused.CompareAndSwap(false, true) {
		p.inbox.post(func() {
			n.accused.Store(false)
			if leaving(err) || !p.ailing(n) {
				p.eject(n, err)
			}
		})
	}
}

// eject takes a node out of what is picked, if not too many are already. So does Envoy, from which the terms and the numbers of rate
// are: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier.
func (p *Pool[C]) eject(n *node[C], err error) {
	if n.left || !n.connected || n.ejected || p.counts.connected < 2 || p.config.maxEjected == 0 ||
		p.counts.ejected >= max(1, int(p.config.maxEjected*float64(p.counts.connected))) {
		return
	}
	now := p.clock.Now()
	if now-n.returned > p.config.ejectMax {
		n.ejects = 0
	}
	wait := p.config.ejectFirst
	for range n.ejects {
		if wait > p.config.ejectMax/2 {
			wait = p.config.ejectMax
			break
		}
		wait *= 2
	}
	n.ejected = true
	n.ejects++
	p.counts.ejected++
	p.out.add(n, now, wait, func(n *node[C]) bool { return !n.ejected })
	p.stale, p.urgent = true, true
	p.tell(Event{Kind: Ejected, Instance: n.Instance(), Err: err})
}

// restore lets those back whose time is over, and returns how long until the next.
func (p *Pool[C]) restore(now time.Duration) (wait time.Duration) {
	for n := p.out.due(now); n != nil; n = p.out.due(now) {
		if !n.ejected { // it has left
			continue
		}
		n.ejected, n.fresh, n.returned = false, true, now
		n.fails.Store(0)
		p.counts.ejected--
		p.stale = true
		p.tell(Event{Kind: Returned, Instance: n.Instance()})
	}
	return p.out.wait(now)
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
		begun, bad := n.started()-n.withheld.Load(), n.bad.Load()
		calls, failed := begun-n.rated.begun, bad-n.rated.bad
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
	least := mean - max(rateMinGap, p.config.ejectRate*math.Sqrt(max(0, squares/float64(len(all))-mean*mean)))
	slices.SortStableFunc(all, func(a, b rated) int { return cmp.Compare(a.rate, b.rate) }) // the worst first, since only so many may be out
	for _, r := range all {
		if r.rate < least {
			p.eject(r.node, fmt.Errorf("lb: %.1f %% of its calls succeed, and %.1f %% on the average", percent*r.rate, percent*mean))
		}
	}
	return rateEvery
}
