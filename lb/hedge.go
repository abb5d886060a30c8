package lb

import (
	"context"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

const (
	// DefaultHedgePercentile is for those who want hedges and have no opinion when: a twentieth of the calls is slower.
	DefaultHedgePercentile = 0.95
	// DefaultHedgeDelay is how soon the first hedge may begin.
	DefaultHedgeDelay = time.Millisecond
)

// EndpointHedge calls a second instance when the first takes longer than calls of the endpoint do, up to the percentile, such as
// DefaultHedgePercentile, and so on up to that many hedges at once; the first answer is the call's. An error that is not to be repeated
// counts as an answer. It is for unary operations that are idempotent, and makes the slowest calls shorter where it is chance which are
// slow. Source: Dean and Barroso, "The Tail at Scale" (Communications of the ACM, February 2013).
//
// There are no hedges until enough calls have ended to tell the percentile, from 0.5 to 0.999: ten above it, and at least a hundred; that
// of the last two thousand calls or so is used. Hedges count as attempts, spend the budget of PoolRetryBudget, and do not begin
// without an instance that the call has not been to.
//
// The other attempts are cancelled, and the call returns when they have ended. So what they call must heed its context. Attempts read
// the request at the same time: nothing within bind may change it.
func EndpointHedge(percentile float64, hedges int) EndpointOption {
	return func(c *endpointConfig) error {
		if !(percentile >= 0.5 && percentile <= 0.999) || hedges < 1 || hedges >= maxAttempts {
			return fmt.Errorf("EndpointHedge(%v, %d): want 0.5 to 0.999, and 1 to %d", percentile, hedges, maxAttempts-1)
		}
		c.percentile, c.hedges = percentile, hedges
		return nil
	}
}

// EndpointHedgeDelay sets how soon a hedge begins at the soonest. The default is DefaultHedgeDelay.
func EndpointHedgeDelay(least time.Duration) EndpointOption {
	return func(c *endpointConfig) error {
		c.hedgeLeast = least
		return option.Positive("EndpointHedgeDelay", least)
	}
}

// hedging is when an endpoint hedges.
type hedging struct {
	*latencies

	least time.Duration
	most  int
}

func newHedging(c *endpointConfig) *hedging {
	if c.hedges == 0 {
		return nil
	}
	return &hedging{latencies: newLatencies(c.percentile), least: c.hedgeLeast, most: c.hedges}
}

// delay is how long to wait before a hedge; never while it is not known.
func (h *hedging) delay() time.Duration {
	if known := h.reached(); known > 0 {
		return max(known, h.least)
	}
	return never
}

// hedged makes a call that has begun, and its hedges.
func (e *unary[C, Req, Resp]) hedged(
	ctx context.Context, c call[C], do endpoint.Endpoint[Req, Resp], request Req, t *trial,
) (response Resp, err error) {
	delay, hedges := e.hedging.delay(), min(e.hedging.most, t.left()-1)
	start := e.pool.clock.Now()
	if delay == never || hedges < 1 {
		if response, err = e.attempt(ctx, c, do, request); err == nil {
			e.hedging.observe(e.pool.clock.Now() - start)
		} else {
			t.fail(c.node.Node, err)
		}
		return response, err
	}
	x := &race[C, Req, Resp]{unary: e, request: request, trial: t, delay: delay, left: hedges, tried: append(t.tried, c.node.Node)}
	x.ctx, x.cancel = context.WithCancel(ctx) //nolint:gosec // by close
	defer x.close()                           // also when the call panics
	x.start()
	if x.run(c, do) {
		e.hedging.observe(e.pool.clock.Now() - start)
	}
	x.stop()
	x.work.Wait() // for the answer of another, or for the end of those that are cancelled
	return x.result(ctx)
}
