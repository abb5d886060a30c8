package zookeeper

import (
	"sync"

	"github.com/go-zookeeper/zk"
)

// watches are those that the client was asked for and that nothing has happened to yet. The client cannot be asked to forget one; so that
// no more of them come together than there are nodes, they are used by whoever watches the same next. What the client sends to the channel
// of a watch, before it closes it, says no more than that the node is to be read again. Whoever has got that waits for the end of the
// channel by drain, so that all see that the watch is over.
type watches struct {
	mu     sync.Mutex
	armed  map[string]<-chan zk.Event
	pruned int // how many there were after the last look at all
}

// get returns the watch of that name, or nil.
func (w *watches) get(name string) <-chan zk.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.armed[name]; c != nil && !fired(c) {
		return c
	}
	delete(w.armed, name)
	return nil
}

// put keeps the watch of that name.
func (w *watches) put(name string, c <-chan zk.Event) {
	const few = 64
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.armed == nil {
		w.armed = make(map[string]<-chan zk.Event)
	}
	w.armed[name] = c
	if len(w.armed) < few+2*w.pruned {
		return
	}
	for name, c := range w.armed { // of nodes that are gone
		if fired(c) {
			delete(w.armed, name)
		}
	}
	w.pruned = len(w.armed)
}

func fired(c <-chan zk.Event) bool {
	select {
	case <-c:
		drain(c)
		return true
	default:
		return false
	}
}

// drain waits until the channel is closed, which the client does at once after it has sent something.
func drain(c <-chan zk.Event) {
	for range c { // there is one event at most
	}
}

// node is what is read of a node.
type node struct {
	data    []byte
	stat    *zk.Stat
	changed <-chan zk.Event // is closed when it has changed since
}

// read reads a node.
func (w *watches) read(conn *zk.Conn, path string) (n node, err error) {
	name := "data " + path
	if n.changed = w.get(name); n.changed != nil {
		n.data, n.stat, err = conn.Get(path)
	} else if n.data, n.stat, n.changed, err = conn.GetW(path); err == nil {
		w.put(name, n.changed)
	}
	return n, err
}

// list is what is read of the children of a node.
type list struct {
	names   []string
	changed <-chan zk.Event // is closed when there are others
}

// list lists the children of a node.
func (w *watches) list(conn *zk.Conn, path string) (l list, err error) {
	name := "children " + path
	if l.changed = w.get(name); l.changed != nil {
		l.names, _, err = conn.Children(path)
	} else if l.names, _, l.changed, err = conn.ChildrenW(path); err == nil {
		w.put(name, l.changed)
	}
	return l, err
}

// awaited returns what is closed when there is a node, which was not there; there is one meanwhile when it returns nil.
func (w *watches) awaited(conn *zk.Conn, path string) (created <-chan zk.Event, err error) {
	name := "creation " + path
	if created = w.get(name); created != nil {
		return created, nil
	}
	there, _, created, err := conn.ExistsW(path)
	if err != nil || there {
		return nil, err // the watch of one that is there is that of its data
	}
	w.put(name, created)
	return created, nil
}
