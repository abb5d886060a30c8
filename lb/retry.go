package lb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

const (
	// DefaultAttempts is how many attempts a call has at most.
	DefaultAttempts = 3
	// DefaultRetryWait is how long is waited at most for a server that says when to come back.
	DefaultRetryWait = 10 * time.Second

	maxAttempts = 10
	maxWithheld = 30 // instances that withhold a call, until it fails: to find that hundreds do would take longer than to serve it
)

// retryRules say whether and when there is another attempt.
type retryRules struct {
	idempotent bool
	attempts   int
	codes      [status.Unauthenticated + 1]bool
	pushback   bool // ResourceExhausted is repeated when the server says when
	longest    time.Duration
	backoff    backoff
	timeout    time.Duration // of an attempt; 0 is none
}

// repeatable says whether a call that failed with err may be repeated.
func (r *retryRules) repeatable(err error) bool {
	if !r.idempotent && !transport.NotBegun(err) {
		return false
	}
	switch code := status.CodeOf(err); code {
	case status.DeadlineExceeded:
		return r.timeout > 0 || r.codes[code]
	case status.ResourceExhausted:
		return r.codes[code] || r.pushback && pushback(err) > 0 || errors.Is(err, transport.ErrWithheld)
	default:
		return r.codes[code]
	}
}

// pushback is how long the server says to wait.
func pushback(err error) time.Duration {
	if e := status.As(err); e != nil {
		return e.RetryAfter
	}
	return 0
}

// wait returns how long to wait after so many attempts, of which the last failed with err; ok is false where that is too long. Another
// says that there is an instance that was not tried.
//
// There is no wait before the first attempt elsewhere after one that was not begun: backing off is to relieve an instance of load, and
// neither of the two had any of this call.
func (r *retryRules) wait(attempts int, err error, another bool) (_ time.Duration, ok bool) {
	asked := pushback(err)
	if asked > r.longest {
		return 0, false
	}
	if attempts == 1 && asked == 0 && another && transport.NotBegun(err) {
		return 0, true
	}
	delay := r.backoff.after(attempts)
	return delay + min(asked, never-delay), true
}

// next says whether there is to be another attempt after so many, of which the last failed with err, and after which wait. It spends the
// budget for it. One that was withheld, so that nobody was asked, is none: another instance gets the call at once, and none gets it later.
func (r *retryRules) next(
	ctx context.Context, attempts int, err error, another bool, budget *budget, clock *clock,
) (wait time.Duration, ok bool) {
	if ctx.Err() != nil || r.attempts == 1 || !r.repeatable(err) {
		return 0, false
	}
	if errors.Is(err, transport.ErrWithheld) {
		return 0, another
	}
	if attempts >= r.attempts {
		return 0, false
	}
	if wait, ok = r.wait(attempts, err, another); !ok {
		return 0, false
	}
	if deadline, limited := ctx.Deadline(); limited {
		left := time.Until(deadline) - wait
		if left <= 0 || hasty(err) && (r.timeout == 0 || left < r.timeout) { // it would be refused again, for having less time than before
			return 0, false
		}
	}
	return wait, errors.Is(err, transport.ErrNotSent) || budget.spend(clock.Now()) // what was not sent was no load for anybody
}

// trial is the course of one call whose first attempt has failed.
type trial struct {
	rules  *retryRules
	budget *budget
	failed []Attempt
	tried  Tried
	final  bool // there must not be another attempt
}

// left is how many attempts there may be.
func (t *trial) left() int { return t.rules.attempts - t.made() }

// made is how many there were, without those that were withheld.
func (t *trial) made() (n int) {
	for _, a := range t.failed {
		if !errors.Is(a.Err, transport.ErrWithheld) {
			n++
		}
	}
	return n
}

// fail notes that an attempt has failed.
func (t *trial) fail(n *Node, err error) {
	a := Attempt{Err: err}
	if n != nil {
		a.Instance, t.tried = n.Instance(), append(t.tried, n)
	}
	t.failed = append(t.failed, a)
}

// give notes an attempt for which there was no instance, or no client of one, so that no other can follow.
func (t *trial) give(n *Node, err error) {
	t.fail(n, err)
	t.final = true
}

// again waits until there is to be another attempt, and returns false if there is not.
func (t *trial) again(ctx context.Context, another bool, clock *clock) bool {
	if t.final || len(t.failed)-t.made() >= maxWithheld {
		return false
	}
	wait, ok := t.rules.next(ctx, t.made(), t.failed[len(t.failed)-1].Err, another, t.budget, clock)
	return ok && t.sleep(ctx, wait)
}

func (t *trial) sleep(ctx context.Context, wait time.Duration) bool {
	if wait == 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		t.fail(nil, ended(ctx))
		return false
	}
}

// ended is the error of an attempt that was not made since the context of the call has ended.
func ended(ctx context.Context) error {
	return status.From(ctx.Err()).WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, context.Cause(ctx)))
}

// err is what the caller gets.
func (t *trial) err() error { return joined(t.failed) }
