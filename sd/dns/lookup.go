package dns

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxAliases is how many CNAME records lead to what is looked for.
const maxAliases = 10

// found is what the DNS says about a name. No records mean that there are none.
type found struct {
	records    []dnsmessage.Resource // of the type that was asked for
	additional []dnsmessage.Resource // what came beside them
	ttl        time.Duration         // for how long this holds
}

// lookup asks for the records of a name, and follows aliases.
func (c *client) lookup(ctx context.Context, q question) (found, error) {
	life := lifetime(maxLife)
	names := make(map[string]bool, 1)
	for names[canonical(q.name)] = true; ; {
		r, err := c.ask(ctx, q)
		if err != nil {
			return found{}, err
		}
		asked := q.name
		for alias, ok := r.alias(q.name, &life); ok; alias, ok = r.alias(q.name, &life) {
			q.name = alias
			if names[canonical(alias)] || len(names) > maxAliases {
				return found{}, fmt.Errorf("dns: %v: the aliases lead in a circle, or through more than %d names", q, maxAliases)
			}
			names[canonical(alias)] = true
		}
		f := found{additional: r.additional}
		for _, a := range r.answers {
			if a.Header.Type == q.kind && a.Header.Class == dnsmessage.ClassINET && canonical(a.Header.Name.String()) == canonical(q.name) {
				f.records = append(f.records, a)
				life.limit(ttl(a.Header.TTL))
			}
		}
		negative, final := r.negativeTTL()
		if len(f.records) == 0 && asked != q.name && r.code == dnsmessage.RCodeSuccess && !final {
			continue // the server has gone as far as it can
		}
		if len(f.records) == 0 {
			life.limit(negative)
		}
		f.ttl = time.Duration(life)
		return f, nil
	}
}

// alias returns the name that a name is an alias of.
func (r *response) alias(name string, life *lifetime) (string, bool) {
	for _, a := range r.answers {
		if cname, ok := a.Body.(*dnsmessage.CNAMEResource); ok && canonical(a.Header.Name.String()) == canonical(name) {
			life.limit(ttl(a.Header.TTL))
			return cname.CNAME.String(), true
		}
	}
	return "", false
}

// lifetime is for how long something holds that was put together.
type lifetime time.Duration

const maxLife = 1 << 62

// limit says that a part of it holds no longer than d.
func (l *lifetime) limit(d time.Duration) { *l = min(*l, lifetime(d)) }
