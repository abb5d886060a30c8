package grpctransport

import (
	"net"
	"net/netip"
	"sync/atomic"
)

// address returns "host:port".
func address(a net.Addr) string {
	if a == nil {
		return ""
	}
	if ap, ok := addrPort(a); ok { // in one allocation instead of four
		return ap.String()
	}
	return a.String()
}

func addrPort(a net.Addr) (netip.AddrPort, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
}

// addressBook remembers how some addresses are written: many calls come from few peers. It is safe for concurrent use.
type addressBook [64]atomic.Pointer[written]

type written struct {
	of   netip.AddrPort
	text string
}

// text is address(a).
func (b *addressBook) text(a net.Addr) string {
	ap, ok := addrPort(a)
	if !ok {
		return address(a)
	}
	slot := &b[int(ap.Port())%len(b)]
	if w := slot.Load(); w != nil && w.of == ap {
		return w.text
	}
	w := &written{of: ap, text: ap.String()}
	slot.Store(w)
	return w.text
}
