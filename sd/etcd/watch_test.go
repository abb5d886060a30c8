package etcd_test

import (
	"context"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd/etcd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// never is a check that does not come in time, so that a test sees what the watch does by itself.
const never = time.Hour

func TestAWatchGoesOnAfterACut(t *testing.T) {
	t.Parallel()
	server := testserver.StartEtcd(t)
	proxy := testserver.StartProxy(t, server.Endpoint)
	direct := connect(t, server.Endpoint)
	turns := watch(t, connect(t, proxy.Address), "orders", etcd.InstancerCheck(never))
	turns.AwaitIDs()
	register(t, direct, "orders", "a")
	turns.AwaitIDs("a")
	proxy.Cut()
	register(t, direct, "orders", "b")
	proxy.Restore()
	turns.AwaitIDs("a", "b")
}

func TestAWatchGoesOnAfterACompactionOfWhatItMissed(t *testing.T) {
	t.Parallel()
	server := testserver.StartEtcd(t)
	proxy := testserver.StartProxy(t, server.Endpoint)
	direct := connect(t, server.Endpoint)
	turns := watch(t, connect(t, proxy.Address), "orders", etcd.InstancerCheck(never))
	first, _ := register(t, direct, "orders", "a")
	turns.AwaitIDs("a")
	const rounds = 2
	for n := range rounds {
		proxy.Cut()
		if n == 0 {
			register(t, direct, "orders", "b")
			first()
		} else {
			register(t, direct, "orders", "c")
		}
		response, err := direct.Put(t.Context(), "other", "1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := direct.Compact(t.Context(), response.Header.GetRevision(), clientv3.WithCompactPhysical()); err != nil {
			t.Fatal(err)
		}
		proxy.Restore()
		turns.Await("the set of what was read again", func(have watchtest.Event) bool {
			if have.Err != nil {
				t.Errorf("want no error for what was read again, have %v", have.Err)
			}
			return len(have.Set) == n+1 && have.Set[n].ID == []string{"b", "c"}[n]
		})
	}
}

func TestAServerThatHangsIsAnErrorAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	server := testserver.StartEtcd(t)
	client := connect(t, server.Endpoint)
	turns := watch(t, client, "orders")
	deregister, errs := register(t, client, "orders", "a", etcd.RegistrarTTL(3*time.Second))
	turns.AwaitIDs("a")

	server.Suspend()
	turns.AwaitError("")
	if err := <-errs; err == nil {
		t.Error("want an error of the registration")
	}
	registrar, err := etcd.NewRegistrar(client, "orders")
	if err != nil {
		t.Fatal(err)
	}
	watchtest.Within(t, driver.RegisterLimit+driver.RemoveLimit+time.Second, "Register", func() {
		if _, err := registrar.Register(t.Context(), named("b")); err == nil {
			t.Error("want an error of Register")
		}
	})
	instancer, err := etcd.NewInstancer(client, "orders")
	if err != nil {
		t.Fatal(err)
	}
	watchtest.Within(t, 2*time.Second, "the end of ctx", func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for set, err := range instancer.Watch(ctx) {
			t.Errorf("want nothing within a second, have %v, %v", set, err)
		}
	})

	server.Resume()
	turns.AwaitIDs("a")
	deregister()
	turns.AwaitIDs()
}

func TestServicesAndPrefixesAreApart(t *testing.T) {
	t.Parallel()
	client := connect(t, testserver.StartEtcd(t).Endpoint)
	register(t, client, "orders", "a")
	register(t, client, "orders2", "b")
	register(t, client, "orders", "c", etcd.RegistrarPrefix("test/"))
	register(t, client, "orders", "d", etcd.RegistrarPrefix(""))
	watch(t, client, "orders").AwaitIDs("a")
	watch(t, client, "orders2").AwaitIDs("b")
	watch(t, client, "orders", etcd.InstancerPrefix("test/")).AwaitIDs("c")
	watch(t, client, "orders", etcd.InstancerPrefix("")).AwaitIDs("d")
}
