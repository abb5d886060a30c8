package natstransport_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

func TestAnInThatEndsItsGoroutineEndsTheStream(t *testing.T) {
	t.Parallel()
	s := newTalking()
	call := stream(t, s.serve, nil)
	err := call(deadline(t), func(yield func(*number, error) bool) {
		yield(&number{}, nil)
		runtime.Goexit()
	}, func(*number) error { return nil })
	if status.CodeOf(err) != status.Internal {
		t.Errorf("want internal, have %v", err)
	}
	if err := wait(t, s.ended, "the server's context"); status.CodeOf(err) != status.Canceled {
		t.Errorf("server: want canceled, have %v", err)
	}
}

// lateBreak is a message that breaks its encoding, when the time has come.
type lateBreak struct {
	when <-chan struct{}
	how  func()
}

func (l *lateBreak) MarshalJSON() ([]byte, error) {
	<-l.when
	l.how()
	return nil, nil
}

// The stream waits for what is being sent when it ends, however that ends.
func TestAMessageThatBreaksItsEncodingAfterTheStreamHoldsNothingUp(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){"a panic": func() { panic("late") }, "an end of the goroutine": runtime.Goexit} {
		served := make(chan struct{}, 1)
		call := stream[*lateBreak, *number](t, func(context.Context, streamOf[*lateBreak], func(*number) error) error {
			served <- struct{}{}
			return nil
		}, nil)
		done := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // longer than the stream goes on
		go func() {
			done <- call(deadline(t), func(yield func(*lateBreak, error) bool) { yield(&lateBreak{ctx.Done(), f}, nil) }, nil)
		}()
		wait(t, served, "the server")
		if err := wait(t, done, "the call after "+name); err != nil {
			t.Errorf("%s: want what the server ended with, have %v", name, err)
		}
		cancel()
	}
}
