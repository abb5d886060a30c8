package dns_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/dns"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

// registry is a zone with the records of all services of the suite.
type registry struct {
	server *testserver.DNS

	mu      sync.Mutex
	records map[string]string // by service
	corrupt map[string]bool   // services that have a record that is no instance
}

func (r *registry) put(service string, instances ...sd.Instance) error {
	var text strings.Builder
	for _, i := range instances {
		address, err := netip.ParseAddrPort(i.Address)
		if err != nil {
			return err
		}
		host, kind := "h-"+strings.NewReplacer(".", "-", ":", "-").Replace(address.Addr().String()), "A"
		if address.Addr().Is6() {
			kind = "AAAA"
		}
		fmt.Fprintf(&text, "%s SRV 0 %d %d %s.%s\n", service, i.Weight, address.Port(), host, service)
		fmt.Fprintf(&text, "%s.%s %s %s\n", host, service, kind, address.Addr())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records[service] = text.String()
	return r.publish()
}

// publish is called with the lock.
func (r *registry) publish() error {
	var all strings.Builder
	for _, service := range slices.Sorted(maps.Keys(r.records)) {
		all.WriteString(r.records[service])
		if r.corrupt[service] {
			fmt.Fprintf(&all, "bad.%s A 127.0.0.1\n%s SRV 0 0 0 bad.%s\n", service, service, service)
		}
	}
	return r.server.SetRecords(all.String())
}

func TestConformance(t *testing.T) {
	t.Parallel()
	r := &registry{server: testserver.StartDNS(t, zone, ""), records: make(map[string]string), corrupt: make(map[string]bool)}
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) {
			return dns.NewSRV(service+"."+zone+".", dns.InstancerServers(r.server.Address),
				dns.InstancerMinTTL(200*time.Millisecond), dns.InstancerMaxTTL(200*time.Millisecond))
		},
		Put: r.put,
		Corrupt: func(service string) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.corrupt[service] = true
			return r.publish()
		},
		Outage: func() (func() error, error) {
			r.server.Stop()
			return func() error { r.server.Start(); return nil }, nil
		},
		Differences: []sdtest.Difference{
			{Check: "Registrar", Reason: "the DNS has no way to announce an instance that all servers have"},
			{Check: "IPv6", Reason: "a record keeps no notation: ::ffff:c000:201, an address of IPv4 that is mapped into IPv6, comes as 192.0.2.1"},
			{Check: "OtherAddresses", Reason: "an SRV record has the name of a host, and a port"},
			{Check: "HostNames", Reason: "the names of hosts are looked up, so that an instance has the address"},
			{Check: "IDs", Reason: "a record has no ID; it is the address"},
			{Check: "OddIDs", Reason: "a record has no ID; it is the address"},
			{Check: "Zone", Reason: "a record has no zone"},
			{Check: "Version", Reason: "a record has no version"},
			{Check: "Tags", Reason: "a record has no tags"},
			{Check: "Metadata", Reason: "a record has no metadata; Instance.Metadata has its target"},
			{Check: "OddMetadata", Reason: "a record has no metadata; Instance.Metadata has its target"},
			{Check: "AllFields", Reason: "a record has an address and a weight, and no more"},
		},
	})
}
