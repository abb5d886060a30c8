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

// network is the links that there are. But for packets it is for one goroutine.
type network struct {
	names   []string // of the interfaces; none is all
	packets chan packet
	done    chan struct{}
	readers sync.WaitGroup
	links   []*link
}

func newNetwork(names []string) *network {
	return &network{names: names, packets: make(chan packet, backlog), done: make(chan struct{})}
}

// close leaves all links, and waits until nothing of them remains.
func (n *network) close() {
	close(n.done)
	for _, l := range n.links {
		l.close()
	}
	n.readers.Wait()
	n.links = nil
}

// refresh joins the interfaces that have come up, leaves those that are no more, and says whether there are new links. It fails when there
// is none at all.
func (n *network) refresh() (joined bool, err error) {
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
			n.readers.Go(func() { l.receive(n.take) })
		}
	}
	for _, old := range n.links {
		if !slices.Contains(links, old) {
			old.close()
		}
	}
	n.links = links
	if len(links) == 0 {
		return false, fmt.Errorf("sd: mdns: no network interface can be used: %w", errors.Join(failures...))
	}
	return joined, nil
}

func (n *network) find(index int, v6 bool) *link {
	for _, l := range n.links {
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
	for _, l := range n.links {
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
