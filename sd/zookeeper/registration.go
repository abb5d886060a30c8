package zookeeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// registration is the node of one instance.
type registration struct {
	conn *zk.Conn
	path string
	data []byte
	acl  []zk.ACL

	slots   slots // one, so that what is asked for first is done first
	watches watches

	sent    bool  // ZooKeeper was asked to make the node, and what it has not answered is not known
	created int64 // the transaction that made the node, 0 when that is not known
	held    bool  // the node was there once
	lost    bool  // it is not, and that was said

	replaced bool // the node is that of another registration, and that was said
}

var errLost = errors.New("the node was lost")

// Hold implements driver.Registration.
func (r *registration) Hold(ctx context.Context, held func()) error {
	for {
		changed, err := r.ensure(ctx)
		if err != nil {
			return failed("registering", r.path, err)
		}
		held()
		if err := r.pause(ctx, changed); err != nil {
			return err
		}
	}
}

// pause waits until something has happened to the node, or it is time to look.
func (r *registration) pause(ctx context.Context, changed <-chan zk.Event) error {
	timer := time.NewTimer(DefaultCheck)
	defer timer.Stop()
	select {
	case <-changed:
		drain(changed)
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ensure makes the node unless it is there, and returns what is closed when something happens to it. At first it replaces one that is
// there; later one that is there is what has replaced it.
func (r *registration) ensure(ctx context.Context) (changed <-chan zk.Event, err error) {
	const attempts = 10 // as there are others that make and delete the same node
	for range attempts {
		n, err := r.read(ctx)
		switch {
		case errors.Is(err, zk.ErrNoNode):
			if r.held && !r.lost {
				r.lost = true
				return nil, errLost
			}
			err = r.make(ctx)
		case err != nil:
			return nil, err
		case r.mine(n):
			r.sent, r.created, r.held, r.lost, r.replaced = false, n.stat.Czxid, true, false, false
			return n.changed, nil
		case r.held && !r.replaced:
			r.replaced = true
			return nil, sd.ErrReplaced
		case r.held:
			return n.changed, nil
		default:
			err = r.replace(ctx, n.stat.Version)
		}
		if err != nil && !errors.Is(err, zk.ErrNodeExists) && !errors.Is(err, zk.ErrNoNode) && !errors.Is(err, zk.ErrBadVersion) {
			return nil, err // and not that another was faster
		}
	}
	return nil, fmt.Errorf("others have made and deleted it %d times", attempts)
}

func (r *registration) read(ctx context.Context) (node, error) {
	return call(ctx, r.slots, func() (node, error) { return r.watches.read(r.conn, r.path) })
}

// mine says whether the node is that of this registration, and not of another with the same path.
func (r *registration) mine(n node) bool {
	return n.stat.EphemeralOwner == r.conn.SessionID() && (n.stat.Czxid == r.created || r.sent && bytes.Equal(n.data, r.data))
}

// refused says whether the error is ZooKeeper's answer that nothing was done.
func refused(err error) bool {
	answers := []error{
		zk.ErrNodeExists, zk.ErrNoNode, zk.ErrBadVersion, zk.ErrNotEmpty, zk.ErrNoAuth, zk.ErrInvalidACL, zk.ErrNoChildrenForEphemerals,
	}
	return slices.ContainsFunc(answers, func(answer error) bool { return errors.Is(err, answer) })
}

// send makes the node by f.
func (r *registration) send(ctx context.Context, f func() error) error {
	before := r.sent
	r.sent = true
	_, err := call(ctx, r.slots, func() (struct{}, error) { return struct{}{}, f() })
	if refused(err) {
		r.sent = before
	}
	return err
}

// make makes the node, and those above it.
func (r *registration) make(ctx context.Context) error {
	create := func() error {
		_, err := r.conn.Create(r.path, r.data, zk.FlagEphemeral, r.acl)
		return err
	}
	return r.send(ctx, func() error {
		err := create()
		if !errors.Is(err, zk.ErrNoNode) {
			return err
		}
		if err := r.makeParents(path.Dir(r.path)); err != nil {
			return err
		}
		return create()
	})
}

// makeParents makes a node that has no data, and those above it.
func (r *registration) makeParents(parent string) error {
	_, err := r.conn.Create(parent, nil, 0, r.acl)
	if errors.Is(err, zk.ErrNoNode) {
		if err := r.makeParents(path.Dir(parent)); err != nil {
			return err
		}
		_, err = r.conn.Create(parent, nil, 0, r.acl)
	}
	if err != nil && !errors.Is(err, zk.ErrNodeExists) {
		return fmt.Errorf("making %s: %w", parent, err)
	}
	return nil
}

// replace puts the node in the place of one of that version, so that there is never none.
func (r *registration) replace(ctx context.Context, version int32) error {
	return r.send(ctx, func() error {
		_, err := r.conn.Multi(
			&zk.DeleteRequest{Path: r.path, Version: version},
			&zk.CreateRequest{Path: r.path, Data: r.data, Acl: r.acl, Flags: zk.FlagEphemeral},
		)
		return err
	})
}

// Remove implements driver.Registration.
func (r *registration) Remove(ctx context.Context) error {
	if !r.sent && !r.held {
		return nil
	}
	_, err := call(ctx, r.slots, func() (struct{}, error) {
		data, stat, err := r.conn.Get(r.path)
		if err == nil && r.mine(node{data: data, stat: stat}) {
			err = r.conn.Delete(r.path, stat.Version)
		}
		return struct{}{}, err
	})
	switch {
	case err == nil, errors.Is(err, zk.ErrNoNode):
		return nil
	case closed(ctx, r.conn, err):
		err = driver.ErrClosed
	}
	return failed("removing", r.path, err)
}
