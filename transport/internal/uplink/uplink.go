// Package uplink sends the messages of a client's stream, which a function of the caller yields, in the same way on all transports.
package uplink

import (
	"context"
	"errors"
	"iter"
	"runtime/debug"
	"sync"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// ErrStopped is what the messages end with that were told to end, or whose context has.
var ErrStopped = errors.New("the stream has ended")

// errUnended is why the messages ended where in neither ended nor yielded an error.
var errUnended = status.New(status.Internal, "the messages of the client ended their goroutine")

// Sender ranges over the messages of a client on a goroutine of its own.
type Sender struct {
	done chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex
	changed sync.Cond
	ours    bool // the goroutine is in code of the transport, which ends when the stream does
	stopped bool
	err     error // why the messages ended, if that was not their end
}

// Start sends what in yields, and then calls end with what in ended with. Both functions must return when the stream has ended. What
// ends when ctx has ended has been cut short, and is no clean end: end gets ErrStopped. A panic of in is a *endpoint.PanicError.
func Start[In any](ctx context.Context, in iter.Seq2[In, error], send func(In) error, end func(error)) *Sender {
	s := &Sender{done: make(chan struct{})}
	s.changed.L = &s.mu
	go func() {
		defer close(s.done)
		err := error(errUnended)
		defer func() { // also when in ends the goroutine
			if s.enter() {
				s.mu.Lock()
				s.err = err
				s.mu.Unlock()
				end(err)
			}
			s.leave()
		}()
		if err = sendAll(s, in, send); err == nil && ctx.Err() != nil {
			err = ErrStopped
		}
	}()
	return s
}

func sendAll[In any](s *Sender, in iter.Seq2[In, error], send func(In) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &endpoint.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	for message, err := range in {
		if !s.enter() {
			return ErrStopped
		}
		if err == nil {
			err = send(message)
		}
		if !s.leave() {
			return errors.Join(err, ErrStopped)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enter reports whether the stream goes on, in which case Stop waits until leave is called.
func (s *Sender) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ours = !s.stopped
	return s.ours
}

func (s *Sender) leave() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ours = false
	s.changed.Broadcast()
	return !s.stopped
}

// Stop tells the messages to end. It waits for what is being sent, and not for the messages: they may wait for something that never
// comes, and then end when they yield the next time. It returns why they ended before the stream did, nil if they did not.
func (s *Sender) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for s.ours {
		s.changed.Wait()
	}
	return s.err
}

// Failure returns why a stream failed that ended with err and whose messages ended with wrong, of Stop: what went wrong with the messages
// is the reason, unless they were told to end, or only found that the stream had ended, which is one of the errors in found.
func Failure(err, wrong error, found ...error) error {
	if err == nil || wrong == nil {
		return err
	}
	if panicked, ok := errors.AsType[*endpoint.PanicError](wrong); ok {
		return status.From(panicked)
	}
	for _, end := range append(found, ErrStopped) {
		if errors.Is(wrong, end) {
			return err
		}
	}
	return wrong
}

// Done is closed when the messages have ended.
func (s *Sender) Done() <-chan struct{} { return s.done }
