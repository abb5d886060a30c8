package circuitbreaker

import (
	"context"
	"errors"
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
	maxKeys int
	opened  time.Duration
	changes []func(Change)
	refused []func(ctx context.Context, id ID)
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
// comes upon one soon, and else one that was not used lately. The default is DefaultMaxKeys.
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
// call, which waits for it, and may use the Breakers.
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
