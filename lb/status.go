package lb

import (
	"slices"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// InstanceStatus is what a pool knows of an instance at one moment.
type InstanceStatus struct {
	Instance sd.Instance
	State    State
	InFlight int           // calls that have begun and not ended
	Cost     time.Duration // how long a call takes, as PeakEWMA reckons; 0 with policies that do not measure it
	Failed   uint64        // calls that failed, since it joined
	Err      error         // of the last dial, in the state Connecting
}

// State is that of an instance in a pool.
type State uint8

// The states of an instance.
const (
	Connecting State = iota // It is being dialled, or will be again.
	Ready                   // It is picked.
	Out                     // It is ejected for a while.
	Draining                // It has left the set, and has calls in flight.
)

// String returns "connecting", "ready", "out" or "draining".
func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Ready:
		return "ready"
	case Out:
		return "out"
	case Draining:
		return "draining"
	}
	return "unknown"
}

// Instances returns what the pool knows of its instances, those of the set and then those that drain, sorted by ID. It is for pages and
// metrics, and takes time in proportion to their number.
func (p *Pool[C]) Instances() []InstanceStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]InstanceStatus, 0, len(p.nodes)+len(p.leaving))
	for _, n := range p.nodes {
		all = append(all, n.status())
	}
	for n := range p.leaving {
		all = append(all, n.status())
	}
	slices.SortFunc(all[len(p.nodes):], func(a, b InstanceStatus) int { return strings.Compare(a.Instance.ID, b.Instance.ID) })
	return all
}

func (n *node[C]) status() InstanceStatus {
	s := InstanceStatus{
		Instance: n.Instance(), InFlight: n.InFlight(), Cost: time.Duration(n.Cost()), Failed: n.bad.Load(), State: Ready,
	}
	switch {
	case n.left:
		s.State = Draining
	case !n.connected:
		s.State, s.Err = Connecting, n.err
	case n.ejected:
		s.State = Out
	}
	return s
}
