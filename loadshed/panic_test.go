package loadshed_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
)

// panics runs f, which is to panic.
func panics(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if have := recover(); have != "own" {
			t.Errorf("%s: want the panic to go on, have %v", what, have)
		}
	}()
	f()
}

func TestAPanicInUsefulGivesThePlaceFree(t *testing.T) {
	t.Parallel()
	s := newShedder(t, loadshed.ProcessorThreshold(0), loadshed.Useful(func(error) bool { panic("own") }))
	h := s.Middleware(spec, func(context.Context, any) (any, error) { return nil, errors.New("x") })
	panics(t, "Middleware", func() { _, _ = h(t.Context(), nil) })
	done := acquire(t, s)
	panics(t, "Acquire", func() { done(errors.New("x")) })
	if have := s.Status().InProgress; have != 0 {
		t.Errorf("want none in progress, have %d", have)
	}
}

// An event is told by the call that is refused, by one that is let in and by one that waits: none leaves a place behind, and the others
// who are told are told.
func TestAPanicInOnEventGivesThePlaceFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := 0
		s := fixed(t, 1, loadshed.QueueRoom(1),
			loadshed.OnEvent(func(loadshed.Event) { panic("own") }), loadshed.OnEvent(func(loadshed.Event) { told++ }))
		done := acquire(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for range 2 { // the second has counted a refusal; the next call tells
			time.Sleep(time.Second)
			if _, err := s.Acquire(ctx); err == nil {
				t.Fatal("want it refused")
			}
		}
		waits := make(chan error)
		go func() {
			_, err := s.Acquire(t.Context())
			waits <- err
		}()
		synctest.Wait()
		_, err := s.Acquire(t.Context())
		refused(t, err, loadshed.ErrFull)
		time.Sleep(time.Second)
		panics(t, "a call", func() { _, _ = s.Acquire(t.Context()) })
		done(nil)
		if err := <-waits; err != nil {
			t.Fatal(err)
		}
		if have := s.Status(); told != 1 || have.InProgress != 1 || have.Waiting != (loadshed.Classes{}) {
			t.Errorf("want one event, and one in progress, which is not ended, have %d, %+v", told, have)
		}
	})
}

// A call that would wait tells the event, and leaves the line when that panics.
func TestAPanicInOnEventLeavesTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1, loadshed.QueueTarget(time.Second), loadshed.OnEvent(func(loadshed.Event) { panic("own") }))
		done := acquire(t, s)
		_, err := s.Acquire(t.Context()) // waits for ten seconds
		refused(t, err, loadshed.ErrLate)
		panics(t, "a call that waits", func() { _, _ = s.Acquire(t.Context()) })
		if have := s.Status(); have.Waiting != (loadshed.Classes{}) || have.InProgress != 1 {
			t.Errorf("want nobody waiting, have %+v", have)
		}
		done(nil)
		time.Sleep(time.Minute)
		acquireBy(t, s)
	})
}

// acquireBy makes a call, whatever event is told by it.
func acquireBy(t *testing.T, s *loadshed.Shedder) {
	t.Helper()
	func() {
		defer func() { _ = recover() }()
		_ = s.Status()
	}()
	if have := s.Status(); have.InProgress != 0 {
		t.Errorf("want none in progress, have %+v", have)
	}
}

// What was so an hour ago is not so now, though no call has passed since.
func TestStatusIsOfTheMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		container := newLimited(t)
		var events []loadshed.EventKind
		s := newShedder(t, loadshed.ProcessorRoot(container.root), loadshed.OnEvent(func(e loadshed.Event) { events = append(events, e.Kind) }))
		for range 50 {
			time.Sleep(100 * time.Millisecond)
			container.use(t, 50*time.Millisecond)
			acquire(t, s)(nil)
		}
		if !s.Status().Busy {
			t.Fatal("want a busy processor")
		}
		time.Sleep(time.Hour)
		if have := s.Status(); have.Busy || have.Processor.Share > 0.01 {
			t.Errorf("want it idle, have %+v", have)
		}
		time.Sleep(2 * time.Second)
		if _ = s.Status(); len(events) != 2 || events[1] != loadshed.OverloadEnded {
			t.Errorf("want the end to be told, have %v", events)
		}
	})
}
