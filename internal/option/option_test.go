package option_test

import (
	"slices"
	"testing"

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
