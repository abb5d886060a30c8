package etcd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// listing is what is known of the keys of a service. One goroutine follows the registry, and another takes what it has found.
type listing struct {
	*Instancer

	changed  chan struct{} // holds a token while there is something to take
	revision int64         // at which it was read
	events   int           // how many have come since

	mu      sync.Mutex
	entries map[string]entry // by key
}

// entry is what a key holds.
type entry struct {
	revision int64
	instance sd.Instance
	invalid  *sd.InvalidError
}

// instances returns what there is, in the order of the keys, so that of two with one address the same always remains.
func (l *listing) instances() (instances []sd.Instance, invalid []*sd.InvalidError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(l.entries)) {
		if e := l.entries[key]; e.invalid != nil {
			invalid = append(invalid, e.invalid)
		} else {
			instances = append(instances, e.instance)
		}
	}
	return instances, invalid
}

func (l *listing) put(kv *mvccpb.KeyValue) {
	e := entry{revision: kv.GetModRevision()}
	e.instance, e.invalid = driver.Unmarshal(string(kv.GetKey()), kv.GetValue())
	l.entries[string(kv.GetKey())] = e
}

// follow keeps the listing as the registry is until ctx ends, or it no longer can.
func (l *listing) follow(ctx context.Context) error {
	// The watches of one Watcher share a stream. This one is to have its own, so that a stream to a member that hangs is given up with its
	// watch; and when no watch was put on it, as when ctx ends meanwhile, a stream ends with its Watcher only.
	watcher := clientv3.NewWatcher(l.client)
	defer watcher.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	limit := time.AfterFunc(askLimit, cancel)
	responses := watcher.Watch(clientv3.WithRequireLeader(ctx), l.prefix, clientv3.WithPrefix(), clientv3.WithRev(l.revision+1))
	if !limit.Stop() {
		return l.failed(fmt.Errorf("no answer within %v", askLimit))
	}
	check := time.NewTicker(l.check)
	defer check.Stop()
	var missed suspicion
	for {
		select {
		case response, open := <-responses:
			if !open {
				return l.failed(errEnded)
			}
			if err := response.Err(); errors.Is(err, rpctypes.ErrCompacted) {
				return nil // what was missed is in the next listing
			} else if err != nil {
				return l.failed(err)
			}
			l.apply(response.Events)
		case <-check.C:
			if err := l.compare(ctx, &missed); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var errEnded = errors.New("it has ended")

func (l *listing) failed(err error) error {
	return failed(l.client, fmt.Sprintf("watching %q", l.prefix), err)
}

func (l *listing) apply(events []*clientv3.Event) {
	if len(events) == 0 {
		return
	}
	l.events += len(events)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		if e.GetType() == clientv3.EventTypeDelete {
			delete(l.entries, string(e.GetKv().GetKey()))
		} else {
			l.put(e.GetKv())
		}
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}
