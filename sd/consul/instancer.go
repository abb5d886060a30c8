package consul

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hashicorp/consul/api"
	"golang.org/x/time/rate"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

const (
	// burst is how many queries may follow each other at once: that of HashiCorp's advice on blocking queries.
	burst = 2
	// grace is how much longer than Consul may take the client waits for an answer.
	grace = 10 * time.Second
	// jitter is the part of the wait by which Consul itself lengthens it at most.
	jitter = 16
)

// Instancer watches the instances of one service that pass all their checks, those of their node included. It implements
// sd.Instancer, and is safe for concurrent use. Each watch asks Consul by itself; sd.Cache shares one.
type Instancer struct {
	client   *api.Client
	service  string
	settings instancerSettings
}

// NewInstancer returns the Instancer of the service. It asks nothing of Consul yet. The http.Client of the client must allow requests that
// last as long as InstancerWait says, and a tenth longer. The error is about the arguments.
func NewInstancer(client *api.Client, service string, opts ...InstancerOption) (*Instancer, error) {
	settings := instancerSettings{wait: time.Minute, interval: time.Second}
	if err := errors.Join(check(client, service), option.Set(&settings, opts)); err != nil {
		return nil, fmt.Errorf("consul: NewInstancer: %w", err)
	}
	return &Instancer{client: client, service: service, settings: settings}, nil
}

// Watch implements sd.Instancer.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		limiter := rate.NewLimiter(rate.Every(i.settings.interval), burst)
		driver.Watch(ctx, func(ctx context.Context, feed *driver.Feed) error { return i.read(ctx, feed, limiter) })(yield)
	}
}

// read asks for one set after the other, as HashiCorp's documentation of blocking queries wants it: the index is at least 1, so that
// each query but the first one blocks, begins anew when it went backwards, as it does when the servers were restored, and the rate of
// queries has a bound, so that changes without end are no busy loop.
func (i *Instancer) read(ctx context.Context, feed *driver.Feed, limiter *rate.Limiter) error {
	var index uint64
	for {
		if err := limiter.Wait(ctx); err != nil { // ctx has ended, or will before it is time
			<-ctx.Done()
			return err
		}
		entries, next, err := i.query(ctx, index)
		if err != nil {
			return fmt.Errorf("consul: asking for the instances of %s: %w", i.service, err)
		}
		set, invalid := instances(i.service, entries)
		if !feed.Set(set, invalid...) {
			return nil
		}
		if next < index {
			index = 0
			continue
		}
		index = max(next, 1)
	}
}

// query waits until the set is another than that of index, or for the time of InstancerWait. The first one is consistent: a server that
// was just started, and leads, else answers with what it knew at some time before.
func (i *Instancer) query(ctx context.Context, index uint64) ([]*api.ServiceEntry, uint64, error) {
	wait := i.settings.wait
	ctx, cancel := context.WithTimeout(ctx, wait+wait/jitter+grace)
	defer cancel()
	options := &api.QueryOptions{
		Datacenter:        i.settings.datacenter,
		AllowStale:        i.settings.stale,
		RequireConsistent: i.settings.consistent || index == 0 && !i.settings.stale,
		WaitIndex:         index,
		WaitTime:          wait,
	}
	entries, meta, err := i.client.Health().ServiceMultipleTags(i.service, i.settings.tags, true, options.WithContext(ctx))
	if err != nil {
		return nil, 0, err
	}
	return entries, meta.LastIndex, nil
}
