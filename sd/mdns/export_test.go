package mdns

import (
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd"
)

// What tests of the wire need.
const (
	MaxInstances = maxInstances
	MaxMessage   = maxMessage
	MaxLabel     = maxLabel
	MaxText      = maxText
)

// TypeOf is typeOf.
func TypeOf(service string) (name string, own bool) { return typeOf(service) }

// LabelOf is labelOf.
func LabelOf(id string) (label string, whole bool) { return labelOf(id) }

// IDOf is idOf.
func IDOf(label string) string { return idOf(label) }

// Encode is encode.
func Encode(service string, i sd.Instance, labelled bool, revision uint64) ([]string, error) {
	return encode(service, i, labelled, revision)
}

// Decode returns what decode finds.
func Decode(text []string) (instance sd.Instance, service, weight string, revision uint64) {
	a := decode(text)
	return a.instance, a.service, a.weight, a.revision
}

// Cache is a cache without a network.
type Cache struct{ c *cache }

// NewCache is newCache.
func NewCache(service string) *Cache { return &Cache{newCache(service)} }

// Hear reads a packet that came by an interface.
func (c *Cache) Hear(data []byte, zone string, now time.Time) error {
	m, err := parse(data)
	if err == nil && m.response {
		c.c.hear(m.records, zone, now)
	}
	return err
}

// At returns what there is to be asked at a time, and the set.
func (c *Cache) At(now time.Time) (questions []dnsmessage.Question, set []sd.Instance, invalid []*sd.InvalidError) {
	questions = c.c.expire(now)
	set, invalid = c.c.found(now)
	return questions, set, invalid
}

// Next is next.
func (c *Cache) Next(now time.Time) time.Time { return c.c.next(now) }

// Known returns how many known answers there are.
func (c *Cache) Known(now time.Time) int { return len(c.c.known(now)) }

// Resume is resume.
func (c *Cache) Resume(now time.Time) { c.c.resume(now) }

// Len returns how many instances it holds.
func (c *Cache) Len() int { return len(c.c.instances) }

// Queries is queries.
func Queries(questions []dnsmessage.Question, known []dnsmessage.Resource) [][]byte {
	return queries(questions, known)
}
