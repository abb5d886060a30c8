package natskv

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Instancer watches the instances of one service in a bucket. It is safe for concurrent use.
type Instancer struct {
	place

	grace time.Duration
}

// NewInstancer returns the Instancer of the service in the bucket. It fails when js is nil, and when a name or an option is wrong. It asks
// nobody: a bucket that is missing is an error of the watch.
func NewInstancer(js jetstream.JetStream, bucket, service string, opts ...InstancerOption) (*Instancer, error) {
	p, err := newPlace(js, bucket, service)
	i := &Instancer{place: p, grace: DefaultGrace}
	if err == nil {
		err = option.Set(i, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("natskv: NewInstancer: %w", err)
	}
	return i, nil
}

// Watch implements sd.Instancer. Each watch has a consumer of its own, which JetStream forgets soon after its end.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		e := newEntries(i.grace) // they outlive outages
		driver.Watch(ctx, func(ctx context.Context, feed *driver.Feed) error {
			err := i.read(ctx, e, feed)
			e.failed = err != nil
			return err
		})(yield)
	}
}
