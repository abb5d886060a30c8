package chain

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

// users call until the end, and wait for their answers. They do not wait for each other, so that the load does not fall when answers
// are late.
func (w *world) users(ctx context.Context, call endpoint.Endpoint[*call, *call]) {
	call = endpoint.New(spec(Front).Client(), call, endpoint.Timeout(w.Patience))
	var group sync.WaitGroup
	defer group.Wait()
	for at := time.Duration(0); ; {
		at += time.Duration(rand.ExpFloat64() / w.Rate * float64(time.Second)) //nolint:gosec // no secret
		if at >= w.Length || pause(ctx, at-time.Since(w.begin)) != nil {
			return
		}
		group.Go(func() { w.user(ctx, call) })
	}
}

func (w *world) user(ctx context.Context, do endpoint.Endpoint[*call, *call]) {
	came := time.Since(w.begin)
	w.counts.calls.add(came)
	if _, err := do(ctx, &call{}); err == nil {
		w.counts.good.add(came)
	}
}
