package lb

import (
	"errors"

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
	picker Picker // nil without nodes
	err    error  // then
	final  bool   // there will be no other
	next   chan struct{}
}

// publish makes the snapshot of what can be picked now.
func (p *Pool[C]) publish() {
	p.stale, p.urgent = false, false
	old := p.current.Load()
	s := &snapshot[C]{nodes: p.pickable(), final: p.ended}
	if len(s.nodes) > 0 {
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
	connected := make([]*node[C], 0, len(p.nodes))
	healthy := make([]*node[C], 0, len(p.nodes))
	for _, n := range p.nodes {
		if n.connected {
			connected = append(connected, n)
			if !n.ejected {
				healthy = append(healthy, n)
			}
		}
	}
	if float64(len(healthy)) < p.config.panicShare*float64(len(connected)) {
		return connected
	}
	return healthy
}

// picker returns the Picker for the nodes, and these in the order in which it counts them.
func (p *Pool[C]) picker(nodes []*node[C]) ([]*node[C], Picker) {
	nodes, picker := p.zoned(nodes)
	if p.config.slowStart > 0 {
		picker = newWarmPicker(picker, nodes, p.clock, p.config.slowStart)
	}
	return nodes, picker
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
	default:
		message = "no instance of " + p.service + " can be reached"
		for _, n := range p.nodes {
			cause = n.err
			if cause != nil {
				break
			}
		}
	}
	return status.New(status.Unavailable, message).WithReason(ReasonNoInstance).WithCause(errors.Join(transport.ErrNotSent, cause))
}
