package workqueue

import (
	"math/rand/v2"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// Retryable reports whether an error is worth another attempt, by its code and by whether it says when. It is what a server does
// without ServerRetry:
//
//   - Canceled, Unknown, DeadlineExceeded, ResourceExhausted, Aborted, Internal and Unavailable are: they tell of the system at
//     that time. Internal is also what a panic, and any error that is no status, counts as.
//   - InvalidArgument, NotFound, AlreadyExists, PermissionDenied, FailedPrecondition, OutOfRange, Unimplemented, DataLoss and
//     Unauthenticated are not: they tell of the message.
//   - An error of any code with a RetryAfter is.
func Retryable(err *status.Error) bool {
	if err.RetryAfter > 0 {
		return true
	}
	switch err.Code {
	case status.Canceled, status.Unknown, status.DeadlineExceeded, status.ResourceExhausted, status.Aborted, status.Internal,
		status.Unavailable:
		return true
	}
	return false
}

// backoff is an exponential backoff with full jitter, after Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture
// Blog, 2015: anything from 0 to a limit that doubles with each delivery.
type backoff struct{ first, most time.Duration }

// limit returns the longest delay after the delivery of that number, from 1.
func (b backoff) limit(attempt int) time.Duration {
	d := b.first
	for range attempt - 1 {
		if d > b.most/2 {
			return b.most
		}
		d *= 2
	}
	return min(d, b.most)
}

// delay returns how long to wait after the delivery of that number.
func (b backoff) delay(attempt int) time.Duration {
	return rand.N(b.limit(attempt) + 1) //nolint:gosec // it spreads, it does not protect
}
