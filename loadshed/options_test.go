package loadshed_test

import (
	"context"
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
	for want, opts := range map[string][]loadshed.Option{
		"LimitRange has no effect with FixedLimit":     {loadshed.FixedLimit(1), loadshed.LimitRange(1, 1, 1)},
		"Useful has no effect with FixedLimit":         {loadshed.FixedLimit(1), loadshed.Useful(loadshed.IsUseful)},
		"QueueRoom(0) without FixedLimit":              {loadshed.QueueRoom(0)},
		"QueueInterval have no effect with QueueRoom":  {loadshed.FixedLimit(1), loadshed.QueueRoom(0), loadshed.QueueTarget(time.Second)},
		"QueueTarget and QueueInterval have no effect": {loadshed.FixedLimit(1), loadshed.QueueRoom(0), loadshed.QueueInterval(time.Second)},
		"ProcessorRoot has no effect":                  {loadshed.ProcessorThreshold(0), loadshed.ProcessorRoot("/")},
		`ProcessorRoot("/nowhere"): open /nowhere`:     {loadshed.ProcessorRoot("/nowhere")},
		"neither proc/stat nor a cgroup":               {loadshed.ProcessorRoot(t.TempDir())},
		"QueueTarget(999ns): want 1µs to 1h":           {loadshed.QueueTarget(999)},
		"QueueInterval(999ns): want 1µs or more":       {loadshed.QueueInterval(999)},
		"ProcessorThreshold(0.009): want 0.01 to 1":    {loadshed.ProcessorThreshold(0.009)},
		"RetryAfter(999.999µs): want 1ms":              {loadshed.RetryAfter(time.Millisecond - 1)},
	} {
		if _, err := loadshed.New(opts...); err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "loadshed") != 1 {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
	if _, err := loadshed.NewBulkheads(1, loadshed.BulkheadName("x")); err == nil || !strings.Contains(err.Error(), "want BulkheadKey, BulkheadPerOperation") {
		t.Errorf("want an error for Bulkheads without a key, have %v", err)
	}
	for want, opt := range map[string]loadshed.BulkheadOption{
		`BulkheadName("")`:                  loadshed.BulkheadName(""),
		"BulkheadKey: the function is nil":  loadshed.BulkheadKey(nil),
		"BulkheadOnEvent: the function":     loadshed.BulkheadOnEvent(nil),
		"BulkheadMaxKeys(0)":                loadshed.BulkheadMaxKeys(0),
		"are for NewBulkheads":              loadshed.BulkheadMaxKeys(1),
		"BulkheadMaxKeys are for":           loadshed.BulkheadPerOperation(),
		"BulkheadPerOperation and Bulkhead": loadshed.BulkheadKey(func(context.Context, any) string { return "" }),
		"BulkheadWait(0s)":                  loadshed.BulkheadWait(0, 1),
		"room(0)":                           loadshed.BulkheadWait(time.Second, 0),
		"BulkheadRetryAfter(0s)":            loadshed.BulkheadRetryAfter(0),
		"function 0 is nil":                 nil,
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
