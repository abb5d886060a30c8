package natsdiscovery

import (
	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/sd"
)

// InstancerConfig lets tests make an option of several.
type InstancerConfig = instancerConfig

// Answer takes the answer of an instance of the service, and returns what is known then.
func Answer(service string, data []byte) (set []sd.Instance, invalid []*sd.InvalidError) {
	c := newCensus(service, 1)
	c.take(&nats.Msg{Data: data})
	c.close()
	return c.set(), c.invalid
}

// Census is what a watch knows.
type Census struct{ c *census }

// NewCensus returns one that knows nobody.
func NewCensus(service string, misses int) Census { return Census{newCensus(service, misses)} }

// Round takes the answers of a round, and returns what is known then.
func (c Census) Round(answers ...[]byte) []sd.Instance {
	for _, data := range answers {
		c.c.take(&nats.Msg{Data: data})
	}
	c.c.close()
	return c.c.set()
}

// Forget lets all misses so far count for nothing.
func (c Census) Forget() { c.c.forget() }
