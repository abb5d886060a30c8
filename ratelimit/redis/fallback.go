package redislimit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
)

// Fallback is what decides while Redis does not. There is no default: Refuse, Allow and LocalShare make one.
type Fallback struct {
	kind  fallbackKind
	share int
	local []ratelimit.LocalOption
}

type fallbackKind uint8

const (
	noFallback fallbackKind = iota
	refuse
	allow
	localShare
)

// Refuse allows nothing while Redis is gone: Take fails with ErrGone. A Gate refuses calls then with Unavailable and
// ratelimit.ReasonNoDecision, since it is no fault of the caller's, unless it has OnFailure(FailureAllow). It is for what must never be
// more than the limit, such as a quota that somebody else imposes.
func Refuse() Fallback { return Fallback{kind: refuse} }

// Allow allows all events while Redis is gone. It is for limits that may be exceeded for a while rather than turn anybody away.
func Allow() Fallback { return Fallback{kind: allow} }

// LocalShare limits the events in this process to one of so many parts of the limit while Redis is gone: as many as there are processes. Of
// Burst, too, each has its part, at least 1; what costs more than that is refused. Each key begins with the part of its Burst unused. The
// options are those of the ratelimit.Local that it is.
func LocalShare(processes int, opts ...ratelimit.LocalOption) Fallback {
	return Fallback{kind: localShare, share: processes, local: opts}
}

// String returns "refuse", "allow" or, for example, "local share of 1/4".
func (f Fallback) String() string {
	switch f.kind {
	case refuse:
		return "refuse"
	case allow:
		return "allow"
	case localShare:
		return fmt.Sprintf("local share of 1/%d", f.share)
	}
	return "none"
}

// retryAfter is what those are told whose cost no share has, since nobody knows when Redis will be back.
const retryAfter = time.Second

// limiter returns what decides alone; nil where nothing does.
func (f Fallback) limiter(limit ratelimit.Limit) (ratelimit.Limiter, error) {
	switch f.kind {
	case refuse:
		return nil, nil //nolint:nilnil // no limiter is the answer
	case allow:
		return allowing{limit}, nil
	case localShare:
		return newSharing(limit, f.share, f.local)
	}
	return nil, errors.New("there is no fallback: want Refuse, Allow or LocalShare")
}

type allowing struct{ limit ratelimit.Limit }

// Take implements ratelimit.Limiter.
func (a allowing) Take(context.Context, string, int) (ratelimit.Decision, error) {
	return ratelimit.Decision{Allowed: true, Limit: a.limit, Remaining: a.limit.Capacity()}, nil
}

// sharing is a local limiter of a share, which refuses what costs more than its capacity.
type sharing struct {
	limit ratelimit.Limit
	local ratelimit.Limiter
}

func newSharing(limit ratelimit.Limit, processes int, opts []ratelimit.LocalOption) (ratelimit.Limiter, error) {
	if processes < 1 || processes > int(ratelimit.MaxFill/limit.Period) {
		return nil, fmt.Errorf("LocalShare(%d): want 1 or more, and a share of %v that takes no century to come back", processes, limit)
	}
	share := ratelimit.Limit{
		Events: limit.Events, Period: limit.Period * time.Duration(processes), Burst: max(1, limit.Capacity()/processes),
	}
	local, err := ratelimit.New(share, opts...)
	if err != nil {
		return nil, fmt.Errorf("LocalShare(%d): %w", processes, errors.Unwrap(err)) // without the name of the other constructor
	}
	return sharing{share, local}, nil
}

// Take implements ratelimit.Limiter.
func (s sharing) Take(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
	if n <= s.limit.Capacity() {
		return s.local.Take(ctx, key, n)
	}
	d, err := s.local.Take(ctx, key, 0)
	d.Allowed, d.RetryAfter = false, retryAfter
	return d, err
}
