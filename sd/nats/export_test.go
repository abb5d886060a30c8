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
