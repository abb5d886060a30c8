package deadline_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/deadline"
)

func TestAGuardDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	guarded, g := guards(t)
	long, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	past, done := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
	defer done()
	for name, ctx := range map[string]context.Context{"passes": long, "has no deadline": t.Context(), "is refused": past} {
		if have := testing.AllocsPerRun(1000, func() { _, _ = guarded(ctx, nil) }); have != 0 {
			t.Errorf("a call that %s: want no allocations, have %v", name, have)
		}
	}
	if have := g.Status()[0]; have.Expired < 1000 {
		t.Errorf("want refusals, have %+v", have)
	}
}

// Many goroutines measure while the window turns: the minimum stays within what they have measured.
func TestAGuardServesManyGoroutines(t *testing.T) {
	t.Parallel()
	g, err := deadline.NewGuard(deadline.GuardWindow(10*time.Millisecond), deadline.GuardSamples(1), deadline.GuardProbe(time.Microsecond))
	if err != nil {
		t.Fatal(err)
	}
	const most = 200 * time.Microsecond
	call := g.Middleware(spec, func(_ context.Context, request any) (any, error) {
		for end := time.Now().Add(rand.N(most)); time.Now().Before(end); {
			runtime.Gosched()
		}
		return request, nil
	})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 500 {
				ctx, cancel := context.WithTimeout(t.Context(), most)
				_, _ = call(ctx, nil)
				cancel()
				if _, err := call(t.Context(), nil); err != nil {
					t.Error(err)
				}
				if have := g.Status()[0].Minimum; have < 0 || have > time.Minute {
					t.Errorf("want a minimum that was measured, have %v", have)
				}
			}
		})
	}
	group.Wait()
}
