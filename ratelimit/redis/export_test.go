package redislimit

import (
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
)

// Source is the script.
func Source() string { return source }

// Args returns the arguments with which the script takes n events.
func Args(limit ratelimit.Limit, n int) ([]any, error) {
	s, err := newScript(nil, limit)
	if err != nil {
		return nil, err
	}
	cost := s.exact.span(n)
	return append([]any{cost.micros, cost.parts}, s.limit[:]...), nil
}

// Decide reads an answer of the script.
func Decide(limit ratelimit.Limit, n int, answer []int64) (ratelimit.Decision, error) {
	e, err := newExact(limit)
	if err != nil {
		return ratelimit.Decision{}, err
	}
	return e.decision(n, answer)
}

// Names returns under which name Redis holds the state of a key, and that beside it by which the limiter looks for Redis.
func Names(prefix, name, key string) (state, probe string, err error) {
	k, err := newKeys(prefix, name)
	return k.of(key), k.probe(key), err
}

// Limits of looking for Redis.
const (
	MinLook = minLook
	Calm    = calm
)

// RetryAfter is what those who are refused without Redis are told.
const RetryAfter time.Duration = retryAfter
