package natsdiscovery_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/nats"
)

// patience is how long a test waits for what is to come, on a busy machine.
const patience = 30 * time.Second

// connect returns a connection that goes on for ever, until the test ends.
func connect(t *testing.T, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	closed := nc.StatusChanged(nats.CLOSED)
	t.Cleanup(func() {
		nc.Close()
		<-closed
	})
	return nc
}

func newInstancer(t *testing.T, nc *nats.Conn, opts ...natsdiscovery.InstancerOption) sd.Instancer {
	t.Helper()
	i, err := natsdiscovery.NewInstancer(nc, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// register registers an instance until the test ends, or deregister is called.
func register(t *testing.T, nc *nats.Conn, instance sd.Instance, opts ...natsdiscovery.RegistrarOption) (deregister func()) {
	t.Helper()
	r, err := natsdiscovery.NewRegistrar(nc, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Register(context.Background(), instance)
	if err != nil {
		t.Fatal(err)
	}
	deregister = func() {
		t.Helper()
		if err := f(context.Background()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(deregister)
	return deregister
}

const service = "orders"

// rarely lets a watch ask once, and then not for a long time.
func rarely() natsdiscovery.InstancerOption { return natsdiscovery.InstancerInterval(time.Hour) }

// often lets a watch ask ten times a second.
func often() natsdiscovery.InstancerOption {
	return func(c *natsdiscovery.InstancerConfig) error {
		for _, o := range []natsdiscovery.InstancerOption{
			natsdiscovery.InstancerInterval(100 * time.Millisecond), natsdiscovery.InstancerWindow(50 * time.Millisecond),
		} {
			if err := o(c); err != nil {
				return err
			}
		}
		return nil
	}
}
