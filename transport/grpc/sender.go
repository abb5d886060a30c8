package grpctransport

import (
	"errors"
	"io"
	"iter"
	"runtime/debug"
	"sync"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// sender ranges over the messages of a client on a goroutine of its own.
type sender struct {
	mu      sync.Mutex // held while the goroutine is in code of this package, which ends when the stream does
	stopped bool
	err     error // why the messages ended, if that was not their end
}

// startSender sends what in yields, and then calls end with what in ended with. Both functions must return when the stream has ended.
func startSender[In any](in iter.Seq2[In, error], send func(In) error, end func(error)) *sender {
	s := new(sender)
	go func() {
		err := error(errUnended) // should in end the goroutine
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.stopped {
				s.err = err
				end(err)
			}
		}()
		err = sendAll(s, in, send)
	}()
	return s
}

func sendAll[In any](s *sender, in iter.Seq2[In, error], send func(In) error) (err error) {
	ours := false // s.mu is held
	defer func() {
		if ours {
			s.mu.Unlock()
		}
		if value := recover(); value != nil {
			err = &endpoint.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	for message, err := range in {
		if err != nil {
			return err
		}
		s.mu.Lock()
		ours = true
		if s.stopped {
			return errStopped
		}
		if err := send(message); err != nil {
			return err
		}
		s.mu.Unlock()
		ours = false
	}
	return nil
}

// errUnended is why the messages ended where in neither ended nor yielded an error.
var errUnended = status.New(status.Internal, "the messages of the client ended their goroutine")

// errStopped ends messages that nobody wants any more.
var errStopped = errors.New("grpctransport: the stream has ended")

// stop tells the messages to end. It waits for what is being sent, and not for the messages: they may wait for something that never
// comes, and then end when they yield the next time. It returns why they ended before the stream did, nil if they did not.
func (s *sender) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return s.err
}

// failure returns why a stream failed that ended with err and whose messages ended with wrong: what went wrong with the messages
// is the reason, unless they only found that the stream had ended.
func failure(err, wrong error) error {
	switch panicked, ok := errors.AsType[*endpoint.PanicError](wrong); {
	case err == nil || wrong == nil:
		return err
	case ok:
		return status.From(panicked)
	case errors.Is(wrong, io.EOF), errors.Is(wrong, errStopped):
		return err
	}
	return wrong
}
