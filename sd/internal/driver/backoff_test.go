package driver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

func TestABackoffDoublesUpToALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b driver.Backoff
		wait := func(ctx context.Context) time.Duration {
			begun := time.Now()
			b.Wait(ctx)
			return time.Since(begun)
		}
		seen := map[time.Duration]bool{}
		for range 10 {
			for _, most := range []time.Duration{100, 200, 400, 800, 1600, 3000, 3000} {
				most *= time.Millisecond
				have := wait(t.Context())
				if have < most/2 || have > most {
					t.Errorf("want half to all of %v, have %v", most, have)
				}
				seen[have] = true
			}
			b.Reset()
		}
		if len(seen) < 60 {
			t.Errorf("want delays that differ, have %d of 70", len(seen))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if have := wait(ctx); have != time.Millisecond {
			t.Errorf("want an end with ctx, have it after %v", have)
		}
	})
}
