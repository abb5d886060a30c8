package mdns_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/mdns"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

// TestConformance does not run beside other tests: it takes the network down.
func TestConformance(t *testing.T) { //nolint:paralleltest // see above
	h := sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) {
			return mdns.NewInstancer(service, mdns.InstancerInterfaces(loopback(t)))
		},
		Registrar: func(service string) (sd.Registrar, error) {
			return mdns.NewRegistrar(service, mdns.RegistrarInterfaces(loopback(t)))
		},
		Forget: func(service string, instance sd.Instance) error {
			return say(t, goodbye(service, instance.ID))
		},
		Corrupt: func(service string) error {
			return say(t, announcement(service, "x", "ashlar=1", "service="+service, "address=192.0.2.1:80", "weight=x"))
		},
		Outage:  outage(t),
		Watches: 20, // of which each has sockets of its own that hear all the others
		Differences: []sdtest.Difference{
			{Check: "OddMetadata", Reason: "an attribute of a TXT record has at most 255 bytes (RFC 6763, section 6.1)"},
		},
	}
	if h.Outage == nil {
		h.Differences = append(h.Differences, sdtest.Difference{Check: "Outage", Reason: "the only interface cannot be taken down"})
	}
	sdtest.Run(t, h)
}
