package grpcresolver

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"

	"github.com/ashlar-go/ashlar/sd"
)

// watcher is a resolver.Resolver: the watch of one connection.
type watcher struct {
	cc     resolver.ClientConn
	config *serviceconfig.ParseResult
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing of the watch remains

	mu      sync.Mutex
	closed  bool
	calling bool // a method of cc is being called
}

func start(instancer sd.Instancer, cc resolver.ClientConn, config *serviceconfig.ParseResult) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{cc: cc, config: config, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.run(ctx, instancer)
	}()
	return w
}

// ResolveNow implements resolver.Resolver. It does nothing: the watch has the newest set, and tries again by itself when it has not.
func (w *watcher) ResolveNow(resolver.ResolveNowOptions) {}

// Close implements resolver.Resolver. It ends the watch and waits, but not for a call of the connection that is going on, since that may
// be what calls Close; nothing but its return follows.
func (w *watcher) Close() {
	w.cancel()
	w.mu.Lock()
	w.closed = true
	calling := w.calling
	w.mu.Unlock()
	if !calling {
		<-w.done
	}
}

// run tells the connection of each set, and of errors. It passes over the result of UpdateState, which asks for another resolution: that
// of a watch would be the same.
func (w *watcher) run(ctx context.Context, instancer sd.Instancer) {
	const most = 9    // and one
	var wrong []error // entries that are no instances; an error before the first set would fail the calls that wait for it
	for set, err := range instancer.Watch(ctx) {
		if _, invalid := errors.AsType[*sd.InvalidError](err); invalid {
			wrong = append(wrong[:min(len(wrong), most)], err)
			continue
		}
		open := w.call(func() {
			if err != nil {
				w.cc.ReportError(err)
				return
			}
			_ = w.cc.UpdateState(state(set, w.config))
			if len(wrong) > 0 {
				w.cc.ReportError(errors.Join(wrong...))
			}
		})
		if !open {
			return
		}
		if err == nil {
			wrong = nil
		}
	}
}

// call calls f, unless the watcher is closed. It returns false when it is.
func (w *watcher) call(f func()) bool {
	if !w.enter(true) {
		return false
	}
	f()
	return w.enter(false)
}

// enter notes whether a method of the connection is being called. It returns false when the watcher is closed.
func (w *watcher) enter(calling bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calling = calling && !w.closed
	return !w.closed
}
