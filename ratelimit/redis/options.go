package redislimit

import (
	"errors"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/log"
)

// The defaults of a limiter.
const (
	DefaultPrefix   = "ratelimit:"
	DefaultTimeout  = 50 * time.Millisecond
	DefaultInterval = 100 * time.Millisecond
)

const (
	minTimeout, maxTimeout   = time.Millisecond, 10 * time.Second
	minInterval, maxInterval = 10 * time.Millisecond, time.Minute
)

// Option sets up a Limiter. One that is given twice replaces the earlier, but for OnEvent.
type Option func(*settings) error

type settings struct {
	prefix            string
	timeout, interval time.Duration
	events            []func(Event)
}

// Prefix is what the keys in Redis begin with, before the name of the limiter. It has no braces, and may be empty. The default is
// DefaultPrefix.
func Prefix(prefix string) Option {
	return func(s *settings) error {
		s.prefix = prefix
		return nil
	}
}

// Timeout is how long a call waits for Redis, from 1 ms to 10 s, and for a connection to it: then Redis counts as gone. The default is
// DefaultTimeout. A new connection takes three or more round trips.
func Timeout(timeout time.Duration) Option {
	return func(s *settings) error {
		s.timeout = timeout
		return option.Within("Timeout", timeout, minTimeout, maxTimeout)
	}
}

// Interval is the time between the calls by which the limiter finds out whether Redis is back, from 10 ms to 1 min. The default is
// DefaultInterval.
func Interval(interval time.Duration) Option {
	return func(s *settings) error {
		s.interval = interval
		return option.Within("Interval", interval, minInterval, maxInterval)
	}
}

// OnEvent adds a function that is told when the limiter begins and ceases to decide alone, one event after the other. It must not block:
// the call that has found out waits for it. Nor may it call Take or Close of the limiter.
func OnEvent(told func(Event)) Option {
	return func(s *settings) error {
		if told == nil {
			return errors.New("OnEvent: the function is nil")
		}
		s.events = append(s.events, told)
		return nil
	}
}

// Log writes a line for each event, an error when the limiter begins to decide alone and a warning when that is over, as OnEvent would.
func Log(logger log.Logger) Option {
	if logger == nil {
		return func(*settings) error { return errors.New("Log: the logger is nil") }
	}
	return OnEvent(func(e Event) { e.write(logger) })
}
