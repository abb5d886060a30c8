package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"
)

// askLimit is how long ZooKeeper may take to answer.
const askLimit = 3 * time.Second

// slots are how many calls of the client there may be at once. The client's calls know no context, and may take for ever. A call that is no
// longer waited for keeps its slot until the client lets go of it, so that no more of them pile up than there are slots, and with one
// slot all of them are done one after the other.
type slots chan struct{}

// call calls f, which calls the client, and waits for it for askLimit.
func call[T any](ctx context.Context, s slots, f func() (T, error)) (value T, err error) {
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	late := func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("no answer within %v", askLimit)
	}
	select {
	case s <- struct{}{}:
	case <-limited.Done():
		return value, late()
	}
	type answer struct {
		value T
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		value, err := f()
		<-s
		answered <- answer{value, err}
	}()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-limited.Done():
		return value, late()
	}
}

// closed says whether the user has closed the connection, which shows in that it does not try to be made again.
func closed(ctx context.Context, conn *zk.Conn, err error) bool {
	const times, every = 5, 20 * time.Millisecond
	if !errors.Is(err, zk.ErrConnectionClosed) && !errors.Is(err, zk.ErrClosing) {
		return false
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range times {
		if conn.State() != zk.StateDisconnected {
			return false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
