package etcd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// listLimit is how long it may take to read all instances of a service.
const listLimit = 5 * time.Second

// Instancer watches the instances of a service in etcd. It is safe for concurrent use.
type Instancer struct {
	client *clientv3.Client
	prefix string // of the keys of the service
	check  time.Duration
}

// NewInstancer returns an Instancer of the service, whose name is visible ASCII without any of /\*>?#%". The client remains the caller's,
// who closes it after the last watch has ended.
func NewInstancer(client *clientv3.Client, service string, opts ...InstancerOption) (*Instancer, error) {
	c := instancerConfig{prefix: DefaultPrefix, check: DefaultCheck}
	if err := errors.Join(checkClient(client), driver.CheckService(service), option.Set(&c, opts)); err != nil {
		return nil, fmt.Errorf("etcd: NewInstancer: %w", err)
	}
	return &Instancer{client: client, prefix: c.prefix + service + "/", check: c.check}, nil
}

func checkClient(client *clientv3.Client) error {
	if client == nil {
		return errors.New("the client is nil")
	}
	return nil
}

// Watch implements sd.Instancer. Each call has a watch, and a stream, of its own.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return driver.Watch(ctx, i.read)
}

// read implements driver.Read. The registry is followed on a goroutine of its own, so that nothing piles up while the loop is busy.
func (i *Instancer) read(ctx context.Context, feed *driver.Feed) error {
	l, err := i.list(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { ended <- l.follow(ctx) })
	for {
		if instances, invalid := l.instances(); !feed.Set(instances, invalid...) {
			return nil
		}
		select {
		case <-l.changed:
		case err := <-ended:
			return err
		}
	}
}

// list reads all instances.
func (i *Instancer) list(ctx context.Context) (*listing, error) {
	response, err := i.get(ctx, listLimit)
	if err != nil {
		return nil, err
	}
	l := &listing{Instancer: i, changed: make(chan struct{}, 1), entries: make(map[string]entry), revision: response.Header.GetRevision()}
	for _, kv := range response.Kvs {
		l.put(kv)
	}
	return l, nil
}

// get reads the keys of the service.
func (i *Instancer) get(ctx context.Context, limit time.Duration, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	kv, opts := clientv3.NewKV(i.client), append([]clientv3.OpOption{clientv3.WithPrefix()}, opts...)
	response, err := ask(ctx, askLimit, limit, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return kv.Get(ctx, i.prefix, opts...)
	})
	if err != nil {
		return nil, failed(i.client, fmt.Sprintf("reading %q", i.prefix), err)
	}
	return response, nil
}
