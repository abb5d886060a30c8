package natskv_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/natskv"
)

// patience is how long a test waits for what is to come, on a busy machine.
const patience = 30 * time.Second

const (
	bucketName = "instances"
	service    = "orders"
)

// key is where the instance of that ID is.
func key(service, id string) string { return natskv.Token(service) + "." + natskv.Token(id) }

// connect returns the JetStream of a connection that goes on for ever, until the test ends.
func connect(t *testing.T, url string, opts ...nats.Option) jetstream.JetStream {
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
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// makeBucket makes the bucket.
func makeBucket(t *testing.T, js jetstream.JetStream, replicas int) jetstream.KeyValue {
	t.Helper()
	config := natskv.Bucket(bucketName)
	config.Replicas = replicas
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	bucket, err := js.CreateOrUpdateKeyValue(ctx, config)
	for err != nil && replicas > 1 && ctx.Err() == nil { // the servers of a cluster that has just started do not all know each other
		t.Log(err)
		bucket, err = js.CreateOrUpdateKeyValue(ctx, config)
	}
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}

func newInstancer(t *testing.T, js jetstream.JetStream, opts ...natskv.InstancerOption) sd.Instancer {
	t.Helper()
	i, err := natskv.NewInstancer(js, bucketName, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func newRegistrar(t *testing.T, js jetstream.JetStream, opts ...natskv.RegistrarOption) sd.Registrar {
	t.Helper()
	r, err := natskv.NewRegistrar(js, bucketName, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// register registers an instance until the test ends, or deregister is called.
func register(t *testing.T, js jetstream.JetStream, instance sd.Instance, opts ...natskv.RegistrarOption) (deregister func()) {
	t.Helper()
	f, err := newRegistrar(t, js, opts...).Register(context.Background(), instance)
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
