package zookeeper

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// reading is what one watch knows of the nodes of a service.
type reading struct {
	*Instancer

	entries map[string]entry // by the name of the node
	list    <-chan zk.Event  // is closed when there are other nodes
	group   sync.WaitGroup   // of what waits for changes
	wake    chan struct{}    // holds a token while there is something to read

	mu    sync.Mutex
	stale map[string]bool // names of nodes that have changed, and listed when there are others
}

// listed stands for the list of nodes among their names.
const listed = ""

// entry is what a node holds.
type entry struct {
	gone     bool            // there is no such node
	changed  <-chan zk.Event // is closed when it holds something else; nil when it cannot be read
	instance sd.Instance
	invalid  *sd.InvalidError
}

func newReading(i *Instancer) *reading {
	return &reading{Instancer: i, entries: make(map[string]entry), wake: make(chan struct{}, 1), stale: map[string]bool{listed: true}}
}

// instances returns what there is, in the order of the names, so that of two with one address the same always remains.
func (r *reading) instances() (instances []sd.Instance, invalid []*sd.InvalidError) {
	for _, name := range slices.Sorted(maps.Keys(r.entries)) {
		if e := r.entries[name]; e.invalid != nil {
			invalid = append(invalid, e.invalid)
		} else {
			instances = append(instances, e.instance)
		}
	}
	return instances, invalid
}

// mark notes that what has the name is to be read.
func (r *reading) mark(name string) {
	r.mu.Lock()
	r.stale[name] = true
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// await marks the name when there is something on the channel.
func (r *reading) await(ctx context.Context, name string, changed <-chan zk.Event) {
	r.group.Go(func() {
		select {
		case <-changed:
			drain(changed)
			r.mark(name)
		case <-ctx.Done():
		}
	})
}

// refresh reads what is stale.
func (r *reading) refresh(ctx context.Context) error {
	r.mu.Lock()
	stale := r.stale
	r.stale = make(map[string]bool)
	r.mu.Unlock()
	if stale[listed] {
		if err := r.relist(ctx, stale); err != nil {
			return err
		}
	}
	maps.DeleteFunc(stale, func(name string, _ bool) bool {
		_, known := r.entries[name]
		return !known
	})
	return r.readAll(ctx, slices.Collect(maps.Keys(stale)))
}

// relist reads which nodes there are, and makes those stale that are new.
func (r *reading) relist(ctx context.Context, stale map[string]bool) error {
	names, changed, err := r.names(ctx)
	if err != nil {
		return err
	}
	if r.list != changed {
		r.list = changed
		r.await(ctx, listed, changed)
	}
	before := r.entries
	r.entries = make(map[string]entry, len(names))
	for _, name := range names {
		e, known := before[name]
		r.entries[name] = e
		if !known {
			stale[name] = true
		}
	}
	return nil
}

// readAll reads the nodes of these names, several at once.
func (r *reading) readAll(watching context.Context, names []string) error {
	ctx, cancel := context.WithCancelCause(watching)
	defer cancel(nil)
	read := make([]entry, len(names))
	next := make(chan int)
	var group sync.WaitGroup
	for range min(maxReads, len(names)) {
		group.Go(func() {
			for n := range next {
				var err error
				if read[n], err = r.readOne(ctx, names[n]); err != nil {
					cancel(err)
				}
			}
		})
	}
	for n := range names {
		next <- n
	}
	close(next)
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	for n, name := range names {
		r.keep(watching, name, read[n])
	}
	return nil
}

// readOne reads the node of that name.
func (r *reading) readOne(ctx context.Context, name string) (entry, error) {
	path := r.path + "/" + name
	n, err := call(ctx, r.slots, func() (node, error) { return r.watches.read(r.conn, path) })
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return entry{gone: true}, nil
	case errors.Is(err, zk.ErrNoAuth), errors.Is(err, zk.ErrInvalidPath):
		return entry{invalid: &sd.InvalidError{Entry: path, Err: err}}, nil
	case err != nil:
		return entry{}, failed("reading", path, err)
	}
	e := entry{changed: n.changed}
	e.instance, e.invalid = driver.Unmarshal(path, n.data)
	return e, nil
}

// keep keeps what was read of the node of that name.
func (r *reading) keep(ctx context.Context, name string, e entry) {
	if e.gone { // if it is back already, the list of nodes has changed
		delete(r.entries, name)
		return
	}
	if e.changed != nil && e.changed != r.entries[name].changed {
		r.await(ctx, name, e.changed)
	}
	r.entries[name] = e
}

// wait waits until there is something to read.
func (r *reading) wait(ctx context.Context) error {
	check := time.NewTicker(r.check)
	defer check.Stop()
	for {
		select {
		case <-r.wake:
			return nil
		case <-check.C:
			if err := r.compare(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// compare marks what is to be read although no watch has said so: the list when it has other nodes than are known, and nodes that could
// not be read.
func (r *reading) compare(ctx context.Context) error {
	names, err := call(ctx, r.slots, func() ([]string, error) {
		names, _, err := r.conn.Children(r.path)
		return names, err
	})
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		return failed("listing", r.path, err)
	}
	same := len(names) == len(r.entries)
	for _, name := range names {
		e, known := r.entries[name]
		if same = same && known; known && e.changed == nil {
			r.mark(name)
		}
	}
	if !same {
		r.mark(listed)
	}
	return nil
}
