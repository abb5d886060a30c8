package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// lookupsAtOnce is how many targets are looked up at the same time.
const lookupsAtOnce = 16

// srv makes instances of the SRV records of a name, RFC 2782.
type srv struct{ families []family }

func (s srv) find(ctx context.Context, c *client, name string) (answer, error) {
	found, err := c.lookup(ctx, question{name: name, kind: dnsmessage.TypeSRV})
	if err != nil {
		return answer{}, err
	}
	if len(found.records) > MaxTargets {
		return answer{}, fmt.Errorf("dns: SRV %s: %d records, more than %d", name, len(found.records), MaxTargets)
	}
	a := answer{life: lifetime(found.ttl)}
	for _, group := range priorities(found.records) {
		if err := s.resolve(ctx, c, group, found.additional, &a); err != nil {
			return answer{}, err
		}
		if len(a.instances) > 0 {
			break // the others are for when there are none of these
		}
	}
	return a, nil
}

// priorities returns the records by their priorities, the lowest number first. A target of "." says that there is none.
func priorities(records []dnsmessage.Resource) (groups [][]*dnsmessage.SRVResource) {
	var all []*dnsmessage.SRVResource
	for _, record := range records {
		if body, ok := record.Body.(*dnsmessage.SRVResource); ok && body.Target.String() != "." {
			all = append(all, body)
		}
	}
	slices.SortFunc(all, func(a, b *dnsmessage.SRVResource) int { // to the end, so that of equals it is always the same that comes first
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Port, b.Port),
			strings.Compare(canonical(a.Target.String()), canonical(b.Target.String())))
	})
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(r *dnsmessage.SRVResource) bool { return r.Priority != all[0].Priority })
		if n < 0 {
			n = len(all)
		}
		groups = append(groups, all[:n])
		all = all[n:]
	}
	return groups
}

// resolve adds the instances of the targets to the answer.
func (s srv) resolve(ctx context.Context, c *client, group []*dnsmessage.SRVResource, known []dnsmessage.Resource, a *answer) error {
	found := make([]addresses, len(group))
	errs := make([]error, len(group))
	tokens := make(chan struct{}, lookupsAtOnce)
	var all sync.WaitGroup
	for i, record := range group {
		tokens <- struct{}{}
		all.Go(func() {
			defer func() { <-tokens }()
			found[i], errs[i] = c.addresses(ctx, record.Target.String(), s.families, known)
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, record := range group {
		a.life.limit(found[i].ttl)
		for _, ip := range found[i].all {
			a.add(record.Target.String(), ip, record.Port, share(record.Weight, len(found[i].all)))
		}
	}
	return nil
}

// share returns the weight of each of the addresses of a target. A weight of 0 stays, since it is one that is unset, which counts as 1:
// among others whose weights add up to n it is then chosen once in n+1 times, which is what the algorithm of RFC 2782 does.
func share(weight uint16, addresses int) int {
	if weight == 0 {
		return 0
	}
	return max(int(weight)/addresses, 1)
}
