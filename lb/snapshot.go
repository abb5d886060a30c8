package lb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// ReasonNoInstance is the reason of the error of a call for which there is no instance.
const ReasonNoInstance = "NO_INSTANCE"

// ErrClosed is in the cause of the error of a call on a pool that was closed.
var ErrClosed = errors.New("lb: the pool is closed")

// snapshot is what is picked from. It never changes.
type snapshot[C any] struct {
	nodes  []*node[C]
	picker Picker        // of the nodes, if there are any
	err    error         // otherwise
	final  bool          // there will be no other
	next   chan struct{} // closed when there is another, where there are no nodes
}

// publish makes the snapshot of what can be picked now.
func (p *Pool[C]) publish() {
	p.stale, p.urgent = false, false
	old := p.current.Load()
	s := &snapshot[C]{nodes: p.pickable(), final: p.ended}
	if len(s.nodes) > 0 {
		p.appraise(s.nodes)
		s.nodes, s.picker = p.picker(s.nodes)
	} else {
		s.err, s.next = p.absence(), make(chan struct{})
	}
	p.current.Store(s)
	if old != nil && old.next != nil {
		close(old.next)
	}
}

// pickable returns the nodes that are connected and not ejected, or, where these are too few, all that are connected.
func (p *Pool[C]) pickable() []*node[C] {
	c := p.counts
	panicking := float64(c.connected-c.ejected) < p.config.panicShare*float64(c.connected)
	nodes := make([]*node[C], 0, c.connected)
	for _, n := range p.nodes {
		if n.connected && (panicking || !n.ejected) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// picker returns the Picker for the nodes, and these in the order in which it counts them.
func (p *Pool[C]) picker(nodes []*node[C]) ([]*node[C], Picker) {
	missing := p.missing(nodes)
	ordered, picker := p.zoned(nodes, missing)
	if !slices.ContainsFunc(nodes, func(n *node[C]) bool { return n.cold }) {
		return ordered, picker
	}
	return ordered, p.warmPicker(ordered, picker, missing)
}

// policyPicker returns the Picker of the policy.
func (p *Pool[C]) policyPicker(nodes []*node[C]) Picker { return p.config.policy.Picker(bare(nodes)) }

// bare returns the nodes as policies see them.
func bare[C any](nodes []*node[C]) []*Node {
	all := make([]*Node, len(nodes))
	for i, n := range nodes {
		all[i] = n.Node
	}
	return all
}

// notSentSince is an error that is transport.ErrNotSent and the cause, if there is one, in one line.
func notSentSince(cause error) error {
	if cause == nil {
		return transport.ErrNotSent
	}
	return fmt.Errorf("%w: %w", transport.ErrNotSent, cause)
}

// absence is the error of a call for which there is no instance.
func (p *Pool[C]) absence() error {
	var (
		message string
		cause   error
	)
	switch {
	case p.ended:
		message, cause = "the pool of "+p.service+" is closed", ErrClosed
	case !p.known:
		message, cause = "no instance of "+p.service+" is known yet", p.failure
	case len(p.nodes) == 0:
		message, cause = "there is no instance of "+p.service, p.failure
	case p.counts.connected > 0:
		message = "all instances of " + p.service + " fail"
	default:
		message = "no instance of " + p.service + " can be reached"
		for _, n := range p.nodes {
			cause = n.err
			if cause != nil {
				break
			}
		}
	}
	return status.New(status.Unavailable, message).WithReason(ReasonNoInstance).WithCause(notSentSince(cause))
}
