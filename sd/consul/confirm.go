package consul

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

const (
	// confirmLimit is how long the agent may take to tell the servers. It tells them at once.
	confirmLimit = 7 * time.Second
	// gonePoll is how long one query waits for the end of a registration.
	gonePoll = time.Second
)

// confirm waits until the servers have the registration. It does so once: what is registered again is alive, whatever they know.
func (r *registered) confirm(ctx context.Context) error {
	wait := min(r.ttl/signs, callLimit)
	var delay driver.Backoff
	for begin := time.Now(); !r.confirmed; {
		there, err := r.there(ctx, wait)
		switch {
		case err != nil:
			return fmt.Errorf("consul: whether %s is registered: %w", r.service.ID, err)
		case there:
			r.confirmed = true
		case time.Since(begin) > confirmLimit:
			return fmt.Errorf("consul: the agent has %s for %v, and has not told its servers", r.service.ID, confirmLimit)
		default:
			delay.Wait(ctx)
			if err := r.pass(ctx, callLimit); err != nil {
				return err
			}
		}
	}
	return nil
}

// there waits, for that long at most, until the servers have this very registration, and says whether they have. Where the token may
// not see it that is not known, and taken for granted.
func (r *registered) there(ctx context.Context, wait time.Duration) (bool, error) {
	there, hidden, index, err := r.seen(ctx, 0, 0)
	if err == nil && !there && !hidden {
		there, hidden, _, err = r.seen(ctx, max(index, 1), wait)
	}
	return there || hidden, err
}

// gone waits until the servers do not have this very registration.
func (r *registered) gone(ctx context.Context) error {
	var (
		index uint64
		delay driver.Backoff
	)
	for {
		there, _, next, err := r.seen(ctx, index, gonePoll)
		if err != nil || !there {
			return err
		}
		if index > 0 { // the first that waits comes at once
			delay.Wait(ctx)
		}
		index = max(next, 1)
	}
}

// seen asks the servers whether they have this very registration, when that may have changed since index. Hidden says that the token
// may not see all that there is.
func (r *registered) seen(ctx context.Context, index uint64, wait time.Duration) (there, hidden bool, next uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait+wait/jitter+callLimit)
	defer cancel()
	options := &api.QueryOptions{WaitIndex: index, WaitTime: wait, RequireConsistent: index == 0}
	entries, meta, err := r.client.Health().Service(r.service.Name, "", true, options.WithContext(ctx))
	if err != nil {
		return false, false, 0, err
	}
	there = slices.ContainsFunc(entries, func(e *api.ServiceEntry) bool {
		return e != nil && e.Service != nil && e.Service.Meta[onceKey] == r.service.Meta[onceKey]
	})
	return there, meta.ResultsFilteredByACLs, meta.LastIndex, nil
}
