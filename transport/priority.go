package transport

import "context"

// PriorityHeader is the header field that tells the priority of a call, "critical" or "sheddable". A call without it, or with another
// value, has PriorityDefault.
const PriorityHeader = "Ashlar-Priority"

// Priority says how much a call matters when not all can be served. A server that sheds load refuses those of a lower one first.
type Priority int8

// The priorities. They are relative to each other, and for those who run the services to give out: a caller that is not trusted may claim
// any, so a server that faces such callers sets what they deserve, by WithPriority, in front of what sheds.
const (
	PrioritySheddable Priority = -1 // What nobody waits for, or what will be asked again: prefetching, batches, crawlers.
	PriorityDefault   Priority = 0  // All that is not said to be otherwise.
	PriorityCritical  Priority = 1  // What the others depend on, or what people would miss at once: checking out, health checks.
)

// String returns "sheddable", "default" or "critical".
func (p Priority) String() string {
	switch {
	case p < PriorityDefault:
		return "sheddable"
	case p > PriorityDefault:
		return "critical"
	}
	return "default"
}

type priorityKey struct{}

// WithPriority returns a context in which PriorityOf is p, here and in the endpoints that are called with it.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// PriorityOf returns what WithPriority has set, or else the priority of the call being served. All clients send it on, so that it goes
// with a request through all the services that work for it.
func PriorityOf(ctx context.Context) Priority {
	switch p := ctx.Value(priorityKey{}).(type) {
	case Priority:
		return p
	case *Info: // of the call being served, in whose context nothing else was set
		return p.priority()
	}
	return PriorityDefault
}

func (i *Info) priority() Priority {
	if i.Request == nil {
		return PriorityDefault
	}
	switch i.Request.Get(PriorityHeader) {
	case "critical":
		return PriorityCritical
	case "sheddable":
		return PrioritySheddable
	}
	return PriorityDefault
}
