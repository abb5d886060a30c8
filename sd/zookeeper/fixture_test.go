package zookeeper_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/zookeeper"
)

// limit is how long a test waits for what is to happen.
const limit = 30 * time.Second

type silent struct{}

func (silent) Printf(string, ...any) {}

// connect returns a connection whose session lasts as long, and whose events nobody takes. It is closed after the test.
func connect(t *testing.T, address string, session time.Duration) *zk.Conn {
	t.Helper()
	conn, _, err := zk.Connect([]string{address}, session, zk.WithLogger(silent{}), zk.WithDialer(dialer(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// dialer returns a dialer that the test outlives: Conn.Close does not wait for a connection that is being made.
func dialer(t *testing.T) zk.Dialer {
	t.Helper()
	return func(network, address string, timeout time.Duration) (net.Conn, error) {
		return (&net.Dialer{Timeout: timeout}).DialContext(t.Context(), network, address)
	}
}

// watch watches the service until the test ends.
func watch(t *testing.T, conn *zk.Conn, service string, opts ...zookeeper.InstancerOption) *watchtest.Watch {
	t.Helper()
	instancer, err := zookeeper.NewInstancer(conn, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return watchtest.Start(t, instancer)
}

// named returns the instance of that ID.
func named(id string) sd.Instance { return sd.Instance{ID: id, Address: id + ".example.com:80"} }

// register registers the instance of that ID. What goes wrong later is sent to the channel, as long as there is room in it.
func register(t *testing.T, conn *zk.Conn, service, id string, opts ...zookeeper.RegistrarOption) (deregister func(), errs <-chan error) {
	t.Helper()
	told := make(chan error, 100)
	tell := zookeeper.RegistrarOnError(func(err error) {
		select {
		case told <- err:
		default:
		}
	})
	registrar, err := zookeeper.NewRegistrar(conn, service, append([]zookeeper.RegistrarOption{tell}, opts...)...)
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

// get returns the data of a node, which must be there.
func get(t *testing.T, conn *zk.Conn, path string) (data string, stat *zk.Stat) {
	t.Helper()
	text, stat, err := conn.Get(path)
	if err != nil {
		t.Fatalf("want the node %s, have %v", path, err)
	}
	return string(text), stat
}
