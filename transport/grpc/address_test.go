package grpctransport_test

import (
	"net"
	"testing"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

func TestAddressesAreWrittenWhicheverWasSeenBefore(t *testing.T) {
	t.Parallel()
	addresses := []struct {
		address net.Addr
		want    string
	}{
		{nil, ""},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5}, "192.0.2.1:5"},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 5}, "192.0.2.2:5"},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5 + 64}, "192.0.2.1:69"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 5, Zone: "eth0"}, "[fe80::1%eth0]:5"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 5}, "[fe80::1]:5"},
		{&net.UnixAddr{Name: "/run/shop.sock", Net: "unix"}, "/run/shop.sock"},
	}
	var book grpctransport.AddressBook
	for range 2 {
		for _, c := range addresses {
			if have := book.Text(c.address); have != c.want {
				t.Errorf("want %q, have %q", c.want, have)
			}
		}
	}
}
