package etcd_test

import (
	"context"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/etcd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// limit is how long a test waits for what is to happen.
const limit = 30 * time.Second

// connect returns a client of these members, which is closed after the test.
func connect(t *testing.T, endpoints ...string) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// watch watches the service until the test ends.
func watch(t *testing.T, client *clientv3.Client, service string, opts ...etcd.InstancerOption) *watchtest.Watch {
	t.Helper()
	instancer, err := etcd.NewInstancer(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return watchtest.Start(t, instancer)
}

// named returns the instance of that ID.
func named(id string) sd.Instance { return sd.Instance{ID: id, Address: id + ".example.com:80"} }

// register registers the instance of that ID. What goes wrong later is sent to the channel, as long as there is room in it.
func register(t *testing.T, client *clientv3.Client, service, id string, opts ...etcd.RegistrarOption) (deregister func(), errs <-chan error) {
	t.Helper()
	told := make(chan error, 100)
	tell := etcd.RegistrarOnError(func(err error) {
		select {
		case told <- err:
		default:
		}
	})
	registrar, err := etcd.NewRegistrar(client, service, append([]etcd.RegistrarOption{tell}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	end, err := registrar.Register(t.Context(), named(id))
	if err != nil {
		t.Fatal(err)
	}
	deregister = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := end(ctx); err != nil {
			t.Errorf("deregistering %s: %v", id, err)
		}
	})
	t.Cleanup(deregister)
	return deregister, told
}

// get returns the key, which must be there.
func get(t *testing.T, client *clientv3.Client, key string) (value string, lease clientv3.LeaseID, created int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	response, err := client.Get(ctx, key)
	if err != nil || len(response.Kvs) != 1 {
		t.Fatalf("want the key %s, have %v, %v", key, response, err)
	}
	kv := response.Kvs[0]
	return string(kv.GetValue()), clientv3.LeaseID(kv.GetLease()), kv.GetCreateRevision()
}
