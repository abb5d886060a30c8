package transport

import (
	"context"
	"sync"
)

// Observer is told what an outgoing call was. It is safe for concurrent use.
type Observer struct {
	mu    sync.Mutex
	info  Info
	outer *Observer
}

// Info returns what the call was, as of its end; of several calls made with the same context, the one that ended last. Before any has
// ended all fields are empty. The header fields are not to be changed.
func (o *Observer) Info() Info {
	o.mu.Lock()
	defer o.mu.Unlock()
	info := o.info
	for _, header := range []*Header{&info.Request, &info.Response, &info.Trailer} {
		if *header == nil {
			*header = HeaderMap(nil) // in which nothing is found
		}
	}
	return info
}

type observerKey struct{}

// observerContext is a context with its Observer, in one allocation.
type observerContext struct {
	context.Context

	observer Observer
}

func (c *observerContext) Value(key any) any {
	if key == (observerKey{}) {
		return &c.observer
	}
	return c.Context.Value(key)
}

// Observe returns a context for an outgoing call, and who is told what that call was. Several layers may observe one call, each with
// an Observer of its own.
func Observe(ctx context.Context) (context.Context, *Observer) {
	c := &observerContext{Context: ctx}
	c.observer.outer, _ = ctx.Value(observerKey{}).(*Observer)
	return c, &c.observer
}

// Observed reports whether anybody observes the calls made with ctx. It is for client transports.
func Observed(ctx context.Context) bool { return ctx.Value(observerKey{}) != nil }

// Report tells all observers of the call made with ctx what it was. Client transports call it once, before they return, whether the
// call succeeded or not.
func Report(ctx context.Context, call Info) {
	observer, _ := ctx.Value(observerKey{}).(*Observer)
	for ; observer != nil; observer = observer.outer {
		observer.mu.Lock()
		observer.info = call
		observer.mu.Unlock()
	}
}
