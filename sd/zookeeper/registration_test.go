package zookeeper_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/zookeeper"
)

func TestAnInstanceIsAnEphemeralNode(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 4*time.Second)
	if err := conn.AddAuth("digest", []byte("shop:secret")); err != nil {
		t.Fatal(err)
	}
	acl := zk.DigestACL(zk.PermAll, "shop", "secret")
	register(t, conn, "orders", "a/b.c ü", zookeeper.RegistrarPrefix("/shop/v1"),
		zookeeper.RegistrarACL(acl...), zookeeper.RegistrarACL(zk.WorldACL(zk.PermRead)...))
	const path = "/shop/v1/orders/a%2Fb%2Ec%20%C3%BC"
	data, stat := get(t, conn, path)
	if want := `{"id":"a/b.c ü","address":"a/b.c ü.example.com:80"}`; data != want || stat.EphemeralOwner != conn.SessionID() {
		t.Errorf("want %s of this session, have %s, %+v", want, data, stat)
	}
	for _, node := range []string{path, "/shop/v1/orders", "/shop/v1", "/shop"} {
		want := append(slices.Clone(acl), zk.WorldACL(zk.PermRead)...)
		if have, _, err := conn.GetACL(node); err != nil || !slices.Equal(want, have) {
			t.Errorf("%s: want %v, have %v, %v", node, want, have, err)
		}
	}
}

func TestANodeThatMayNotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 4*time.Second)
	if _, err := conn.Create("/closed", nil, 0, zk.WorldACL(zk.PermRead)); err != nil {
		t.Fatal(err)
	}
	registrar, err := zookeeper.NewRegistrar(conn, "orders", zookeeper.RegistrarPrefix("/closed"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registrar.Register(t.Context(), named("a")); !errors.Is(err, zk.ErrNoAuth) {
		t.Errorf("want %v, have %v", zk.ErrNoAuth, err)
	}
}

func TestANodeThatIsDeletedIsMadeAgain(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 4*time.Second)
	turns := watch(t, conn, "orders")
	_, errs := register(t, conn, "orders", "a")
	for range 3 {
		turns.AwaitIDs("a")
		if err := conn.Delete(node("orders", "a"), -1); err != nil {
			t.Fatal(err)
		}
		turns.AwaitIDs()
		if err := <-errs; err == nil {
			t.Error("want an error that says that the node was lost")
		}
	}
	turns.AwaitIDs("a")
}

func TestANewerRegistrationIsNeitherRemovedNorReplacedByAnOlder(t *testing.T) {
	t.Parallel()
	server := testserver.StartZooKeeper(t)
	here, elsewhere := connect(t, server.Address, 4*time.Second), connect(t, server.Address, 4*time.Second)
	for service, newer := range map[string]*zk.Conn{"here": here, "elsewhere": elsewhere} {
		older, errs := register(t, here, service, "a")
		_, of := get(t, here, node(service, "a"))
		register(t, newer, service, "a")
		_, stat := get(t, here, node(service, "a"))
		if stat.Czxid == of.Czxid || stat.EphemeralOwner != newer.SessionID() {
			t.Errorf("%s: want a new node of session %x, have %+v", service, newer.SessionID(), stat)
		}
		ctx, cancel := context.WithTimeout(t.Context(), zookeeper.DefaultCheck+time.Second)
		<-ctx.Done() // the older has looked again
		cancel()
		older()
		if _, after := get(t, here, node(service, "a")); after.Czxid != stat.Czxid {
			t.Errorf("%s: want the node %+v, have %+v", service, stat, after)
		}
		if err := <-errs; !errors.Is(err, sd.ErrReplaced) {
			t.Errorf("%s: want %v, have %v", service, sd.ErrReplaced, err)
		}
		select {
		case err := <-errs:
			t.Errorf("%s: want it said once, have also %v", service, err)
		default:
		}
	}
}

func TestAnOlderRegistrationIsBackWhenTheNewerHasEnded(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 4*time.Second)
	_, errs := register(t, conn, "orders", "a")
	newer, _ := register(t, conn, "orders", "a")
	if err := <-errs; !errors.Is(err, sd.ErrReplaced) {
		t.Errorf("want %v, have %v", sd.ErrReplaced, err)
	}
	turns := watch(t, conn, "orders")
	turns.AwaitIDs("a")
	newer()
	turns.AwaitIDs()
	turns.AwaitIDs("a")
}

func TestWhatOperatorsChangeIsLeftAndTakenOut(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 4*time.Second)
	turns := watch(t, conn, "orders")
	deregister, _ := register(t, conn, "orders", "a")
	turns.AwaitIDs("a")
	if _, err := conn.Set(node("orders", "a"), []byte(`{"id":"a","address":"a.example.com:80","weight":7}`), -1); err != nil {
		t.Fatal(err)
	}
	turns.Await("another weight", func(have watchtest.Event) bool { return len(have.Set) == 1 && have.Set[0].Weight == 7 })
	deregister()
	turns.AwaitIDs()
}

func TestDeregisterSaysThatTheConnectionIsClosed(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 4*time.Second)
	registrar, err := zookeeper.NewRegistrar(conn, "orders")
	if err != nil {
		t.Fatal(err)
	}
	deregister, err := registrar.Register(t.Context(), named("a"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	begun := time.Now()
	if err := deregister(t.Context()); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("want %v, have %v", driver.ErrClosed, err)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("want it said at once, have it after %v", took)
	}
}
