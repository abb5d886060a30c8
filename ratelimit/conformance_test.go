package ratelimit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/ratelimit/ratelimittest"
)

func local(limit ratelimit.Limit) (ratelimit.Limiter, error) { return ratelimit.New(limit) }

func TestLocalConforms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { ratelimittest.Run(t, ratelimittest.Harness{New: local}) })
}

func TestLocalConformsInRealTime(t *testing.T) {
	t.Parallel()
	ratelimittest.Run(t, ratelimittest.Harness{New: local, Period: 100 * time.Millisecond})
}

func TestQuotaConforms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ratelimittest.Run(t, ratelimittest.Harness{Window: true, New: func(limit ratelimit.Limit) (ratelimit.Limiter, error) {
			return ratelimit.NewQuota(limit.Events, ratelimit.Every(limit.Period))
		}})
	})
}
