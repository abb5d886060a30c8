package mdns

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// listen returns a socket that is bound to the group itself. So it takes nothing that is sent by unicast from the other programs that have
// the port, such as avahi-daemon; package net binds to all addresses instead.
func listen(group *net.UDPAddr, index int) (net.PacketConn, error) {
	var address unix.Sockaddr
	family := unix.AF_INET
	if ip := group.IP.To4(); ip != nil {
		address = &unix.SockaddrInet4{Port: group.Port, Addr: [4]byte(ip)}
	} else {
		family = unix.AF_INET6
		address = &unix.SockaddrInet6{Port: group.Port, Addr: [16]byte(group.IP), ZoneId: uint32(index)}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	file := os.NewFile(uintptr(fd), "mdns")
	defer file.Close() // the connection has its own
	for _, option := range []int{unix.SO_REUSEADDR, unix.SO_REUSEPORT} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return nil, fmt.Errorf("setsockopt: %w", err)
		}
	}
	if err := unix.Bind(fd, address); err != nil {
		return nil, fmt.Errorf("bind to %v: %w", group, err)
	}
	return net.FilePacketConn(file)
}
