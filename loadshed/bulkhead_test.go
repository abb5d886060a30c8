package loadshed_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/status"
)

func TestABulkheadLetsSoManyPassAndSomeWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, err := loadshed.NewBulkhead(1, loadshed.BulkheadWait(time.Second, 2))
		if err != nil {
			t.Fatal(err)
		}
		first, err := b.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		type outcome struct {
			number int
			after  time.Duration
			err    error
		}
		outcomes := make(chan outcome)
		began := time.Now()
		for i := range 2 {
			go func() {
				done, err := b.Acquire(t.Context())
				outcomes <- outcome{i, time.Since(began), err}
				if err == nil {
					time.Sleep(2 * time.Second)
					done(nil)
				}
			}()
			synctest.Wait()
		}
		if _, err := b.Acquire(t.Context()); !errors.Is(err, loadshed.ErrFull) || status.As(err).Reason != loadshed.ReasonBulkhead {
			t.Errorf("want a third to be refused, have %v", err)
		}
		if want, have := (loadshed.BulkheadStatus{Limit: 1, InProgress: 1, Waiting: 2, Full: 1}), b.Status(); want != have {
			t.Errorf("want %+v, have %+v", want, have)
		}
		time.Sleep(time.Second / 2)
		first(nil)
		if o := <-outcomes; o.number != 0 || o.err != nil || o.after != time.Second/2 {
			t.Errorf("want the first who waits to be let in, have %+v", o)
		}
		if o := <-outcomes; o.number != 1 || !errors.Is(o.err, loadshed.ErrLate) || o.after != time.Second {
			t.Errorf("want the second to be refused after a second, have %+v", o)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/4)
		defer cancel()
		if _, err := b.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want the context's error, have %v", err)
		}
		time.Sleep(2 * time.Second)
		if want, have := (loadshed.BulkheadStatus{Limit: 1, Full: 1, Late: 1}), b.Status(); want != have {
			t.Errorf("want %+v, have %+v", want, have)
		}
	})
}
