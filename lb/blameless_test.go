package lb_test

import (
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/status"
)

var errHasty = status.New(status.DeadlineExceeded, "too little time").WithReason("DEADLINE_UNREACHABLE")

func TestACallerWithoutTimeSpeaksAgainstNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a", "b")
		y.calls(100, func(string) error { return errHasty })
		synctest.Wait()
		y.wantStates("a ready", "b ready")
	})
}

// An instance that sheds load serves as much as it can, and perhaps refuses what matters less only.
func TestAnInstanceThatShedsLoadIsNotEjected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a", "b")
		y.calls(100, func(name string) error {
			if name == "a" {
				return status.New(status.Unavailable, "full").WithReason("OVERLOADED")
			}
			return nil
		})
		synctest.Wait()
		y.wantStates("a ready", "b ready")
	})
}
