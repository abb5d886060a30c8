package mdns

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	port      = 5353
	hops      = 255         // TTL of IP packets (RFC 6762, section 11)
	writeTime = time.Second // for one packet

	readBuffer = 1 << 20 // bytes
)

func group4() *net.UDPAddr { return &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: port} }

func group6() *net.UDPAddr { return &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: port} }

// link is one interface in one version of IP.
type link struct {
	name     string
	loopback bool
	index    int
	conn     net.PacketConn
	read     func(b []byte) (n int, from net.Addr, ok bool, err error) // not ok is a packet that came elsewhere, or not by multicast
	group    net.Addr
	broken   atomic.Bool
}

// openLink joins the group of multicast DNS on the interface, in version 4 or 6 of IP.
func openLink(i *net.Interface, v6 bool) (*link, error) {
	l := &link{name: i.Name, loopback: i.Flags&net.FlagLoopback != 0, index: i.Index}
	var err error
	if v6 {
		err = l.open6(i)
	} else {
		err = l.open4(i)
	}
	if err != nil && l.conn != nil {
		l.close()
	}
	return l, err
}

func (l *link) open4(i *net.Interface) (err error) {
	group := group4()
	l.group = group
	if l.conn, err = listen(group, i.Index); err != nil {
		return err
	}
	p := ipv4.NewPacketConn(l.conn)
	l.enlarge()
	_ = p.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true) // not everywhere; there all that comes is taken
	l.read = func(b []byte) (int, net.Addr, bool, error) {
		n, c, from, err := p.ReadFrom(b)
		return n, from, c == nil || c.IfIndex == i.Index && c.Dst.IsMulticast(), err
	}
	return errors.Join(p.JoinGroup(i, group), p.SetMulticastInterface(i), p.SetMulticastTTL(hops), p.SetMulticastLoopback(true))
}

func (l *link) open6(i *net.Interface) (err error) {
	group := group6()
	group.Zone = i.Name
	l.group = group
	if l.conn, err = listen(group, i.Index); err != nil {
		return err
	}
	p := ipv6.NewPacketConn(l.conn)
	l.enlarge()
	_ = p.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true) // as above
	l.read = func(b []byte) (int, net.Addr, bool, error) {
		n, c, from, err := p.ReadFrom(b)
		return n, from, c == nil || c.IfIndex == i.Index && c.Dst.IsMulticast(), err
	}
	return errors.Join(p.JoinGroup(i, group), p.SetMulticastInterface(i), p.SetMulticastHopLimit(hops), p.SetMulticastLoopback(true))
}

// enlarge makes room for what comes while this process waits for a processor. The system may give less.
func (l *link) enlarge() {
	if conn, ok := l.conn.(*net.UDPConn); ok {
		_ = conn.SetReadBuffer(readBuffer)
	}
}

// close ends receive.
func (l *link) close() { _ = l.conn.Close() } // there is nothing that it could lose

// write sends a packet to all who listen on the link. A link that fails is broken from then on.
func (l *link) write(data []byte) error {
	err := l.conn.SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil {
		_, err = l.conn.WriteTo(data, l.group)
	}
	if err != nil {
		l.broken.Store(true)
	}
	return err
}

// pause is the time between two announcements of a record, at least. On loopback there is no network to spare.
func (l *link) pause() time.Duration {
	if l.loopback {
		return 0
	}
	return pause
}

// packet is a message that came in.
type packet struct {
	message

	link *link
	from netip.AddrPort
}

// receive gives each message that comes to take, until the link is closed or fails. Only what answers asks for queries.
func (l *link) receive(queries bool, take func(packet)) {
	data := make([]byte, maxPacket)
	for {
		n, from, ok, err := l.read(data)
		if err != nil {
			l.broken.Store(true)
			return
		}
		address, isUDP := from.(*net.UDPAddr)
		if !ok || !isUDP || address.Port != port { // others than responders ask from other ports, and wait for unicast
			continue
		}
		if !queries && !isResponse(data[:n]) {
			continue
		}
		if m, err := parse(data[:n]); err == nil {
			take(packet{message: m, link: l, from: address.AddrPort()})
		}
	}
}
