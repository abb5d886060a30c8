package mdns

import (
	"cmp"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd"
)

// offer is one instance that is announced.
type offer struct {
	service, typ, name string
	whole              bool // the name has the whole ID
	instance           sd.Instance
	place              place
	ttl                uint32 // seconds
	revision           uint64
	text               []string
	lost               chan error // gets what ends it

	began  time.Time
	sent   int                 // announcements since it began, or came back
	next   time.Time           // when it is announced again
	at     map[*link]time.Time // when it was announced last
	claims int                 // how often it took a higher revision
	rival  time.Time           // until then another has the name
	out    bool                // it was announced
	silent bool                // another took its name
}

func newOffer(service string, instance sd.Instance, ttl time.Duration) (*offer, error) {
	o := &offer{service: service, instance: instance, ttl: uint32(ttl / time.Second), lost: make(chan error, 1), at: make(map[*link]time.Time)}
	o.typ, _ = typeOf(service)
	label, whole := labelOf(instance.ID)
	o.name, o.whole = label+"."+o.typ, whole
	var err error
	if o.place, err = placeOf(instance.Address); err != nil {
		return nil, err
	}
	return o, o.setRevision(uint64(time.Now().UnixMicro()))
}

// setRevision makes the text anew, which was announced nowhere then.
func (o *offer) setRevision(n uint64) (err error) {
	o.revision = n
	clear(o.at)
	o.text, err = encode(o.service, o.instance, o.whole, n)
	return err
}

// records returns what is announced: that the instance is there, where it is, what it says of itself, and the address of its host.
func (o *offer) records() []dnsmessage.Resource {
	srv := &dnsmessage.SRVResource{Weight: uint16(o.instance.Weight), Port: o.place.port, Target: nameOf(o.place.host)}
	records := []dnsmessage.Resource{
		pointer(o.typ, o.name, o.ttl),
		record(o.name, dnsmessage.TypeSRV, o.ttl, srv),
		record(o.name, dnsmessage.TypeTXT, o.ttl, &dnsmessage.TXTResource{TXT: o.text}),
	}
	switch ip := o.place.ip; {
	case ip.Is4():
		records = append(records, record(o.place.host, dnsmessage.TypeA, o.ttl, &dnsmessage.AResource{A: ip.As4()}))
	case ip.Is6():
		records = append(records, record(o.place.host, dnsmessage.TypeAAAA, o.ttl, &dnsmessage.AAAAResource{AAAA: ip.As16()}))
	}
	return records
}

// goodbye returns what says that the instance is no more (RFC 6762, section 10.1). The text tells it from one that has its name by now.
func (o *offer) goodbye() []dnsmessage.Resource {
	text := record(o.name, dnsmessage.TypeTXT, 0, &dnsmessage.TXTResource{TXT: o.text})
	return []dnsmessage.Resource{pointer(o.typ, o.name, 0), text}
}

// on says whether the offer is announced on a link. What only this machine can call is not announced to others.
func (o *offer) on(l *link) bool { return l.loopback || !o.place.loopback }

// yielded says whether another has the name now.
func (o *offer) yielded(now time.Time) bool { return now.Before(o.rival) }

// record returns a record of a name that is announced from one place alone.
func record(name string, t dnsmessage.Type, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	header := dnsmessage.ResourceHeader{Name: nameOf(name), Type: t, Class: dnsmessage.ClassINET | topBit, TTL: ttl}
	return dnsmessage.Resource{Header: header, Body: body}
}

// pointer returns a PTR record, of which there are others with its name.
func pointer(name, to string, ttl uint32) dnsmessage.Resource {
	header := dnsmessage.ResourceHeader{Name: nameOf(name), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET, TTL: ttl}
	return dnsmessage.Resource{Header: header, Body: &dnsmessage.PTRResource{PTR: nameOf(to)}}
}

// rival is an instance that another announces under the same name.
type rival struct {
	text []string
	says attributes
	ttl  time.Duration
}

// compare says which of the two keeps the name: the greater.
func (r *rival) compare(o *offer) int {
	return cmp.Or(cmp.Compare(r.says.revision, o.revision), slices.Compare(r.text, o.text))
}
