package deadline

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// The defaults of a Guard.
const (
	DefaultGuardWindow  = 10 * time.Second
	DefaultGuardSamples = 10
	DefaultGuardProbe   = 200 * time.Millisecond
)

// Guard refuses calls whose deadline cannot be met: what is left of the time is less than the operation has taken at least in the last
// seconds, or nothing is left. NewGuard makes it; the zero value refuses all calls. It is safe for concurrent use, and has no goroutine.
type Guard struct {
	start      time.Time // the guard's time counts from it
	window     time.Duration
	samples    int64
	probe      time.Duration
	operations operations[guarded]
}

// GuardOption sets up a Guard. One that is given twice replaces the earlier.
type GuardOption func(*Guard) error

const (
	minGuardWindow = 10 * time.Millisecond
	minGuardProbe  = time.Microsecond
	maxGuard       = 24 * time.Hour
	maxSamples     = 1_000_000
)

// GuardWindow sets of which time the minimum is: a tenth of it is forgotten at a time. A longer one refuses less, for a while, after the
// operation has become slower. The default is DefaultGuardWindow; it may be 10 ms to 24 h.
func GuardWindow(window time.Duration) GuardOption {
	return func(g *Guard) error {
		g.window = window
		return option.Within("GuardWindow", window, minGuardWindow, maxGuard)
	}
}

// GuardSamples sets how many calls must have succeeded within the window before any is refused for what others took. The default is
// DefaultGuardSamples; it may be 1 to 1,000,000.
func GuardSamples(samples int) GuardOption {
	return func(g *Guard) error {
		g.samples = int64(samples)
		return option.Within("GuardSamples", samples, 1, maxSamples)
	}
}

// GuardProbe sets how often one of the calls that would be refused goes through nevertheless, so that an operation that has become faster
// is seen when all callers have little time. The default is DefaultGuardProbe; it may be 1 µs to 24 h, but less than the window, after
// which all is forgotten anyway. Without GuardProbe a window of less than twice DefaultGuardProbe makes it half of the window.
func GuardProbe(every time.Duration) GuardOption {
	return func(g *Guard) error {
		g.probe = every
		return option.Within("GuardProbe", every, minGuardProbe, maxGuard)
	}
}

// NewGuard returns a Guard. It fails for a wrong option.
func NewGuard(opts ...GuardOption) (*Guard, error) {
	g := &Guard{start: time.Now(), window: DefaultGuardWindow, samples: DefaultGuardSamples}
	if err := option.Set(g, opts); err != nil {
		return nil, fmt.Errorf("deadline: NewGuard: %w", err)
	}
	if g.probe == 0 {
		g.probe = min(DefaultGuardProbe, g.window/2)
	}
	if g.probe >= g.window {
		return nil, fmt.Errorf("deadline: NewGuard: GuardProbe(%v): want less than the window, %v", g.probe, g.window)
	}
	return g, nil
}

var errZeroGuard = errors.New("deadline: a Guard that NewGuard has not made")

// guarded is what a Guard knows of an operation.
type guarded struct {
	least minimum

	refused, expired, probes atomic.Uint64
	probed                   atomic.Int64 // when the last call that would have been refused went through; 0 before the first was refused
}

// Middleware is the endpoint.Middleware, for servers and clients. As a transport's ServerMiddleware it refuses before the request is
// decoded; around a client, or a whole lb.Endpoint, before anything is sent. Inside of an Allowance it sees the shortened deadline.
//
// A call is refused with DeadlineExceeded and ReasonUnreachable. On a client errors.Is finds transport.ErrNotSent; a server's transport
// is told transport.NotBegunHeader. How long the operation takes at least is known from the calls that succeeded, by nanoseconds; those
// that failed, were given up or panicked say nothing, since they may have ended early. Of one operation all endpoints that are decorated
// share what is known, each side for itself.
//
// On a server nothing outside of the guard may do work of its own when the guard has refused, as endpoint.Fallback would: the client is
// told that nothing was begun.
//
// Calls without a deadline are measured, and never refused. Streams pass untouched.
func (g *Guard) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	if spec.Kind != endpoint.Unary {
		return next
	}
	if g == nil || g.window == 0 {
		return failing(errZeroGuard)
	}
	o, operation := g.operations.of(spec), spec.Operation()
	return func(ctx context.Context, request any) (any, error) {
		began := time.Since(g.start)
		if deadline, limited := ctx.Deadline(); limited {
			left := deadline.Sub(g.start) - began
			if left <= 0 {
				o.expired.Add(1)
				return nil, refused(ctx, spec, operation, errPassed, errPassedUnsent)
			}
			if least, known := o.least.at(began, g.window, g.samples); known && left < least && !o.probing(began, g.probe) {
				o.refused.Add(1)
				return nil, refused(ctx, spec, operation, errTooShort, errTooShortUnsent)
			}
		}
		response, err := next(ctx, request)
		if err == nil {
			now := time.Since(g.start)
			o.least.observe(now, now-began, g.window, g.samples)
		}
		return response, err
	}
}

// probing says whether a call that would be refused is to go through.
func (o *guarded) probing(now, every time.Duration) bool {
	last := o.probed.Load()
	if last != 0 && now-time.Duration(last) < every {
		return false
	}
	if !o.probed.CompareAndSwap(last, int64(now)) || last == 0 {
		return false
	}
	o.probes.Add(1)
	return true
}

// GuardStatus is what a Guard knows of an operation.
type GuardStatus struct {
	Operation string
	Side      endpoint.Side
	Minimum   time.Duration // what it took at least in the window; 0 while that is not known
	Refused   uint64        // calls with less time than that
	Expired   uint64        // calls whose deadline had passed when they came, which are refused, too
	Probes    uint64        // calls with less time that went through
}

// Status returns what is known of each operation that Middleware decorates, sorted by name.
func (g *Guard) Status() []GuardStatus {
	if g == nil {
		return nil
	}
	now := time.Since(g.start)
	var all []GuardStatus
	for key, o := range g.operations.all() {
		least, _ := o.least.at(now, g.window, g.samples)
		all = append(all, GuardStatus{
			Operation: key.operation, Side: key.side, Minimum: least,
			Refused: o.refused.Load(), Expired: o.expired.Load(), Probes: o.probes.Load(),
		})
	}
	return all
}
