package circuitbreakertest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
)

var doerChecks = []check{
	{
		name: "DoPasses", doers: true, run: doPasses,
		clause: "Do calls f once with the context and the request, and returns what it returns, whatever the outcome.",
	},
	{
		name: "DoOutcome", doers: true, run: doOutcome,
		clause: "What counts is the outcome, and not the error.",
	},
	{
		name: "DoRefuses", doers: true, run: doRefuses,
		clause: "When Do says that the call is refused, f was not called.",
	},
	{
		name: "DoPanics", doers: true, run: doPanics,
		clause: "A panic of f goes on with its value, counts as a failure, and holds nothing.",
	},
	{
		name: "DoGoexit", doers: true, run: doGoexit,
		clause: "When f ends its goroutine that goes on, counts as a failure, and holds nothing.",
	},
}

type key struct{}

func doPasses(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	ctx, request, response := context.WithValue(context.Background(), key{}, "x"), any(new(int)), any(new(int))
	for i, outcome := range []error{nil, errFailed, ignored(0), nil} {
		own := []error{nil, errFailed, errWrapped, errFailed}[i]
		count := 0
		got, refused, err := s.doer.Do(ctx, request, func(c context.Context, r any) (any, error, error) {
			count++
			if c != ctx || r != request {
				count = -1
			}
			return response, outcome, own
		})
		if count != 1 || got != response || refused || !errors.Is(err, own) {
			return fmt.Errorf("f has returned %q, with the outcome %q, and Do the response: %t, refused: %t, %w; f was called %d times",
				text(own), text(outcome), got == response, refused, err, count)
		}
	}
	return nil
}

func text(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// do makes calls with that outcome and that error, and counts those that were made.
func (s *subject) do(calls int, outcome, own error) (made int, err error) {
	for range calls {
		f := false
		_, refused, _ := s.doer.Do(context.Background(), nil, func(context.Context, any) (any, error, error) {
			f = true
			return nil, outcome, own
		})
		if f == refused {
			return made, fmt.Errorf("f was called: %t, and refused is %t", f, refused)
		}
		if f {
			made++
		}
		pass(pace)
	}
	return made, nil
}

func doOutcome(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	const calls = 500
	made, err := s.do(calls, nil, errFailed)
	if err := errors.Join(err, none(made, calls)); err != nil {
		return fmt.Errorf("all outcomes are nil: %w", err)
	}
	for range steps(h.Patience, calls) {
		if made, err = s.do(calls, errFailed, nil); err != nil || made <= openPart(calls) {
			return err
		}
	}
	return fmt.Errorf("all outcomes are failures, and of %d calls it lets %d through", calls, made)
}

func doRefuses(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	_, err = s.do(1000, errFailed, errFailed)
	return err
}

func doPanics(_ *testing.T, h *Harness) error {
	return abrupt(h, func(s *subject) (through bool, err error) {
		value := any(new(int))
		defer func() {
			if v := recover(); v != nil && v != value {
				err = fmt.Errorf("f has panicked with one value, and Do with %v", v)
			}
		}()
		_, refused, _ := s.doer.Do(context.Background(), nil, func(context.Context, any) (any, error, error) {
			through = true
			panic(value)
		})
		if !refused {
			err = errors.New("f has panicked, and Do has returned")
		}
		return through, err
	})
}

func doGoexit(_ *testing.T, h *Harness) error {
	return abrupt(h, func(s *subject) (through bool, err error) {
		over := make(chan struct{})
		go func() {
			defer close(over)
			defer func() {
				if v := recover(); v != nil {
					err = fmt.Errorf("f has ended its goroutine, and Do has panicked with %v", v)
				}
			}()
			_, refused, _ := s.doer.Do(context.Background(), nil, func(context.Context, any) (any, error, error) {
				through = true
				runtime.Goexit()
				return nil, nil, nil
			})
			if !refused {
				err = errors.New("f has ended its goroutine, and Do has returned")
			}
		}()
		<-over
		return through, err
	})
}

// abrupt has all calls end in that way: the breaker opens, lets one through from time to time, and closes when all is well.
func abrupt(h *Harness, call func(s *subject) (through bool, err error)) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	const calls = 500
	through := 0
	for range steps(h.Patience, calls) {
		through = 0
		for range calls {
			made, err := call(s)
			if err != nil {
				return err
			}
			if made {
				through++
			}
			pass(pace)
		}
		if through <= openPart(calls) {
			break
		}
	}
	if through > openPart(calls) {
		return fmt.Errorf("no call has returned for %v, and of %d it lets %d through", h.Patience, calls, through)
	}
	for range 3 {
		made := false
		for i := 0; i < steps(h.Patience, 1) && !made; i++ {
			if made, err = call(s); err != nil {
				return err
			}
			pass(pace)
		}
		if !made {
			return fmt.Errorf("it has let no call through for %v", h.Patience)
		}
	}
	return s.heal(h)
}
