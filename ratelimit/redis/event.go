package redislimit

import (
	"time"

	"github.com/ashlar-go/ashlar/log"
)

// Event says that a limiter decides alone from now on, or that this is over.
type Event struct {
	Kind     EventKind
	Limiter  string        // its name
	Fallback Fallback      // what decides alone
	Err      error         // why Redis is gone; of Back, as far as it became known
	Lasted   time.Duration // how long it was, of Back
	Alone    Counts        // what was decided meanwhile, of Back
}

// EventKind says what has happened.
type EventKind uint8

// The kinds of events.
const (
	Gone EventKind = iota + 1 // Redis does not decide: the first call has failed.
	Back                      // It does again.
)

// String returns "gone" or "back".
func (k EventKind) String() string {
	switch k {
	case Gone:
		return "gone"
	case Back:
		return "back"
	}
	return "unknown"
}

// write writes the event as a line.
func (e Event) write(logger log.Logger) {
	if e.Kind == Gone {
		_ = log.Error(logger).Log("msg", "redis is gone, the limiter decides alone", "limiter", e.Limiter, "fallback", e.Fallback, "err", e.Err)
		return
	}
	_ = log.Warn(logger).Log("msg", "redis is back, the limiter has decided alone", "limiter", e.Limiter, "fallback", e.Fallback,
		"for", e.Lasted, "allowed", e.Alone.Allowed, "refused", e.Alone.Refused, "err", e.Err)
}
