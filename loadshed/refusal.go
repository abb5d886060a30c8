package loadshed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// ReasonOverloaded is the reason of the status of a call that is refused.
const ReasonOverloaded = "OVERLOADED"

// ErrRefused is found by errors.Is in the error of a call that was refused, together with one of those that follow. They stay in the
// process.
var ErrRefused = errors.New("refused")

// Why a call was refused.
var (
	ErrFull     = fmt.Errorf("%w: there is no room to wait", ErrRefused)
	ErrLate     = fmt.Errorf("%w: it would have to wait too long", ErrRefused)
	ErrHopeless = fmt.Errorf("%w: its deadline would be over before its turn", ErrRefused)
	ErrBusy     = fmt.Errorf("%w: the processors are busy, and it is sheddable", ErrRefused)
)

// shades is how many values of RetryAfter there are to choose from.
const shades = 16

// refusals are the errors, made before they are needed.
type refusals [shades]*status.Error

func newRefusals(reason, message string, wait time.Duration, causes ...error) *refusals {
	r := new(refusals)
	for i := range r {
		after := time.Duration(float64(wait) * (0.5 + (float64(i)+0.5)/shades)).Round(time.Microsecond)
		r[i] = status.New(status.Unavailable, message).WithReason(reason).WithRetryAfter(after).WithCause(errors.Join(causes...))
	}
	return r
}

func (r *refusals) pick() *status.Error {
	return r[rand.N(uint(shades))] //nolint:gosec // it spreads, it does not protect
}

// table has the errors by verdict and by side.
type table [verdicts][endpoint.Client + 1]*refusals

// newTable makes them; name is what refuses, for the causes, "" for nothing.
func newTable(reason, message, name string, wait time.Duration) *table {
	t := new(table)
	for v, cause := range [verdicts]error{full: ErrFull, late: ErrLate, hopeless: ErrHopeless, pressed: ErrBusy} {
		if cause != nil {
			if name != "" {
				cause = fmt.Errorf("%s: %w", name, cause)
			}
			t[v][endpoint.Server] = newRefusals(reason, message, wait, cause)
			t[v][endpoint.Client] = newRefusals(reason, message, wait, cause, transport.ErrWithheld)
		}
	}
	return t
}

// refusal returns the error of a call with that verdict.
func (t *table) refusal(ctx context.Context, v verdict, side endpoint.Side) error {
	if v == gone {
		return ctx.Err()
	}
	return t[v][side].pick()
}
