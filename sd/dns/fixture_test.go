package dns_test

import (
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/dns"
)

// patience is how long a test waits for what is to come, on a busy machine.
const patience = 30 * time.Second

func newSRV(t *testing.T, name string, opts ...dns.InstancerOption) sd.Instancer {
	t.Helper()
	i, err := dns.NewSRV(name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func newHost(t *testing.T, name string, port int, opts ...dns.InstancerOption) sd.Instancer {
	t.Helper()
	i, err := dns.NewHost(name, port, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}
