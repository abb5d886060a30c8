package mdns

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxInstances = 4096 // of one type
	maxAddresses = 16   // of one host
	rest         = time.Second
)

// cache is what was heard of the instances of one type. It is for one goroutine.
type cache struct {
	service, typ string
	own          bool // the type is the service's own
	instances    map[string]*heard
	hosts        map[string]*host // by name, in small letters
	full         bool             // an instance was left out since there are too many
	changed      bool             // what instances says is not what it said last
}

// heard is one instance.
type heard struct {
	label         string
	ptr, srv, txt lease
	target        string // of the SRV record
	port, weight  uint16
	text          []string
	says          attributes // of the text
	asks          int        // how often what is missing was asked for
	nextAsk       time.Time  // when it is again
	gone          time.Time  // when it said goodbye
	left          []string   // the text with which it did
}

// host is what was heard of a host.
type host struct {
	addresses []address
	flushed   time.Time
}

type address struct {
	lease

	ip   netip.Addr
	zone string // of the interface by which it was heard
}

func newCache(service string) *cache {
	c := &cache{service: service, instances: make(map[string]*heard), hosts: make(map[string]*host)}
	c.typ, c.own = typeOf(service)
	return c
}

// resume makes what is known last as long as if it had just been heard.
func (c *cache) resume(now time.Time) {
	for _, i := range c.instances {
		i.ptr.renew(now)
		i.srv.renew(now)
		i.txt.renew(now)
	}
	for _, h := range c.hosts {
		for n := range h.addresses {
			h.addresses[n].renew(now)
		}
	}
}

// hear takes what a response says of the type.
func (c *cache) hear(records []dnsmessage.Resource, zone string, now time.Time) {
	texts := make(map[string][]string)
	for _, r := range records {
		if body, ok := r.Body.(*dnsmessage.TXTResource); ok {
			texts[r.Header.Name.String()] = body.TXT
		}
	}
	for _, r := range records { // those that name instances first, since only what they name is kept
		if body, ok := r.Body.(*dnsmessage.PTRResource); ok && strings.EqualFold(r.Header.Name.String(), c.typ) {
			c.hearPTR(body.PTR.String(), r.Header.TTL, texts[body.PTR.String()], now)
		}
	}
	for _, r := range records {
		name := r.Header.Name.String()
		switch body := r.Body.(type) {
		case *dnsmessage.SRVResource:
			c.hearSRV(name, body, r.Header.TTL, now)
		case *dnsmessage.TXTResource:
			c.hearTXT(name, body.TXT, r.Header.TTL, now)
		}
	}
	for _, r := range records {
		flush := r.Header.Class&topBit != 0
		switch body := r.Body.(type) {
		case *dnsmessage.AResource:
			c.hearAddress(r.Header, netip.AddrFrom4(body.A), zone, flush, now)
		case *dnsmessage.AAAAResource:
			c.hearAddress(r.Header, netip.AddrFrom16(body.AAAA), zone, flush, now)
		}
	}
}

func (c *cache) hearPTR(name string, ttl uint32, text []string, now time.Time) {
	label, ok := cutType(name, c.typ)
	if !ok {
		return
	}
	i := c.instances[label]
	switch {
	case ttl == 0: // goodbye; an instance has one announcer, so that nobody needs the second in which others could object
		if i != nil && i.ptr.ttl > 0 && !i.isNewer(text, now) {
			i.ptr, i.left, i.gone, c.changed = lease{}, text, now, true
		}
		return
	case i == nil && len(c.instances) >= maxInstances:
		c.changed = c.changed || !c.full
		c.full = true
		return
	case i == nil:
		i = &heard{label: label, nextAsk: now}
		c.instances[label], c.changed = i, true
	case i.ptr.ttl == 0:
		if now.Sub(i.gone) < rest && i.left != nil && slices.Equal(text, i.left) {
			return // the goodbye overtook it on another interface
		}
		i.asks, i.nextAsk, c.changed = 0, now, true
	}
	i.ptr = newLease(now, ttl)
}

// isNewer says whether the instance is not the one with that text, but one that took its name.
func (i *heard) isNewer(text []string, now time.Time) bool {
	return text != nil && i.txt.live(now) && decode(text).revision < i.says.revision
}

func (c *cache) find(name string) *heard {
	label, ok := cutType(name, c.typ)
	if i := c.instances[label]; ok && i != nil && i.ptr.ttl > 0 {
		return i
	}
	return nil
}

func (c *cache) hearSRV(name string, body *dnsmessage.SRVResource, ttl uint32, now time.Time) {
	i := c.find(name)
	if i == nil {
		return
	}
	target := body.Target.String()
	if !i.srv.live(now) || i.target != target || i.port != body.Port || i.weight != body.Weight {
		c.changed = true
	}
	i.target, i.port, i.weight, i.srv = target, body.Port, body.Weight, newLease(now, ttl)
}

func (c *cache) hearTXT(name string, text []string, ttl uint32, now time.Time) {
	i := c.find(name)
	if i == nil {
		return
	}
	if !slices.Equal(i.text, text) || !i.txt.live(now) {
		says := decode(text)
		if i.txt.live(now) && says.revision < i.says.revision {
			return // of one that gives way to it
		}
		i.text, i.says, c.changed = text, says, true
	}
	i.txt = newLease(now, ttl)
}

func (c *cache) hearAddress(header dnsmessage.ResourceHeader, ip netip.Addr, zone string, flush bool, now time.Time) {
	name := strings.ToLower(header.Name.String())
	if !c.isTarget(name) {
		return
	}
	h := c.hosts[name]
	if h == nil {
		h = &host{}
		c.hosts[name] = h
	}
	if flush && now.Sub(h.flushed) > rest { // those that were heard within a second belong to this one (RFC 6762, section 10.2)
		h.flushed = now
		h.addresses = slices.DeleteFunc(h.addresses, func(a address) bool {
			stale := a.zone == zone && now.Sub(a.from) > rest && a.ip != ip && a.ip.Is4() == ip.Is4()
			c.changed = c.changed || stale
			return stale
		})
	}
	at := slices.IndexFunc(h.addresses, func(a address) bool { return a.ip == ip && a.zone == zone })
	switch {
	case at >= 0:
		h.addresses[at].lease = newLease(now, header.TTL)
	case header.TTL > 0 && len(h.addresses) < maxAddresses:
		h.addresses = append(h.addresses, address{lease: newLease(now, header.TTL), ip: ip, zone: zone})
		c.changed = true
	}
}

// isTarget says whether the address of a host is needed.
func (c *cache) isTarget(name string) bool {
	for _, i := range c.instances {
		if !i.says.ashlar && strings.EqualFold(i.target, name) {
			return true
		}
	}
	return false
}

// expire takes out what has ended, and returns what is to be asked for now.
func (c *cache) expire(now time.Time) (questions []dnsmessage.Question) {
	questions = c.expireHosts(now) // first, since an instance whose host has ended misses something
	again := false
	for label, i := range c.instances {
		switch {
		case i.ptr.ttl == 0 && now.Sub(i.gone) >= rest:
			delete(c.instances, label)
			c.full = false
		case i.ptr.ttl == 0:
		case !i.ptr.live(now):
			delete(c.instances, label)
			c.changed, c.full = true, false
		default:
			again = i.ptr.ask(now) || again
			questions = append(questions, c.questionsOf(i, now)...)
		}
	}
	if again {
		questions = append(questions, c.question())
	}
	return questions
}

func (c *cache) expireHosts(now time.Time) (questions []dnsmessage.Question) {
	for name, h := range c.hosts {
		h.addresses = slices.DeleteFunc(h.addresses, func(a address) bool {
			c.changed = c.changed || !a.live(now)
			return !a.live(now)
		})
		if len(h.addresses) == 0 {
			delete(c.hosts, name)
			continue
		}
		due := false
		for n := range h.addresses {
			due = h.addresses[n].ask(now) || due
		}
		if due && c.isTarget(name) {
			questions = append(questions, addressQuestions(name)...)
		}
	}
	return questions
}

// questionsOf returns what is to be asked about an instance: what ends soon, and what is missing, the latter with growing delays.
func (c *cache) questionsOf(i *heard, now time.Time) (questions []dnsmessage.Question) {
	name := nameOf(i.label + "." + c.typ)
	ask := func(l *lease, t dnsmessage.Type, missing bool) {
		if !l.live(now) && l.ttl > 0 {
			*l, c.changed = lease{}, true
		}
		if l.ask(now) || missing && !l.live(now) {
			questions = append(questions, dnsmessage.Question{Name: name, Type: t, Class: dnsmessage.ClassINET})
		}
	}
	missing := c.missing(i, now) && !now.Before(i.nextAsk)
	if missing {
		i.nextAsk = now.Add(firstQuery << min(i.asks, maxShift))
		i.asks++
	}
	ask(&i.txt, dnsmessage.TypeTXT, missing)
	if i.says.ashlar {
		return questions // its text says all
	}
	ask(&i.srv, dnsmessage.TypeSRV, missing)
	if missing && i.srv.live(now) && c.hosts[strings.ToLower(i.target)] == nil {
		questions = append(questions, addressQuestions(i.target)...)
	}
	return questions
}

// missing says whether something is not known that an instance needs.
func (c *cache) missing(i *heard, now time.Time) bool {
	return !i.txt.live(now) || !i.says.ashlar && (!i.srv.live(now) || c.hosts[strings.ToLower(i.target)] == nil)
}

// question asks for the instances.
func (c *cache) question() dnsmessage.Question {
	return dnsmessage.Question{Name: nameOf(c.typ), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}
}

func addressQuestions(name string) []dnsmessage.Question {
	n := nameOf(name)
	return []dnsmessage.Question{
		{Name: n, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
		{Name: n, Type: dnsmessage.TypeAAAA, Class: dnsmessage.ClassINET},
	}
}

// known returns the instances that need not be told again.
func (c *cache) known(now time.Time) (records []dnsmessage.Resource) {
	for _, label := range slices.Sorted(maps.Keys(c.instances)) {
		if i := c.instances[label]; i.ptr.known(now) && !c.missing(i, now) {
			left := uint32(i.ptr.end().Sub(now) / time.Second)
			records = append(records, pointer(c.typ, label+"."+c.typ, left))
		}
	}
	return records
}

// next returns when expire has something to do.
func (c *cache) next(now time.Time) time.Time {
	first := now.Add(maxTTL)
	take := func(at time.Time) {
		if at.Before(first) {
			first = at
		}
	}
	for _, i := range c.instances {
		if i.ptr.ttl == 0 {
			take(i.gone.Add(rest))
			continue
		}
		take(i.ptr.next())
		if i.txt.ttl > 0 {
			take(i.txt.next())
		}
		if i.srv.ttl > 0 && !i.says.ashlar {
			take(i.srv.next())
		}
		if c.missing(i, now) {
			take(i.nextAsk)
		}
	}
	for _, h := range c.hosts {
		for n := range h.addresses {
			take(h.addresses[n].next())
		}
	}
	return first
}

// compareAddresses orders the addresses of a host by how sure it is that they can be called: those of version 4 first, those of one link
// last.
func compareAddresses(a, b address) int {
	rank := func(a address) int {
		switch {
		case a.ip.IsLinkLocalUnicast():
			return 2
		case a.ip.Is4():
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), a.ip.Compare(b.ip), cmp.Compare(a.zone, b.zone))
}
