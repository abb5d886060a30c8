package lb

import (
	"errors"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// lostAfter is after how many failed calls in a row, of which the last did not reach the instance, it is dialled anew.
const lostAfter = 2

// unreachable says whether a call failed since it could not be sent.
func unreachable(err error) bool {
	return status.CodeOf(err) == status.Unavailable && errors.Is(err, transport.ErrNotSent)
}

// leaving says whether a call was refused since the instance shuts down. The reason alone does not: an instance may pass it on.
func leaving(err error) bool {
	e := status.As(err)
	return e != nil && e.Reason == "SHUTTING_DOWN" && errors.Is(err, transport.ErrNotBegun)
}

// suspect has a node looked at that calls do not reach.
func (p *Pool[C]) suspect(n *node[C], err error) {
	if n.lost.CompareAndSwap(false, true) {
		p.inbox.post(func() { p.lose(n, err) })
	}
}

// lose puts a node that is still to be dialled in the place of one that cannot be reached any more: whether an instance can be is not a
// matter of how often it fails, as with eject, but can be tried out. Where dialling does not find that out, as when it opens no connection,
// the delays grow until a call has reached it.
func (p *Pool[C]) lose(n *node[C], err error) {
	if n.left || !n.connected {
		return
	}
	i, ok := slices.BinarySearchFunc(p.nodes, n.id, func(other *node[C], id string) int { return strings.Compare(other.id, id) })
	if !ok || p.nodes[i] != n {
		return
	}
	again := p.join(n.Instance())
	again.ejects, again.returned = n.ejects, n.returned
	if n.reached() {
		p.dials.next = append(p.dials.next, again)
	} else {
		again.failures = n.failures
		p.dialLater(again)
	}
	p.nodes[i] = again
	p.leave(n)
	n.replaced = true
	p.tell(Event{Kind: Lost, Instance: n.Instance(), Err: err})
}

// reached says whether a call has ended otherwise than by failing. Those in flight do not count, since with many callers there always are
// some.
func (n *node[C]) reached() bool {
	calls := n.calls.Load()
	return uint64(uint32(calls>>32)-n.first-uint32(calls&flying)-n.withheld.Load()) > n.bad.Load()
}
