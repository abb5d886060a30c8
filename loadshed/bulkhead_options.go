package loadshed

import (
	"context"
	"errors"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// ReasonBulkhead is the reason of the status of a call that a Bulkhead has refused.
const ReasonBulkhead = "BULKHEAD_FULL"

// DefaultBulkheadMaxKeys is how many keys Bulkheads remember.
const DefaultBulkheadMaxKeys = 10_000

// BulkheadOption sets up a Bulkhead, or Bulkheads. One that is given twice replaces the earlier, but for BulkheadOnEvent.
type BulkheadOption func(*bulkheadConfig) error

type bulkheadConfig struct {
	name         string
	wait         time.Duration
	room         int
	retryAfter   time.Duration
	told         []func(BulkheadEvent)
	keyOf        func(ctx context.Context, request any) string
	perOperation bool
	maxKeys      int // 0 for the default
}

// BulkheadEvent is something that has happened to a Bulkhead, for logs and metrics.
type BulkheadEvent struct {
	Kind   EventKind
	Status BulkheadStatus // at that moment, with the name
}

// BulkheadName gives it a name, for its status, its events and the causes of the errors of calls that are refused. They stay in the
// process.
func BulkheadName(name string) BulkheadOption {
	return func(c *bulkheadConfig) error {
		c.name = name
		if name == "" {
			return errors.New(`BulkheadName(""): want a name`)
		}
		return nil
	}
}

// BulkheadWait lets up to room calls wait, each for no longer than the time, 1 µs to an hour. Without it none waits.
func BulkheadWait(limit time.Duration, room int) BulkheadOption {
	return func(c *bulkheadConfig) error {
		c.wait, c.room = limit, room
		return errors.Join(option.Within("BulkheadWait", limit, leastWait, mostWait), option.Within("BulkheadWait: room", room, 1, MaxLimit))
	}
}

// BulkheadRetryAfter is what a caller that is refused is told to wait before it tries again, from half of it to one and a half. The
// default is DefaultRetryAfter; it may be 1 ms to 24 h.
func BulkheadRetryAfter(wait time.Duration) BulkheadOption {
	return func(c *bulkheadConfig) error {
		c.retryAfter = wait
		return option.Within("BulkheadRetryAfter", wait, leastRetryAfter, mostRetryAfter)
	}
}

// BulkheadOnEvent adds a function that is told when a call is refused the first time, and when none was for a second, by a call that
// ends, or by Status. It must not block.
func BulkheadOnEvent(told func(BulkheadEvent)) BulkheadOption {
	return func(c *bulkheadConfig) error {
		if told == nil {
			return errors.New("BulkheadOnEvent: the function is nil")
		}
		c.told = append(c.told, told)
		return nil
	}
}

// BulkheadKey makes a Bulkhead for each key, such as a tenant; the request is that of the call, and in front of a server's decoding the
// transport's own. Calls with the key "" have one together, as if they were somebody. It is for NewBulkheads.
func BulkheadKey(key func(ctx context.Context, request any) string) BulkheadOption {
	return func(c *bulkheadConfig) error {
		if key == nil {
			return errors.New("BulkheadKey: the function is nil")
		}
		c.keyOf = key
		return nil
	}
}

// BulkheadPerOperation makes a Bulkhead for each operation, and with BulkheadKey one for each key of each. It is for NewBulkheads.
func BulkheadPerOperation() BulkheadOption {
	return func(c *bulkheadConfig) error {
		c.perOperation = true
		return nil
	}
}

// BulkheadMaxKeys limits how many keys are remembered of which no call is in progress nor waits: what is forgotten first is what was used
// longest ago. Those in use are never forgotten, so that there may be more: as many as calls. The default is DefaultBulkheadMaxKeys. It
// is for NewBulkheads.
func BulkheadMaxKeys(n int) BulkheadOption {
	return func(c *bulkheadConfig) error {
		c.maxKeys = n
		return option.Within("BulkheadMaxKeys", n, 1, MaxLimit)
	}
}
