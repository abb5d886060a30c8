package ratelimit

import "time"

// TakeAt is Take by a clock that can be set back.
func (q *Quota) TakeAt(now time.Time, key string, n int) (Decision, error) {
	return q.take(now, key, n)
}
