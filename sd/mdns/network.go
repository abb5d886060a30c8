package mdns

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	pollEvery = 2 * time.Second // interfaces are looked at
	backlog   = 64              // packets that wait; the sockets have buffers of their own
)

// network is the links that there are. It is safe for concurrent use.
type network struct {
	names   []string // of the interfaces; none is all
	queries bool     // whether they are wanted
	packets chan packet
	states  chan state
	done    chan struct{}
	running sync.WaitGroup

	refreshing sync.Mutex // is held for as long as the system takes to tell of its interfaces, and to join and leave groups
	mu         sync.Mutex
	links      []*link
}

// state is what has become of the interfaces.
type state struct {
	joined bool  // there are new links
	err    error // there are none
}

func newNetwork(names []string, queries bool) *network {
	return &network{
		names: names, queries: queries, packets: make(chan packet, backlog), states: make(chan state), done: make(chan struct{}),
	}
}

// watch looks at the interfaces from time to time, and gives states what is new. That may take the system long, while what is heard
// does not wait.
func (n *network) watch() {
	n.running.Go(func() {
		tick := time.NewTicker(pollEvery)
		defer tick.Stop()
		for {
			if joined, err := n.refresh(); joined || err != nil {
				select {
				case n.states <- state{joined, err}:
				case <-n.done:
				}
			}
			select {
			case <-tick.C:
			case <-n.done:
				return
			}
		}
	})
}

// close leaves all links, and waits until nothing of them remains.
func (n *network) close() {
	close(n.done)
	n.refreshing.Lock()
	for _, l := range n.all() {
		l.close()
	}
	n.set(nil)
	n.refreshing.Unlock()
	n.running.Wait()
}

// all returns the links, which are not to be changed.
func (n *network) all() []*link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links
}

func (n *network) set(links []*link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.links = links
}

// closed says whether close was called.
func (n *network) closed() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

// refresh joins the interfaces that have come up, leaves those that are no more, and says whether there are new links. It fails when there
// is none at all.
func (n *network) refresh() (joined bool, err error) {
	n.refreshing.Lock()
	defer n.refreshing.Unlock()
	if n.closed() {
		return false, nil
	}
	interfaces, err := n.usable()
	var (
		links    []*link
		failures = []error{err}
	)
	for _, i := range interfaces {
		for _, v6 := range families(&i) {
			if old := n.find(i.Index, v6); old != nil {
				links = append(links, old)
				continue
			}
			l, err := openLink(&i, v6)
			if err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", i.Name, err))
				continue
			}
			joined = true
			links = append(links, l)
			n.running.Go(func() { l.receive(n.queries, n.take) })
		}
	}
	left := n.all()
	n.set(links)
	for _, old := range left {
		if !slices.Contains(links, old) {
			old.close()
		}
	}
	if len(links) == 0 {
		return false, fmt.Errorf("mdns: no network interface can be used: %w", errors.Join(failures...))
	}
	return joined, nil
}

func (n *network) find(index int, v6 bool) *link {
	for _, l := range n.all() {
		if l.index == index && l.isV6() == v6 && !l.broken.Load() {
			return l
		}
	}
	return nil
}

func (n *network) take(p packet) {
	select {
	case n.packets <- p:
	case <-n.done:
	}
}

// send writes the packets to the links that where wants, and fails when none of these has taken them.
func (n *network) send(packets [][]byte, where func(*link) bool) error {
	sent := false
	failure := errors.New("no interface is for it")
	for _, l := range n.all() {
		if !where(l) || l.broken.Load() {
			continue
		}
		var err error
		for _, data := range packets {
			if err = l.write(data); err != nil {
				failure = fmt.Errorf("%s: %w", l.name, err)
				break
			}
		}
		sent = sent || err == nil
	}
	if sent {
		return nil
	}
	return failure
}

// usable returns the interfaces that are up, and can do multicast, as loopback can on all systems though Linux does not say so.
func (n *network) usable() (usable []net.Interface, err error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	missing := slices.Clone(n.names)
	for _, i := range all {
		if len(n.names) > 0 && !slices.Contains(n.names, i.Name) {
			continue
		}
		if i.Flags&net.FlagUp != 0 && i.Flags&(net.FlagMulticast|net.FlagLoopback) != 0 {
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == i.Name })
			usable = append(usable, i)
		}
	}
	for _, name := range missing {
		err = errors.Join(err, fmt.Errorf("%s is not there, is down or does no multicast", name))
	}
	return usable, err
}

// families returns the versions of IP in which an interface has addresses, as whether it is 6. On loopback only 4 has multicast everywhere.
func families(i *net.Interface) (v6 []bool) {
	addresses, err := i.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range addresses {
		ip, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		is6 := ip.IP.To4() == nil
		if is6 && i.Flags&net.FlagLoopback != 0 || slices.Contains(v6, is6) {
			continue
		}
		v6 = append(v6, is6)
	}
	return v6
}

func (l *link) isV6() bool {
	group, ok := l.group.(*net.UDPAddr)
	return ok && group.IP.To4() == nil
}
