package natstransport

import (
	"errors"
	"iter"
	"runtime/debug"
	"sync"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// errStopped is what the messages of a client end with that were told to end.
var errStopped = errors.New("natstransport: the stream has ended")

// errInUnfinished is what the messages of a client end with that ended their goroutine.
var errInUnfinished = status.New(status.Internal, "the messages ended their goroutine")

// sender ranges over the messages of a client on a goroutine of its own.
type sender struct {
	mu      sync.Mutex
	changed sync.Cond
	ours    bool // the goroutine is in code of this package, which ends when the stream does
	stopped bool
	err     error // why the messages ended, if that was not their end
}

// startSender sends what in yields, and then calls end with what in ended with. Both functions must return when the stream has ended.
func startSender[In any](in iter.Seq2[In, error], send func(In) error, end func(error)) *sender {
	s := new(sender)
	s.changed.L = &s.mu
	go func() {
		err := error(errInUnfinished)
		defer func() { // also when in ends the goroutine
			if s.enter() {
				s.mu.Lock()
				s.err = err
				s.mu.Unlock()
				end(err)
			}
			s.leave()
		}()
		err = sendAll(s, in, send)
	}()
	return s
}

func sendAll[In any](s *sender, in iter.Seq2[In, error], send func(In) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &endpoint.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	for message, err := range in {
		if !s.enter() {
			return errStopped
		}
		if err == nil {
			err = send(message)
		}
		if !s.leave() {
			return errors.Join(err, errStopped)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enter reports whether the stream goes on, in which case stop waits until leave is called.
func (s *sender) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ours = !s.stopped
	return s.ours
}

func (s *sender) leave() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ours = false
	s.changed.Broadcast()
	return !s.stopped
}

// stop tells the messages to end. It waits for what is being sent, and not for the messages: they may wait for something that never
// comes, and then end when they yield the next time. It returns why they ended before the stream did, nil if they did not.
func (s *sender) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for s.ours {
		s.changed.Wait()
	}
	return s.err
}
