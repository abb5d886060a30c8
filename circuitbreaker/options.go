package circuitbreaker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// The defaults of Breakers.
const (
	DefaultMaxKeys = 10_000
	DefaultOpened  = 5 * time.Second
)

// Option sets up Breakers. One that is given twice replaces the earlier, but for OnChange and OnRefusal.
type Option func(*config) error

type config struct {
	failure func(error) bool
	key     func(ctx context.Context, request any) string
	maxKeys int // 0 where it was not set
	opened  time.Duration
	changes []func(Change)
	refused []func(ctx context.Context, id ID)
}

// complete fills in what was not set, and fails for what can have no effect.
func (c *config) complete() error {
	if c.maxKeys != 0 && c.key == nil {
		return fmt.Errorf("MaxKeys(%d): there is no Key, so that there is nothing to limit", c.maxKeys)
	}
	c.maxKeys = cmp.Or(c.maxKeys, DefaultMaxKeys)
	return nil
}

// Failure sets which errors speak against the other side, as Codes does by their codes. The default is IsFailure. It is not asked about
// what the caller canceled or left too little time for (DEADLINE_UNREACHABLE), which never counts, nor about a panic, which always does.
func Failure(failure func(err error) bool) Option {
	return func(c *config) error {
		if failure == nil {
			return errors.New("Failure: the function is nil")
		}
		c.failure = failure
		return nil
	}
}

// Key makes a breaker for each key of an endpoint, such as a tenant; the key is that of the request, which for a stream is an
// *endpoint.Messages, and in front of a server's decoding the transport's own. Calls with the key "" have one breaker, too.
// Calls of all priorities share the breaker of their key, unless that names the priority.
//
// The context is that of the call that the breaker is asked about, as its caller made it. On a server transport.FromContext tells of that
// call, and its header fields may be the key. On a client it tells of the call that is being served meanwhile, if there is one, and not of
// the one that is about to be made, whose header fields do not exist before it is let through; what they will say of a tenant is in the
// context, or in the request, from where the client takes it.
func Key(key func(ctx context.Context, request any) string) Option {
	return func(c *config) error {
		if key == nil {
			return errors.New("Key: the function is nil")
		}
		c.key = key
		return nil
	}
}

// MaxKeys limits how many keys an endpoint has breakers for. When there would be more, one is forgotten that is closed, if the search
// comes upon one soon, and else one that was not used lately. The default is DefaultMaxKeys. It is an error without a Key.
func MaxKeys(n int) Option {
	return func(c *config) error {
		c.maxKeys = n
		return option.Within("MaxKeys", n, 1, math.MaxInt32)
	}
}

// Opened sets after how long a stream counts as one that was opened well though no message of the server has come yet. The default is
// DefaultOpened.
func Opened(after time.Duration) Option {
	return func(c *config) error {
		c.opened = after
		return option.Positive("Opened", after)
	}
}

// OnChange adds a function that is told of each change of the state of a breaker, one after the other. It is called on the goroutine of a
// call, or of Status, which waits for it, or on one of its own when a stream has lasted as long as Opened says, and may use the
// Breakers. When it panics the panic goes on there, and nothing is held; a call that it has kept from being made does not count, but
// with a Doer as a failure.
func OnChange(told func(Change)) Option {
	return func(c *config) error {
		if told == nil {
			return errors.New("OnChange: the function is nil")
		}
		c.changes = append(c.changes, told)
		return nil
	}
}

// OnRefusal adds a function that is told of each call that a breaker refuses, on the goroutine of the call, which waits for it. It is to
// be quick, since there may be many. Status counts them, too.
func OnRefusal(told func(ctx context.Context, id ID)) Option {
	return func(c *config) error {
		if told == nil {
			return errors.New("OnRefusal: the function is nil")
		}
		c.refused = append(c.refused, told)
		return nil
	}
}
