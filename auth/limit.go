package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// DefaultLimit is how long an Authenticator may take; see Limit.
const DefaultLimit = 10 * time.Second

type config struct {
	limit   time.Duration
	outlive bool
}

// Option configures Middleware.
type Option func(*config) error

// Limit sets how long the Authenticator may take; 10 s if it is not given. The call is refused then as one that cannot be checked now. One
// that ignores its context is waited for all the same, and then refused.
func Limit(d time.Duration) Option {
	return func(c *config) error {
		c.limit = d
		return option.Within("Limit", d, time.Millisecond, time.Hour)
	}
}

// Outlive lets streams go on when the credentials of their caller expire. Without it they end then, as Expiring says.
func Outlive() Option {
	return func(c *config) error {
		c.outlive = true
		return nil
	}
}

// limited is a context with a deadline that has a timer only where somebody waits for it: most Authenticators just look.
type limited struct {
	context.Context

	limit time.Duration
	begun time.Time

	mu     sync.Mutex
	timed  context.Context //nolint:containedctx // nil until it is waited for
	cancel context.CancelFunc
}

// Deadline is the earlier one of the two.
func (l *limited) Deadline() (time.Time, bool) {
	own := l.begun.Add(l.limit)
	if outer, has := l.Context.Deadline(); has && outer.Before(own) {
		return outer, true
	}
	return own, true
}

func (l *limited) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed == nil {
		l.timed, l.cancel = context.WithDeadline(l.Context, l.begun.Add(l.limit))
	}
	return l.timed.Done()
}

func (l *limited) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed != nil {
		return l.timed.Err()
	}
	if err := l.Context.Err(); err != nil {
		return err
	}
	if time.Since(l.begun) >= l.limit {
		return context.DeadlineExceeded
	}
	return nil
}

// stop ends it.
func (l *limited) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
	}
}

// authenticated is the call that is being authenticated, and then served, in one allocation.
type authenticated struct {
	principalContext

	limited limited
}

var errLate = errors.New("the Authenticator said yes when the time was up")

// ask asks a within the limit.
func (c *authenticated) ask(a Authenticator, call *transport.Info) (*Principal, error) {
	defer c.limited.stop()
	p, err := authenticate(&c.limited, a, call)
	late := c.limited.Err()
	if late == nil || c.Err() != nil {
		if err == nil && late != nil {
			err = errLate
		}
		return p, err
	}
	if err == nil {
		err = errLate
	}
	return nil, fmt.Errorf("%w: it took longer than %v: %v", ErrUnavailable, c.limited.limit, err) //nolint:errorlint // it may be an ErrNone
}
