package mdns_test

import (
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

const seconds = 120 // of what others announce in tests

// loopback returns the name of the loopback interface.
func loopback(t *testing.T) string {
	t.Helper()
	return loopbackInterface(t).Name
}

func loopbackInterface(t *testing.T) *net.Interface {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return &i
		}
	}
	t.Fatal("there is no loopback interface")
	return nil
}

// say sends a message on loopback as another responder does.
func say(t *testing.T, m dnsmessage.Message) error {
	t.Helper()
	data, err := m.Pack()
	if err != nil {
		return err
	}
	return sayBytes(t, data)
}

func sayBytes(t *testing.T, data []byte) error {
	t.Helper()
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	conn, err := net.ListenUDP("udp4", group) // which others may have too
	if err != nil {
		return err
	}
	defer conn.Close()
	p := ipv4.NewPacketConn(conn)
	if err := p.SetMulticastInterface(loopbackInterface(t)); err != nil {
		return err
	}
	_, err = p.WriteTo(data, nil, group)
	return err
}

func resource(name string, t dnsmessage.Type, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	header := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Type: t, Class: dnsmessage.ClassINET, TTL: ttl}
	return dnsmessage.Resource{Header: header, Body: body}
}

// response returns a message of records.
func response(records ...dnsmessage.Resource) dnsmessage.Message {
	return dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}, Answers: records}
}

// announcement is what says that an instance is there, and what else the text says.
func announcement(service, label string, text ...string) dnsmessage.Message {
	typ := "_" + service + "._tcp.local."
	name := label + "." + typ
	return response(
		resource(typ, dnsmessage.TypePTR, seconds, &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(name)}),
		resource(name, dnsmessage.TypeTXT, seconds, &dnsmessage.TXTResource{TXT: text}),
	)
}

// goodbye is what says that an instance is no more.
func goodbye(service, label string) dnsmessage.Message {
	typ := "_" + service + "._tcp.local."
	ptr := &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(label + "." + typ)}
	return response(resource(typ, dnsmessage.TypePTR, 0, ptr))
}
