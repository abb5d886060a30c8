package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// maxReads is how many nodes are read at once.
const maxReads = 16

// Instancer watches the instances of a service in ZooKeeper. It is safe for concurrent use.
type Instancer struct {
	conn  *zk.Conn
	path  string // of the node of the service
	check time.Duration

	slots   slots
	watches watches
}

// NewInstancer returns an Instancer of the service, whose name is visible ASCII without any of /\*>?#%". The connection remains the
// caller's, who closes it after the last watch has ended. Nobody needs to take the events of its session.
func NewInstancer(conn *zk.Conn, service string, opts ...InstancerOption) (*Instancer, error) {
	c := instancerConfig{prefix: DefaultPrefix, check: DefaultCheck}
	err := option.Set(&c, opts)
	path, wrong := servicePath(conn, c.prefix, service)
	if err = errors.Join(err, wrong); err != nil {
		return nil, fmt.Errorf("zookeeper: NewInstancer: %w", err)
	}
	return &Instancer{conn: conn, path: path, check: c.check, slots: make(slots, maxReads)}, nil
}

// Watch implements sd.Instancer. Each call reads all nodes of the service by itself.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return driver.Watch(ctx, i.read)
}

// read implements driver.Read.
func (i *Instancer) read(ctx context.Context, feed *driver.Feed) error {
	ctx, cancel := context.WithCancel(ctx)
	r := newReading(i)
	defer r.group.Wait()
	defer cancel()
	for {
		if err := r.refresh(ctx); err != nil {
			return err
		}
		if instances, invalid := r.instances(); !feed.Set(instances, invalid...) {
			return nil
		}
		if err := r.wait(ctx); err != nil {
			return err
		}
	}
}

// names lists the nodes of the service, of which there are none when its own is not there, and returns what is closed when that has
// changed.
func (i *Instancer) names(ctx context.Context) (names []string, changed <-chan zk.Event, err error) {
	for {
		l, err := call(ctx, i.slots, func() (list, error) { return i.watches.list(i.conn, i.path) })
		if !errors.Is(err, zk.ErrNoNode) {
			return l.names, l.changed, failed("listing", i.path, err)
		}
		created, err := call(ctx, i.slots, func() (<-chan zk.Event, error) { return i.watches.awaited(i.conn, i.path) })
		if err != nil || created != nil {
			return nil, created, failed("listing", i.path, err)
		}
	}
}

// failed wraps an error of the client, and is nil when that is.
func failed(doing, path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("zookeeper: %s %s: %w", doing, path, err)
}
