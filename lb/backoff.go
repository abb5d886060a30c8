package lb

import (
	"math/rand/v2"
	"time"
)

// The defaults of EndpointRetryBackoff.
const (
	DefaultBackoff    = 50 * time.Millisecond
	DefaultMaxBackoff = time.Second
)

// backoff is how long to wait after attempts that failed: exponentially more, up to a limit, and of that a random part ("full jitter",
// since those who failed together must not come back together). Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
type backoff struct{ base, limit time.Duration }

// after returns the time to wait after so many attempts, at least one.
func (b backoff) after(attempts int) time.Duration {
	most := b.limit
	if doubled := min(attempts-1, 62); b.base <= b.limit>>doubled {
		most = b.base << doubled
	}
	return time.Duration(rand.Uint64N(uint64(most) + 1)) //nolint:gosec // no secret
}
