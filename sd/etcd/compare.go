package etcd

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// suspicion is that a watch has missed something.
type suspicion struct {
	held   bool
	events int // how many had come when it arose
}

// compare compares the listing with what etcd has, by the number of keys and the revision of the newest. They may differ while an event is
// on its way; a watch that differs twice, without an event in between, has missed something, as one does whose member hangs.
func (l *listing) compare(ctx context.Context, s *suspicion) error {
	keys, newest, err := l.summary(ctx)
	if err != nil {
		return err
	}
	haveKeys, haveNewest := l.known()
	switch {
	case keys == haveKeys && newest == haveNewest:
		s.held = false
	case s.held && s.events == l.events:
		return l.failed(fmt.Errorf("it has missed something: there are %d keys, the newest of revision %d, and it has %d, of revision %d",
			keys, newest, haveKeys, haveNewest))
	default:
		*s = suspicion{held: true, events: l.events}
	}
	return nil
}

func (l *listing) known() (keys int, newest int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		newest = max(newest, e.revision)
	}
	return len(l.entries), newest
}

// summary returns how many keys there are, and the revision of the newest.
func (l *listing) summary(ctx context.Context) (keys int, newest int64, err error) {
	response, err := l.get(ctx, askLimit, clientv3.WithKeysOnly(), clientv3.WithLimit(1),
		clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortDescend))
	if err != nil {
		return 0, 0, err
	}
	for _, kv := range response.Kvs {
		newest = kv.GetModRevision()
	}
	return int(response.Count), newest, nil
}

// pause waits for the time, or until ctx ends.
func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
