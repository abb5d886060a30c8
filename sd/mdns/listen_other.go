//go:build !linux

package mdns

import "net"

// listen returns a socket on the port of the group that others may have too.
func listen(group *net.UDPAddr, _ int) (net.PacketConn, error) { return net.ListenUDP("udp", group) }
