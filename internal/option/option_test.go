package option_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

type settings struct{ calls []int }

type setting func(*settings) error

func limit(n int) setting {
	return func(s *settings) error {
		s.calls = append(s.calls, n)
		return option.Within("Limit", n, 1, 9)
	}
}

func TestOptionsAreAppliedInTheirOrder(t *testing.T) {
	t.Parallel()
	var s settings
	option.Apply("x: New", &s, []setting{limit(9), limit(1), limit(2)})
	if want, have := []int{9, 1, 2}, s.calls; !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestAMistakeIsAPanicThatNamesIt(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]setting{
		"x: New: an option is nil":       nil,
		"x: New: Limit(0): want 1 to 9":  limit(0),
		"x: New: Limit(10): want 1 to 9": limit(10),
	} {
		func() {
			defer func() {
				if have := recover(); have != want {
					t.Errorf("want %q, have %v", want, have)
				}
			}()
			option.Apply("x: New", new(settings), []setting{o})
		}()
	}
}

func TestLimitsOfDurationsAreToldAsSuch(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"Wait(1ms): want 1s to 1m0s":   option.Within("Wait", time.Millisecond, time.Second, time.Minute),
		"Wait(1m1s): want 1s to 1m0s":  option.Within("Wait", 61*time.Second, time.Second, time.Minute),
		"Wait(0s): want more than 0":   option.Positive("Wait", 0),
		"Wait(-1ns): want more than 0": option.Positive("Wait", -1),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	for _, err := range []error{option.Within("Wait", time.Second, time.Second, time.Second), option.Positive("Wait", 1)} {
		if err != nil {
			t.Errorf("want nothing wrong, have %v", err)
		}
	}
}

func TestSetStopsAtAMistake(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string][]setting{
		"the list of options: function 1 is nil": {limit(1), nil},
		"Limit(0): want 1 to 9":                  {limit(0), limit(1)},
	} {
		if err := option.Set(new(settings), opts); err == nil || err.Error() != want {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	var s settings
	if err := option.Set(&s, []setting{limit(9), limit(1)}); err != nil || !slices.Equal(s.calls, []int{9, 1}) {
		t.Errorf("want 9 and 1, have %v, %v", s.calls, err)
	}
	if err := option.RefuseNil("Hooks", []error{nil}); err == nil {
		t.Error("want an error for an interface that is nil")
	}
}

func TestTypedNamesBothTypes(t *testing.T) {
	t.Parallel()
	f, err := option.Typed[func() int]("Make", func() int { return 7 })
	if err != nil || f() != 7 {
		t.Errorf("want the function, have %v", err)
	}
	if f, err := option.Typed[func() int]("Make", nil); err != nil || f != nil {
		t.Errorf("want nothing for nothing, have %v", err)
	}
	if _, err := option.Typed[func() int]("Make", func() string { return "" }); err == nil || err.Error() != "Make is a func() string, want func() int" {
		t.Errorf("have %v", err)
	}
}
