package dns_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/dns"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// These speak to a real server.

const zone = "example.test"

const patiently = 2 * time.Second // what a server has for an answer

func quick(s *testserver.DNS) dns.InstancerOption {
	all := []dns.InstancerOption{
		dns.InstancerServers(s.Address), dns.InstancerMinTTL(50 * time.Millisecond), dns.InstancerAttempts(1),
		dns.InstancerTimeout(patiently),
	}
	return func(c *dns.Config) error {
		for _, o := range all {
			if err := o(c); err != nil {
				return err
			}
		}
		return nil
	}
}

func set(t *testing.T, s *testserver.DNS, records string) {
	t.Helper()
	if err := s.SetRecords(records); err != nil {
		t.Fatal(err)
	}
}

func TestServiceRecordsAreInstances(t *testing.T) {
	t.Parallel()
	s := testserver.StartDNS(t, zone, `
_grpc._tcp.orders SRV 10 60 8080 a
_grpc._tcp.orders SRV 10 0 8081 B
_grpc._tcp.orders SRV 20 5 9090 c
a A 127.0.0.2
b AAAA ::1
c A 127.0.0.9`)
	w := watchtest.Start(t, newSRV(t, "_grpc._tcp.orders."+zone, quick(s)))
	want := []sd.Instance{
		{ID: "127.0.0.2:8080", Address: "127.0.0.2:8080", Weight: 60, Metadata: map[string]string{dns.MetadataTarget: "a.example.test"}},
		{ID: "[::1]:8081", Address: "[::1]:8081", Metadata: map[string]string{dns.MetadataTarget: "b.example.test"}},
	}
	if have := w.Set(); !sd.Same(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}

	set(t, s, `
_grpc._tcp.orders SRV 10 60 8080 gone
_grpc._tcp.orders SRV 20 5 9090 c
_grpc._tcp.orders SRV 20 8 9090 d
c A 127.0.0.9
d A 127.0.0.10
d A 127.0.0.11`)
	second := w.Set()
	watchtest.WantAddresses(t, second, "127.0.0.9:9090", "127.0.0.10:9090", "127.0.0.11:9090")
	for _, i := range second {
		if want := map[bool]int{true: 5, false: 4}[i.Address == "127.0.0.9:9090"]; i.Weight != want {
			t.Errorf("%v: want the weight %d, have %d", i, want, i.Weight)
		}
	}

	set(t, s, "_grpc._tcp.orders SRV 0 0 0 .")
	watchtest.WantAddresses(t, w.Set())
	set(t, s, "_grpc._tcp.orders SRV 0 0 8080 out.elsewhere.test.") // which this server refuses to look up
	if err := w.Fails(); !strings.Contains(err.Error(), "REFUSED") {
		t.Errorf("want a refusal, have %v", err)
	}
	set(t, s, "")
	watchtest.WantAddresses(t, w.Back())
	w.Quiet()
}

func TestAddressesOfBothFamiliesAreInstances(t *testing.T) {
	t.Parallel()
	s := testserver.StartDNS(t, zone, "orders A 127.0.0.2\norders A 127.0.0.3\norders AAAA ::1\nother CNAME orders\nalias CNAME other")
	both := watchtest.Start(t, newHost(t, "orders."+zone+".", 80, quick(s)))
	watchtest.WantAddresses(t, both.Set(), "127.0.0.2:80", "127.0.0.3:80", "[::1]:80")
	watchtest.WantAddresses(t, watchtest.Start(t, newHost(t, "alias."+zone, 80, quick(s))).Set(), "127.0.0.2:80", "127.0.0.3:80", "[::1]:80")
	four := watchtest.Start(t, newHost(t, "orders."+zone, 80, quick(s), dns.InstancerNetwork("ip4")))
	watchtest.WantAddresses(t, four.Set(), "127.0.0.2:80", "127.0.0.3:80")
	six := watchtest.Start(t, newHost(t, "orders."+zone, 80, quick(s), dns.InstancerNetwork("ip6")))
	only := six.Set()
	watchtest.WantAddresses(t, only, "[::1]:80")
	if want := "orders.example.test"; len(only) == 1 && only[0].Metadata[dns.MetadataTarget] != want {
		t.Errorf("want the target %s, have %v", want, only[0].Metadata)
	}

	set(t, s, "orders AAAA ::1")
	watchtest.WantAddresses(t, both.Set(), "[::1]:80")
	watchtest.WantAddresses(t, four.Set()) // it exists, and has no such records
	set(t, s, "")
	watchtest.WantAddresses(t, both.Set()) // it does not exist
	watchtest.WantAddresses(t, six.Set())
	four.Quiet()
}

func TestAnEmptySetIsYielded(t *testing.T) {
	t.Parallel()
	s := testserver.StartDNS(t, zone, "orders TXT hello")
	watchtest.WantAddresses(t, watchtest.Start(t, newHost(t, "orders."+zone, 80, quick(s))).Set())
	watchtest.WantAddresses(t, watchtest.Start(t, newHost(t, "nothing."+zone, 80, quick(s))).Set())
	watchtest.WantAddresses(t, watchtest.Start(t, newSRV(t, "orders."+zone, quick(s))).Set())
}

func TestWhatDoesNotFitADatagramComesOverTCP(t *testing.T) {
	t.Parallel()
	const n = 300
	var records strings.Builder
	want := make([]string, 0, n)
	for i := range n {
		fmt.Fprintf(&records, "orders A 127.0.%d.%d\n", i/100, i%100+1)
		want = append(want, fmt.Sprintf("127.0.%d.%d:80", i/100, i%100+1))
	}
	s := testserver.StartDNS(t, zone, records.String())
	watchtest.WantAddresses(t, watchtest.Start(t, newHost(t, "orders."+zone, 80, quick(s))).Set(), want...)
}

func TestNamesAreCompletedByTheSearchList(t *testing.T) {
	t.Parallel()
	s := testserver.StartDNS(t, zone, "orders A 127.0.0.2\norders.sub A 127.0.0.3")
	search := dns.InstancerSearch("nothing."+zone, "sub."+zone, zone)
	w := watchtest.Start(t, newHost(t, "orders", 80, quick(s), search))
	watchtest.WantAddresses(t, w.Set(), "127.0.0.3:80")
	set(t, s, "orders A 127.0.0.2")
	watchtest.WantAddresses(t, w.Set(), "127.0.0.2:80")
	// With a dot in it the name is tried first as it is, which this server refuses.
	if err := watchtest.Start(t, newHost(t, "orders.sub", 80, quick(s), search)).Fails(); !strings.Contains(err.Error(), "REFUSED") {
		t.Errorf("want a refusal, have %v", err)
	}
	set(t, s, "orders.sub A 127.0.0.4")
	watchtest.WantAddresses(t, watchtest.Start(t, newHost(t, "orders.sub", 80, quick(s), search, dns.InstancerNdots(2))).Set(), "127.0.0.4:80")
}

func TestTheLastSetStaysWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	const records = "orders A 127.0.0.2"
	s := testserver.StartDNS(t, zone, records)
	outages := []struct {
		name       string
		begin, end func()
	}{
		{"stopped", s.Stop, s.Start},
		{"killed", s.Kill, s.Start},
		{"suspended", s.Suspend, s.Resume},
	}
	w := watchtest.Start(t, newHost(t, "orders."+zone, 80, quick(s)))
	watchtest.WantAddresses(t, w.Set(), "127.0.0.2:80")
	for _, o := range outages {
		o.begin()
		for range 3 {
			t.Log(o.name, w.Fails()) // and no set, which would be an empty one
		}
		o.end()
		watchtest.WantAddresses(t, w.Back(), "127.0.0.2:80") // again, though it is the same
	}
}

func TestAWatchEndsWithItsContextWhileTheServerHangs(t *testing.T) {
	t.Parallel()
	s := testserver.StartDNS(t, zone, "orders A 127.0.0.2")
	s.Suspend()
	i := newHost(t, "orders."+zone, 80, dns.InstancerServers(s.Address), dns.InstancerTimeout(time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	for set, err := range i.Watch(ctx) {
		t.Errorf("want nothing, have %v, %v", set, err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("want an end after 200 ms, have it after %v", took)
	}
}
