package lb_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

type ownError struct{ n int }

func (e *ownError) Error() string { return "own" }

func TestTheErrorTellsOfAllAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := &ownError{1}, &ownError{2}
		sentinel := errors.New("sentinel")
		last := status.New(status.ResourceExhausted, "the last").WithReason("LAST").WithDetails(status.Detail{Type: "x"})
		f := script(
			errBroken.WithCause(errors.Join(first, sentinel)),
			status.New(status.Unavailable, "second").WithReason("SECOND").WithCause(second),
			last,
		)
		_, err := fleetEndpoint(t, readSpec, fleetPool(t, f, []string{"a", "b", "c"}))(t.Context(), 1)
		e := status.As(err)
		if e == nil || e.Code != last.Code || e.Message != last.Message || e.Reason != last.Reason || len(e.Details) != 1 {
			t.Fatalf("want all of %v, have %v", last, err)
		}
		all, ok := errors.AsType[*lb.RetryError](err)
		if !ok || len(all.Attempts) != 3 {
			t.Fatalf("want 3 attempts, have %v", all)
		}
		for i, name := range f.called() {
			if have := all.Attempts[i].Instance.ID; have != name {
				t.Errorf("attempt %d: want %s, have %s", i, name, have)
			}
		}
		for _, want := range []error{first, second, sentinel, last, errBroken, &status.Error{Code: status.Unavailable, Reason: "SECOND"}} {
			if !errors.Is(err, want) {
				t.Errorf("want %v in %v", want, err)
			}
		}
		if have, ok := errors.AsType[*ownError](err); !ok || have != second {
			t.Errorf("want the last *ownError, have %v", have)
		}
		if errors.Is(err, context.Canceled) {
			t.Error("want nothing of a cancellation")
		}
		text := "3 attempts failed: " + f.called()[0] + ": unavailable: the connection broke: own\nsentinel; " +
			f.called()[1] + ": unavailable (SECOND): second: own; " + f.called()[2] + ": resource_exhausted (LAST): the last"
		if err.Error() != text {
			t.Errorf("want %q, have %q", text, err)
		}
	})
}

func TestTheErrorOfOneAttemptIsThatOfTheAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, want := range []error{errors.New("own"), status.New(status.NotFound, "none"), errBroken} {
			p := fleetPool(t, script(want), []string{"a", "b"})
			if _, have := fleetEndpoint(t, writeSpec, p)(t.Context(), 1); have != want { //nolint:errorlint // the very one
				t.Errorf("want %v, have %v", want, have)
			}
		}
	})
}

// A call of which one attempt was sent may have been served, whatever the others say.
func TestOnlyWhatNoAttemptBeganWasNotBegun(t *testing.T) {
	t.Parallel()
	full := status.New(status.Unavailable, "full").WithCause(transport.ErrNotBegun)
	for name, row := range map[string]struct {
		errs              []error
		notSent, notBegun bool
	}{
		"all refused":     {[]error{errRefused, errRefused}, true, true},
		"refused, full":   {[]error{errRefused, full}, false, true},
		"full":            {[]error{full, full}, false, true},
		"refused, broken": {[]error{errRefused, errBroken}, false, false},
		"broken, refused": {[]error{errBroken, errRefused}, false, false},
		"all withheld":    {[]error{errWithheld, errWithheld}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := fleetPool(t, script(row.errs...), []string{"a", "b"})
				_, err := fleetEndpoint(t, readSpec, p, lb.EndpointRetryAttempts(2))(t.Context(), 1)
				if have := errors.Is(err, transport.ErrNotSent); row.notSent != have {
					t.Errorf("not sent: want %v, have %v", row.notSent, have)
				}
				if have := transport.NotBegun(err); row.notBegun != have {
					t.Errorf("not begun: want %v, have %v", row.notBegun, have)
				}
			})
		})
	}
}
