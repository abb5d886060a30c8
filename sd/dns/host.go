package dns

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd"
)

// family is a type of addresses.
type family dnsmessage.Type

const (
	ip4 = family(dnsmessage.TypeA)
	ip6 = family(dnsmessage.TypeAAAA)
)

// address returns the address of a record; false where it holds none of the family.
func (f family) address(record dnsmessage.Resource) (netip.Addr, bool) {
	switch body := record.Body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(body.A), f == ip4
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(body.AAAA).Unmap(), f == ip6
	}
	return netip.Addr{}, false
}

// addresses are those of one name, and for how long they hold.
type addresses struct {
	all []netip.Addr
	ttl time.Duration
}

// addresses looks a name up in all families at once. What known says of a family is taken without asking.
func (c *client) addresses(ctx context.Context, name string, families []family, known []dnsmessage.Resource) (addresses, error) {
	found := make([]addresses, len(families))
	errs := make([]error, len(families))
	var group sync.WaitGroup
	for i, f := range families {
		if found[i] = f.pick(name, known); len(found[i].all) > 0 {
			continue
		}
		group.Go(func() {
			r, err := c.lookup(ctx, question{name: name, kind: dnsmessage.Type(f)})
			errs[i] = err
			found[i].ttl = r.ttl
			for _, record := range r.records {
				if a, ok := f.address(record); ok {
					found[i].all = append(found[i].all, a)
				}
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return addresses{}, err
	}
	life := lifetime(maxLife)
	var merged addresses
	for _, a := range found {
		life.limit(a.ttl)
		merged.all = append(merged.all, a.all...)
	}
	merged.ttl = time.Duration(life)
	return merged, nil
}

// pick returns the addresses of a name among records that came beside others.
func (f family) pick(name string, known []dnsmessage.Resource) addresses {
	var picked addresses
	life := lifetime(maxLife)
	for _, record := range known {
		a, ok := f.address(record)
		if !ok || record.Header.Class != dnsmessage.ClassINET || canonical(record.Header.Name.String()) != canonical(name) {
			continue
		}
		picked.all = append(picked.all, a)
		life.limit(ttl(record.Header.TTL))
	}
	picked.ttl = time.Duration(life)
	return picked
}

// answer is what is known of a service.
type answer struct {
	instances []sd.Instance
	invalid   []*sd.InvalidError
	life      lifetime
}

// add takes an instance that has an address of the target.
func (a *answer) add(target string, ip netip.Addr, port uint16, weight int) {
	target = strings.TrimSuffix(canonical(target), ".")
	if ip.IsUnspecified() || port == 0 {
		a.refuse(target+" "+ip.String()+" "+strconv.Itoa(int(port)), errors.New("nobody can be called at such an address or port"))
		return
	}
	a.instances = append(a.instances, sd.Instance{
		Address:  netip.AddrPortFrom(ip, port).String(),
		Weight:   weight,
		Metadata: map[string]string{MetadataTarget: target},
	})
}

func (a *answer) refuse(entry string, err error) {
	a.invalid = append(a.invalid, &sd.InvalidError{Entry: entry, Err: err})
}

// host makes instances of all addresses of a name.
type host struct {
	port     uint16
	families []family
}

func (h host) find(ctx context.Context, c *client, name string) (answer, error) {
	found, err := c.addresses(ctx, name, h.families, nil)
	if err != nil {
		return answer{}, err
	}
	a := answer{life: lifetime(found.ttl)}
	for _, ip := range found.all {
		a.add(name, ip, h.port, 0)
	}
	return a, nil
}
