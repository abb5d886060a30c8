package deadline_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
)

func TestWrongOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]deadline.GuardOption{
		"GuardWindow(9ms): want 10ms":             deadline.GuardWindow(9 * time.Millisecond),
		"GuardSamples(0): want 1 to 1000000":      deadline.GuardSamples(0),
		"GuardProbe(0s): want 1µs":                deadline.GuardProbe(0),
		"GuardProbe(999ns): want 1µs":             deadline.GuardProbe(999),
		"GuardProbe(10s): want less than the win": deadline.GuardProbe(deadline.DefaultGuardWindow),
		"GuardWindow(24h0m0.000000001s)":          deadline.GuardWindow(24*time.Hour + 1),
		"deadline: NewGuard: the list of options": nil,
	} {
		if _, err := deadline.NewGuard(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	for want, construct := range map[string]func() (*deadline.Allowance, error){
		"deadline: NewAllowance(-1ns): want 10µs to 24h": func() (*deadline.Allowance, error) { return deadline.NewAllowance(-1) },
		"NewAllowance(9.999µs): want 10µs":               func() (*deadline.Allowance, error) { return deadline.NewAllowance(9999) },
		"NewAllowance(24h0m0.000000001s): want 10µs":     func() (*deadline.Allowance, error) { return deadline.NewAllowance(24*time.Hour + 1) },
		"NewAllowance(0s) without AllowanceShare":        func() (*deadline.Allowance, error) { return deadline.NewAllowance(0) },
		"deadline: NewAllowance: AllowanceShare(1)":      func() (*deadline.Allowance, error) { return deadline.NewAllowance(0, deadline.AllowanceShare(1)) },
		"AllowanceShare(0.0001): want 0.001":             func() (*deadline.Allowance, error) { return deadline.NewAllowance(0, deadline.AllowanceShare(0.0001)) },
		"AllowanceShare(NaN)": func() (*deadline.Allowance, error) {
			return deadline.NewAllowance(0, deadline.AllowanceShare(math.NaN()))
		},
		"function 0 is nil": func() (*deadline.Allowance, error) { return deadline.NewAllowance(time.Second, nil) },
	} {
		if _, err := construct(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

// A window that is short has a probe that is shorter, and the least of each is allowed.
func TestWhatIsJustAllowed(t *testing.T) {
	t.Parallel()
	if _, err := deadline.NewGuard(deadline.GuardWindow(10 * time.Millisecond)); err != nil {
		t.Error(err)
	}
	if _, err := deadline.NewGuard(deadline.GuardProbe(time.Microsecond)); err != nil {
		t.Error(err)
	}
	if _, err := deadline.NewAllowance(10 * time.Microsecond); err != nil {
		t.Error(err)
	}
	if _, err := deadline.NewAllowance(0, deadline.AllowanceShare(0.001)); err != nil {
		t.Error(err)
	}
}

// What nobody has made says so, and does not panic.
func TestZeroValuesRefuse(t *testing.T) {
	t.Parallel()
	for want, made := range map[string]interface {
		Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler
	}{
		"deadline: a Guard that NewGuard has not made":           new(deadline.Guard),
		"deadline: a Guard that NewGuard has not made ":          (*deadline.Guard)(nil),
		"deadline: an Allowance that NewAllowance has not made":  new(deadline.Allowance),
		"deadline: an Allowance that NewAllowance has not made ": (*deadline.Allowance)(nil),
	} {
		if _, err := made.Middleware(spec, nothing)(t.Context(), nil); err == nil || err.Error() != strings.TrimSpace(want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if len(new(deadline.Guard).Status())+len((*deadline.Guard)(nil).Status()) > 0 {
		t.Error("a Guard: want nothing")
	}
	if len(new(deadline.Allowance).Status())+len((*deadline.Allowance)(nil).Status()) > 0 {
		t.Error("an Allowance: want nothing")
	}
}
