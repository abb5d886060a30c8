package loadshed_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/status"
)

func TestBadOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]loadshed.Option{
		"FixedLimit(0)":                    loadshed.FixedLimit(0),
		"FixedLimit(1048576)":              loadshed.FixedLimit(loadshed.MaxLimit + 1),
		"LimitRange(0, 1, 2)":              loadshed.LimitRange(0, 1, 2),
		"LimitRange(2, 1, 3)":              loadshed.LimitRange(2, 1, 3),
		"LimitRange(1, 3, 2)":              loadshed.LimitRange(1, 3, 2),
		"LimitRange(1, 1, 1048576)":        loadshed.LimitRange(1, 1, loadshed.MaxLimit+1),
		"QueueTarget(0s)":                  loadshed.QueueTarget(0),
		"QueueInterval(-1ns)":              loadshed.QueueInterval(-1),
		"QueueRoom(-1)":                    loadshed.QueueRoom(-1),
		"ProcessorThreshold(1.1)":          loadshed.ProcessorThreshold(1.1),
		"ProcessorStall(-1)":               loadshed.ProcessorStall(-1),
		`ProcessorRoot("")`:                loadshed.ProcessorRoot(""),
		"RetryAfter(0s)":                   loadshed.RetryAfter(0),
		"Useful: the function is nil":      loadshed.Useful(nil),
		"OnEvent: the function is nil":     loadshed.OnEvent(nil),
		"the list of options: function 0 ": nil,
	} {
		if _, err := loadshed.New(opt); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "loadshed: ") {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
	if _, err := loadshed.New(loadshed.QueueTarget(time.Second), loadshed.QueueInterval(time.Millisecond)); err == nil {
		t.Error("want an error for an interval that is less than the target")
	}
	for want, opt := range map[string]loadshed.BulkheadOption{
		"BulkheadWait(0s)":       loadshed.BulkheadWait(0, 1),
		"room(0)":                loadshed.BulkheadWait(time.Second, 0),
		"BulkheadRetryAfter(0s)": loadshed.BulkheadRetryAfter(0),
		"function 0 is nil":      nil,
	} {
		if _, err := loadshed.NewBulkhead(1, opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
	if _, err := loadshed.NewBulkhead(0); err == nil {
		t.Error("want an error for a Bulkhead that lets nothing pass")
	}
}

func TestWhatIsUseful(t *testing.T) {
	t.Parallel()
	for code := status.Canceled; code.Valid(); code++ {
		want := code != status.Canceled && code != status.DeadlineExceeded && code != status.ResourceExhausted && code != status.Unavailable
		if have := loadshed.IsUseful(status.New(code, "x")); want != have {
			t.Errorf("%v: want %t, have %t", code, want, have)
		}
	}
	if !loadshed.IsUseful(nil) || !loadshed.IsUseful(errors.New("own")) {
		t.Error("want no error, and one that is no status, to be useful")
	}
}
