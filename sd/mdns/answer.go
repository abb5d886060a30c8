package mdns

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	onlyDelay = 5 * time.Millisecond   // of an answer on loopback, so that one answers many who ask at the same time
	minDelay  = 20 * time.Millisecond  // of an answer elsewhere
	maxDelay  = 120 * time.Millisecond // (RFC 6762, section 6)
	moreDelay = 400 * time.Millisecond // on top, when more known answers follow (section 7.2)
)

// asked takes a query. It is answered a little later, by multicast also where unicast would do, so that all caches are kept fresh.
func (r *responder) asked(p packet, now time.Time) {
	for _, a := range r.queue { // what it knows may belong to the query before it
		if a.more && a.link == p.link && a.from == p.from {
			a.offers = unknown(a.offers, p.records)
		}
	}
	if len(r.queue) >= maxQueue {
		return // it will ask again
	}
	a := &answer{packet: p, asked: now, due: now.Add(onlyDelay)}
	if !p.link.loopback {
		a.due = now.Add(minDelay + rand.N(maxDelay-minDelay)) //nolint:gosec // no secret
	}
	if p.more {
		a.due = a.due.Add(moreDelay)
	}
	for _, q := range p.questions {
		if q.Class&^topBit != dnsmessage.ClassINET && q.Class&^topBit != dnsmessage.ClassANY {
			continue
		}
		name := q.Name.String()
		if strings.EqualFold(name, enumeration) && matches(q, dnsmessage.TypePTR) {
			a.types = true
		}
		for _, o := range r.offers {
			if !o.yielded(now) && o.on(p.link) && o.answers(q, name) {
				a.offers = append(a.offers, o)
			}
		}
	}
	a.offers = unknown(a.offers, p.records)
	if len(a.offers) > 0 || a.types {
		r.queue = append(r.queue, a)
	}
}

// answers says whether a question is answered by what is announced of the offer.
func (o *offer) answers(q dnsmessage.Question, name string) bool {
	return strings.EqualFold(name, o.typ) && matches(q, dnsmessage.TypePTR) ||
		strings.EqualFold(name, o.name) && (matches(q, dnsmessage.TypeSRV) || matches(q, dnsmessage.TypeTXT)) ||
		strings.EqualFold(name, o.place.host) &&
			(o.place.ip.Is4() && matches(q, dnsmessage.TypeA) || o.place.ip.Is6() && matches(q, dnsmessage.TypeAAAA))
}

func matches(q dnsmessage.Question, t dnsmessage.Type) bool {
	return q.Type == t || q.Type == dnsmessage.TypeALL
}

// unknown returns the offers, each once, without those of which the records have a PTR that holds for half of its time (RFC 6762, section
// 7.1).
func unknown(offers []*offer, records []dnsmessage.Resource) []*offer {
	left := make(map[string]uint32, len(records)) // seconds, by name
	for _, r := range records {
		if body, ok := r.Body.(*dnsmessage.PTRResource); ok {
			left[body.PTR.String()] = r.Header.TTL
		}
	}
	seen := make(map[*offer]bool, len(offers))
	return slices.DeleteFunc(offers, func(o *offer) bool {
		known := seen[o] || left[o.name] > 0 && 2*left[o.name] >= o.ttl
		seen[o] = true
		return known
	})
}

// answer sends the answer, and returns true when all of it was sent. The rest was announced less than a second ago.
func (r *responder) answer(a *answer, now time.Time) bool {
	on := func(l *link) bool { return l == a.link }
	var groups [][]dnsmessage.Resource
	if a.types {
		a.types = false
		for _, o := range r.offers { // of which all have one type
			groups = append(groups, []dnsmessage.Resource{pointer(enumeration, r.typ, o.ttl)})
			break
		}
	}
	var rest []*offer
	a.due = now.Add(pause)
	for _, o := range a.offers {
		last := o.at[a.link]
		switch {
		case r.offers[o.name] != o || o.yielded(now) || last.After(a.asked): // it is no more, or was heard meanwhile
		case now.Sub(last) < a.link.pause():
			rest = append(rest, o)
			a.due = earlier(a.due, last.Add(pause))
		default:
			o.at[a.link] = now
			groups = append(groups, o.records())
		}
	}
	if len(groups) > 0 {
		_ = r.net.send(answers(groups), on) // a link that fails is found by refresh
	}
	a.offers = rest
	return len(rest) == 0
}
