package lb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
)

// EndpointOption sets up an Endpoint or a Stream. One that is given twice replaces the earlier.
type EndpointOption func(*endpointConfig) error

type endpointConfig struct {
	retry      retryRules
	percentile float64 // of hedges
	hedges     int     // at once; 0 is none
	hedgeLeast time.Duration
	key        any // a func(context.Context, Req) string, or nil
}

func newEndpointConfig(spec endpoint.Spec, opts []EndpointOption) (*endpointConfig, error) {
	config := &endpointConfig{
		retry: retryRules{
			idempotent: spec.Idempotent, attempts: DefaultAttempts, pushback: true, longest: DefaultRetryWait,
			backoff: backoff{base: DefaultBackoff, limit: DefaultMaxBackoff},
		},
		hedgeLeast: DefaultHedgeDelay,
	}
	config.retry.codes[status.Unavailable] = true
	if err := option.Set(config, opts); err != nil {
		return nil, err
	}
	switch {
	case config.hedges == 0 && config.hedgeLeast != DefaultHedgeDelay:
		return nil, errors.New("EndpointHedgeDelay: there are no hedges without EndpointHedge")
	case config.hedges == 0:
	case !spec.Idempotent:
		return nil, errors.New("EndpointHedge: the operation is not idempotent, and hedges do it twice")
	case config.retry.attempts <= config.hedges:
		return nil, fmt.Errorf("EndpointHedge: %d hedges need more attempts than %d", config.hedges, config.retry.attempts)
	}
	return config, nil
}

// EndpointRetryAttempts sets how many attempts a call has at most, the first and hedges included: 1 to 10. The default is DefaultAttempts.
func EndpointRetryAttempts(most int) EndpointOption {
	return func(c *endpointConfig) error {
		c.retry.attempts = most
		return option.Within("EndpointRetryAttempts", most, 1, maxAttempts)
	}
}

// EndpointNoRetry leaves it at one attempt.
func EndpointNoRetry() EndpointOption { return EndpointRetryAttempts(1) }

// EndpointRetryBackoff sets how long to wait between attempts: at random up to base, then up to twice as much each time, and never more
// than limit. The defaults are DefaultBackoff and DefaultMaxBackoff.
func EndpointRetryBackoff(base, limit time.Duration) EndpointOption {
	return func(c *endpointConfig) error {
		if base <= 0 || limit < base {
			return fmt.Errorf("EndpointRetryBackoff(%v, %v): want more than 0, and as much or more", base, limit)
		}
		c.retry.backoff = backoff{base: base, limit: limit}
		return nil
	}
}

// EndpointRetryWait limits how long is waited for a server that says when to come back: where it is longer the call fails at once, with
// the time in the error. The default is DefaultRetryWait.
func EndpointRetryWait(longest time.Duration) EndpointOption {
	return func(c *endpointConfig) error {
		c.retry.longest = longest
		return option.Positive("EndpointRetryWait", longest)
	}
}

// EndpointRetryCodes sets the codes of errors after which there is another attempt. The default is Unavailable, as Google's AIP-194
// (https://google.aip.dev/194) says, and ResourceExhausted when the server says when to come back, as OpenTelemetry's OTLP does. Aborted
// is for those to repeat who know what the whole transaction was, and Internal and Unknown would repeat defects.
func EndpointRetryCodes(codes ...status.Code) EndpointOption {
	return func(c *endpointConfig) error {
		c.retry.codes, c.retry.pushback = [len(c.retry.codes)]bool{}, false
		for _, code := range codes {
			if code == status.OK || !code.Valid() {
				return fmt.Errorf("EndpointRetryCodes: %v is no code of an error", code)
			}
			if code == status.Canceled {
				return errors.New("EndpointRetryCodes: canceled is what the caller gave up")
			}
			c.retry.codes[code] = true
		}
		return nil
	}
}

// EndpointAttemptTimeout gives each attempt of a unary call at most limit. One that takes longer may be repeated while the deadline of the
// context, which is that of the whole call, has not passed. The default is none. For the whole call there is endpoint.Timeout.
func EndpointAttemptTimeout(limit time.Duration) EndpointOption {
	return func(c *endpointConfig) error {
		c.retry.timeout = limit
		return option.Positive("EndpointAttemptTimeout", limit)
	}
}

// EndpointKey sets the key of each call, as WithKey does. It is for unary endpoints whose pool has the policy ConsistentHash, and
// Req is that of the endpoint.
func EndpointKey[Req any](key func(ctx context.Context, request Req) string) EndpointOption {
	return func(c *endpointConfig) error {
		if key == nil {
			return errors.New("EndpointKey: the function is nil")
		}
		c.key = key
		return nil
	}
}
