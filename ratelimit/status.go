package ratelimit

import "github.com/ashlar-go/ashlar/endpoint"

// Status is what a Gate knows of itself at one moment.
type Status struct {
	Policy     string
	Waiting    int  // calls that wait now
	Failing    bool // the limiter failed when it was asked last
	Operations []OperationStatus
}

// OperationStatus counts the calls, or messages, of one operation, since the Gate was made.
type OperationStatus struct {
	Operation string
	Side      endpoint.Side
	Refused   uint64 // for whatever reason
	Failed    uint64 // for which the limiter failed, whether they passed or not
	NoKey     uint64 // whose key was empty, likewise
}

// Status returns what the Gate knows now, with the operations in the order in which they were decorated. There are no counts by key: there
// is no bound to the number of keys.
func (g *Gate) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Status{Policy: g.policy, Waiting: int(g.waiting.Load()), Failing: g.failing.Load()}
	for _, o := range g.operations {
		s.Operations = append(s.Operations, OperationStatus{
			Operation: o.name, Side: o.side, Refused: o.refused.Load(), Failed: o.failed.Load(), NoKey: o.noKey.Load(),
		})
	}
	return s
}
