package mdns

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Instancer watches the instances of one service on the local network. It implements sd.Instancer.
type Instancer struct {
	service    string
	interfaces []string
}

// InstancerOption changes an Instancer. Options of one name append to each other.
type InstancerOption func(*Instancer) error

// InstancerInterfaces makes it listen and ask on the interfaces of these names alone, such as "eth0" or "lo". By default it does so on all
// that are up and can do multicast, and on loopback. One that is not there or not up is used as soon as it is.
func InstancerInterfaces(names ...string) InstancerOption {
	return func(i *Instancer) (err error) {
		i.interfaces, err = appendInterfaces("InstancerInterfaces", i.interfaces, names)
		return err
	}
}

func appendInterfaces(option string, to, names []string) ([]string, error) {
	if len(names) == 0 || slices.Contains(names, "") {
		return nil, fmt.Errorf("%s(%q): want names of interfaces", option, names)
	}
	return append(to, names...), nil
}

// NewInstancer returns the Instancer of a service. It fails for a name that driver of no registry takes, such as an empty one, and for an
// option that is not valid. Nothing is sent before Watch.
func NewInstancer(service string, opts ...InstancerOption) (*Instancer, error) {
	i := &Instancer{service: service}
	if err := errors.Join(driver.CheckService(service), option.Set(i, opts)); err != nil {
		return nil, fmt.Errorf("mdns: NewInstancer: %w", err)
	}
	return i, nil
}

// Watch implements sd.Instancer. It has sockets of its own while the loop runs. The first set comes when no instance was heard for 200 ms,
// and an empty one after 1.5 s. While no interface can be used the last set stays.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		known := newCache(i.service)
		driver.Watch(ctx, func(ctx context.Context, feed *driver.Feed) error { return i.read(ctx, feed, known) })(yield)
	}
}

// read hears in a goroutine of its own, so that nothing is missed while feed is busy.
func (i *Instancer) read(ctx context.Context, feed *driver.Feed, known *cache) error {
	ctx, cancel := context.WithCancel(ctx)
	b := &browser{cache: known, net: newNetwork(i.interfaces, false), news: make(chan struct{}, 1)}
	failed := make(chan error, 1)
	var hearing sync.WaitGroup
	defer hearing.Wait()
	defer cancel()
	hearing.Go(func() { failed <- b.run(ctx) })
	for {
		select {
		case <-b.news:
			if set, invalid := b.take(); !feed.Set(set, invalid...) {
				return nil
			}
		case err := <-failed:
			return err
		}
	}
}
