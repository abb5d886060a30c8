package loadshed_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/transport"
)

// Whatever happens at the same time, no more calls pass than may, none is forgotten in the queue, and nothing is left in the end.
func TestManyAtATime(t *testing.T) {
	t.Parallel()
	const limit = 3
	bulkhead, err := loadshed.NewBulkhead(limit, loadshed.BulkheadWait(time.Second, 100))
	if err != nil {
		t.Fatal(err)
	}
	shedder := fixed(t, limit, loadshed.QueueRoom(10), loadshed.QueueTarget(time.Millisecond), loadshed.QueueInterval(5*time.Millisecond))
	for name, acquire := range map[string]func(context.Context) (func(error), error){"Shedder": shedder.Acquire, "Bulkhead": bulkhead.Acquire} {
		var (
			inside, most, passed atomic.Int64
			callers              sync.WaitGroup
		)
		for i := range 16 {
			callers.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(i)))
				for range 2000 {
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(2000))*time.Microsecond)
					done, err := acquire(transport.WithPriority(ctx, transport.Priority(random.IntN(3)-1)))
					if err == nil {
						n := inside.Add(1)
						for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
						}
						runtime.Gosched()
						inside.Add(-1)
						done(nil)
						passed.Add(1)
					} else if !errors.Is(err, loadshed.ErrRefused) && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s: %v", name, err)
					}
					cancel()
				}
			})
		}
		callers.Wait()
		if have := most.Load(); have > limit || passed.Load() == 0 {
			t.Errorf("%s: want no more than %d at a time, have %d; %d passed", name, limit, have, passed.Load())
		}
	}
	if have := shedder.Status(); have.InProgress != 0 || have.Waiting != (loadshed.Classes{}) {
		t.Errorf("want nothing left, have %+v", have)
	}
	if have := bulkhead.Status(); have.InProgress != 0 || have.Waiting != 0 {
		t.Errorf("want nothing left, have %+v", have)
	}
}
