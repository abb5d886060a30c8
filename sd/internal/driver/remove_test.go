package driver_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

var errAway = errors.New("the registry is away")

// registration is one of a registry that is away for some time, from the moment that the instance is to be taken out.
type registration struct {
	hold    error         // what Hold returns at once, when it is not nil
	away    time.Duration // what Remove fails for
	fail    error         // with what
	since   time.Time     // of the first Remove
	removes int
	removed bool
}

func (r *registration) Hold(ctx context.Context, held func()) error {
	if r.hold != nil {
		return r.hold
	}
	held()
	<-ctx.Done()
	return ctx.Err()
}

func (r *registration) Remove(context.Context) error {
	if r.removes++; r.removes == 1 {
		r.since = time.Now()
	}
	if time.Since(r.since) < r.away {
		return r.fail
	}
	r.removed = true
	return nil
}

func TestAnInstanceIsTakenOutWhenTheRegistryIsBack(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		away    time.Duration
		fail    error
		want    error         // of deregister
		within  time.Duration // of deregister
		removed bool          // in the end
		ended   time.Duration // since deregister
	}{
		"at once":            {0, errAway, nil, 0, true, 0},
		"soon":               {2 * time.Second, errAway, nil, 5 * time.Second, true, 5 * time.Second},
		"late":               {30 * time.Second, errAway, errAway, driver.RemoveLimit, true, 34 * time.Second},
		"never":              {time.Hour, errAway, errAway, driver.RemoveLimit, false, driver.RemoveFor},
		"the client is gone": {time.Hour, fmt.Errorf("etcd: %w", driver.ErrClosed), driver.ErrClosed, 0, false, 0},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &registration{away: row.away, fail: row.fail}
				reports := 0
				deregister, err := driver.Register(t.Context(), r, []func(error){func(error) { reports++ }})
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				if err := deregister(t.Context()); !errors.Is(err, row.want) || row.want == nil && err != nil {
					t.Errorf("want %v, have %v", row.want, err)
				}
				if have := time.Since(begun); have > row.within {
					t.Errorf("want an answer within %v, have it after %v", row.within, have)
				}
				time.Sleep(time.Until(begun.Add(row.ended)))
				synctest.Wait()
				if r.removed != row.removed {
					t.Errorf("want it taken out: %t, have %t", row.removed, r.removed)
				}
				if failures := r.removes; row.removed && reports != failures-1 || !row.removed && reports != failures {
					t.Errorf("want each failure reported, have %d of %d attempts", reports, failures)
				}
				if err := deregister(t.Context()); row.removed != (err == nil) {
					t.Errorf("afterwards: have %v", err)
				}
			}) // which fails when a goroutine remains
		})
	}
}

func TestARegistrationThatFailsSaysWhyAlsoWhenItCannotBeTakenOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("no such bucket")
		r := &registration{hold: why, away: 20 * time.Second, fail: errAway}
		begun := time.Now()
		if _, err := driver.Register(t.Context(), r, nil); !errors.Is(err, why) {
			t.Errorf("want %v, have %v", why, err)
		}
		if want, have := driver.RemoveLimit, time.Since(begun); want != have {
			t.Errorf("want an answer after %v, have it after %v", want, have)
		}
		time.Sleep(driver.RemoveFor)
		synctest.Wait()
		if !r.removed {
			t.Error("want it taken out in the end")
		}
	})
}
