package workqueue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Drain ends the worker: it asks for no more messages, gives back those that are not begun, so that others get them at once, and waits
// for those that are worked on. When ctx ends before, the contexts of these end too (ErrStopped), and after a second
// what is still worked on is given back as well. Then it fails, and says of how many messages the work was cut off.
//
// It fails as well when the last acknowledgements could not be brought to the server. To call it again, also at the same time, does
// no harm: each call waits, and gets the same error. A hook must not call it, since it would wait for that hook.
func (w *Worker) Drain(ctx context.Context) error {
	w.beginDrain()
	select {
	case <-w.closed:
	case <-ctx.Done():
		w.force.Do(func() { close(w.forced) })
		<-w.closed
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Stop is Drain that does not wait for what is worked on.
func (w *Worker) Stop() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return w.Drain(ctx)
}

// Closed returns a channel that is closed when the worker has ended, by Drain, Stop or itself.
func (w *Worker) Closed() <-chan struct{} { return w.closed }

// Err returns why the worker ended by itself: jetstream.ErrConsumerDeleted or nats.ErrConnectionClosed. It is nil before, and
// after Drain and Stop.
func (w *Worker) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

func (w *Worker) beginDrain() {
	w.drain.Do(func() {
		w.pull.stop() // before the slots are left, so that nothing comes for them any more
		close(w.draining)
	})
}

func (w *Worker) isDraining() bool {
	select {
	case <-w.draining:
		return true
	default:
		return false
	}
}

// close ends all that the worker is, once it is to end.
func (w *Worker) close() {
	<-w.draining
	idle := ended(&w.working)
	var err error
	select {
	case <-idle:
	case <-w.forced:
		err = w.cutOff(idle)
	}
	w.conn.RemoveStatusListener(w.statuses)
	select {
	case <-ended(&w.pull.open): // what was on its way has come, and is given back
	case <-time.After(flushLimit):
	}
	w.cancel(ErrStopped)
	w.supervised.Wait()
	if !w.conn.IsClosed() {
		if unsent := w.conn.FlushTimeout(flushLimit); unsent != nil {
			err = errors.Join(err, fmt.Errorf("bringing the last acknowledgements to the server: %w", unsent))
		}
	}
	if err != nil {
		err = fmt.Errorf("workqueue: ending the worker of %s: %w", w.server.operation, err)
	}
	w.mu.Lock()
	w.err = err
	w.mu.Unlock()
	close(w.closed)
}

// cutOff ends what is worked on.
func (w *Worker) cutOff(idle <-chan struct{}) error {
	cut := 0
	w.each(func(x *exchange) {
		cut++
		x.cancel(ErrStopped)
	})
	abandoned := 0
	select {
	case <-idle:
	case <-time.After(forcedLimit):
		w.each(func(x *exchange) {
			abandoned++
			x.abandon()
		})
	}
	if cut == 0 {
		return nil
	}
	return fmt.Errorf("the work on %d messages was cut off, and %d endpoints have not returned: %w", cut, abandoned, ErrStopped)
}

// ended returns a channel that is closed when the group is done.
func ended(group *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	return done
}
