package etcd_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/etcd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

func TestAnInstanceIsAKeyOnALease(t *testing.T) {
	t.Parallel()
	client := connect(t, testserver.StartEtcd(t).Endpoint)
	register(t, client, "orders", "a/b.c ü", etcd.RegistrarPrefix("shop/"), etcd.RegistrarTTL(7*time.Second))
	value, lease, _ := get(t, client, "shop/orders/a%2Fb%2Ec%20%C3%BC")
	if want := `{"id":"a/b.c ü","address":"a/b.c ü.example.com:80"}`; value != want {
		t.Errorf("want %s, have %s", want, value)
	}
	if l, err := client.TimeToLive(t.Context(), lease); err != nil || l.GrantedTTL != 7 {
		t.Errorf("want a lease of 7 s, have %+v, %v", l, err)
	}
}

func TestALeaseThatIsRevokedIsMadeAgain(t *testing.T) {
	t.Parallel()
	client := connect(t, testserver.StartEtcd(t).Endpoint)
	turns := watch(t, client, "orders")
	_, errs := register(t, client, "orders", "a", etcd.RegistrarTTL(2*time.Second))
	for range 3 {
		turns.AwaitIDs("a")
		_, lease, _ := get(t, client, "ashlar/services/orders/a")
		if _, err := client.Revoke(t.Context(), lease); err != nil {
			t.Fatal(err)
		}
		turns.AwaitIDs()
		if err := <-errs; err == nil {
			t.Error("want an error that says that the lease was lost")
		}
	}
	turns.AwaitIDs("a")
}

func TestALeaseThatExpiresDuringAnOutageIsMadeAgain(t *testing.T) {
	t.Parallel()
	server := testserver.StartEtcd(t)
	proxy := testserver.StartProxy(t, server.Endpoint)
	turns := watch(t, connect(t, server.Endpoint), "orders")
	_, errs := register(t, connect(t, proxy.Address), "orders", "a", etcd.RegistrarTTL(2*time.Second))
	turns.AwaitIDs("a")
	proxy.Cut()
	turns.AwaitIDs()
	if err := <-errs; err == nil {
		t.Error("want an error that says that etcd cannot be reached")
	}
	proxy.Restore()
	turns.AwaitIDs("a")
}

func TestAKeyThatIsDeletedIsPutAgain(t *testing.T) {
	t.Parallel()
	client := connect(t, testserver.StartEtcd(t).Endpoint)
	turns := watch(t, client, "orders")
	register(t, client, "orders", "a", etcd.RegistrarTTL(2*time.Second))
	turns.AwaitIDs("a")
	if _, err := client.Delete(t.Context(), "ashlar/services/orders/a"); err != nil {
		t.Fatal(err)
	}
	turns.AwaitIDs()
	turns.AwaitIDs("a")
}

func TestANewerRegistrationIsNeitherRemovedNorReplacedByAnOlder(t *testing.T) {
	t.Parallel()
	client := connect(t, testserver.StartEtcd(t).Endpoint)
	older, errs := register(t, client, "orders", "a", etcd.RegistrarTTL(2*time.Second))
	register(t, client, "orders", "a", etcd.RegistrarTTL(30*time.Second))
	_, lease, created := get(t, client, "ashlar/services/orders/a")
	afterRenewals(t, 4*time.Second)
	older()
	if _, now, at := get(t, client, "ashlar/services/orders/a"); now != lease || at != created {
		t.Errorf("want the lease %x of the newer, have %x", lease, now)
	}
	if err := <-errs; !errors.Is(err, sd.ErrReplaced) {
		t.Errorf("want %v, have %v", sd.ErrReplaced, err)
	}
	select {
	case err := <-errs:
		t.Errorf("want it said once, have also %v", err)
	default:
	}
}

func TestAnOlderRegistrationIsBackWhenTheNewerHasEnded(t *testing.T) {
	t.Parallel()
	client := connect(t, testserver.StartEtcd(t).Endpoint)
	_, errs := register(t, client, "orders", "a", etcd.RegistrarTTL(2*time.Second))
	_, before, _ := get(t, client, "ashlar/services/orders/a")
	newer, _ := register(t, client, "orders", "a", etcd.RegistrarTTL(30*time.Second))
	turns := watch(t, client, "orders")
	if err := <-errs; !errors.Is(err, sd.ErrReplaced) {
		t.Errorf("want %v, have %v", sd.ErrReplaced, err)
	}
	turns.AwaitIDs("a")
	newer()
	turns.AwaitIDs()
	turns.AwaitIDs("a")
	if _, now, _ := get(t, client, "ashlar/services/orders/a"); now != before {
		t.Errorf("want the lease %x of the older, have %x", before, now)
	}
}

// afterRenewals waits for some real time, in which leases are renewed.
func afterRenewals(t *testing.T, wait time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	<-ctx.Done()
}

func TestDeregisterSaysThatTheClientIsClosed(t *testing.T) {
	t.Parallel()
	client := connect(t, testserver.StartEtcd(t).Endpoint)
	registrar, err := etcd.NewRegistrar(client, "orders")
	if err != nil {
		t.Fatal(err)
	}
	deregister, err := registrar.Register(t.Context(), named("a"))
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	begun := time.Now()
	if err := deregister(t.Context()); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("want %v, have %v", driver.ErrClosed, err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("want it said at once, have it after %v", took)
	}
}
