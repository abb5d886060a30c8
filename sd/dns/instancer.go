package dns

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Instancer watches the records of a name. It is safe for concurrent use.
type Instancer struct {
	config config
	name   string
	finder finder
	first  atomic.Int64 // the server that has answered last
}

// finder makes instances of the records of a name that is looked up as it is.
type finder interface {
	find(ctx context.Context, c *client, name string) (answer, error)
}

// NewSRV returns the Instancer of the SRV records of a name, such as "_grpc._tcp.orders.example.com": an instance for each address of each
// target. Of the records only those with the lowest-numbered priority that has addresses count. Weight is Instance.Weight, shared
// by the addresses of a target.
//
// A name that does not end in a dot is completed by the search list. NewSRV fails when the name or an option is wrong. It asks nobody.
func NewSRV(name string, opts ...InstancerOption) (*Instancer, error) {
	i, err := newInstancer(name, opts)
	if err != nil {
		return nil, fmt.Errorf("dns: NewSRV: %w", err)
	}
	i.finder = srv{families: i.config.families}
	return i, nil
}

// NewHost returns the Instancer of the addresses of a name, which all have the port. Else it is as NewSRV.
func NewHost(name string, port int, opts ...InstancerOption) (*Instancer, error) {
	const most = 65535
	if err := option.Within("port", port, 1, most); err != nil {
		return nil, fmt.Errorf("dns: NewHost: %w", err)
	}
	i, err := newInstancer(name, opts)
	if err != nil {
		return nil, fmt.Errorf("dns: NewHost: %w", err)
	}
	i.finder = host{port: uint16(port), families: i.config.families}
	return i, nil
}

func newInstancer(name string, opts []InstancerOption) (*Instancer, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	return &Instancer{config: c, name: name}, nil
}

// Watch implements sd.Instancer. Each watch asks for itself.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return driver.Watch(ctx, i.read)
}

func (i *Instancer) read(ctx context.Context, feed *driver.Feed) error {
	for {
		a, err := i.find(ctx)
		if err != nil {
			return err
		}
		next := time.NewTimer(i.delay(time.Duration(a.life)))
		if !feed.Set(a.instances, a.invalid...) {
			next.Stop()
			return nil
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
			return nil
		}
	}
}

// find looks the name up in each domain of the search list, until there is an instance. An error ends this: behind it there may be the
// right ones.
func (i *Instancer) find(ctx context.Context) (answer, error) {
	r, err := i.config.resolver()
	if err != nil {
		return answer{}, fmt.Errorf("dns: %w", err)
	}
	c := &client{resolver: r, first: &i.first}
	none := answer{life: maxLife}
	for _, name := range candidates(i.name, r.search, r.ndots) {
		a, err := i.finder.find(ctx, c, name)
		if err != nil {
			return answer{}, err
		}
		none.life.limit(time.Duration(a.life))
		a.life = none.life // when there is one in an earlier domain, that is the one
		if len(a.instances)+len(a.invalid) > 0 {
			return a, nil
		}
	}
	return none, nil
}

// delay returns when to ask again: when the time to live is over, within the limits, and up to a tenth of it later, so that those that
// began at the same moment do not ask at the same.
func (i *Instancer) delay(ttl time.Duration) time.Duration {
	const part = 10
	d := min(max(ttl, i.config.floor), i.config.ceiling)
	return d + rand.N(d/part+1) //nolint:gosec // no secret
}
