package etcd_test

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd/etcd"
)

func endpoints(members []*testserver.Etcd) []string {
	all := make([]string, len(members))
	for n, m := range members {
		all[n] = m.Endpoint
	}
	return all
}

// leader returns which of the members leads.
func leader(t *testing.T, members []*testserver.Etcd, client *clientv3.Client) int {
	t.Helper()
	for n, m := range members {
		status, err := client.Status(t.Context(), m.Endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if status.Header.GetMemberId() == status.Leader {
			return n
		}
	}
	t.Fatal("no member leads")
	return 0
}

func TestAClusterThatLosesItsLeaderLosesNoInstance(t *testing.T) {
	t.Parallel()
	members := testserver.StartEtcdCluster(t, 3)
	client := connect(t, endpoints(members)...)
	turns := watch(t, client, "orders")
	register(t, client, "orders", "a", etcd.RegistrarTTL(5*time.Second))
	turns.AwaitIDs("a")
	_, _, created := get(t, client, "ashlar/services/orders/a")

	members[leader(t, members, client)].Kill()
	b := registerSoon(t, client, "b")
	turns.AwaitIDs("a", "b")
	afterRenewals(t, 6*time.Second)
	if _, _, at := get(t, client, "ashlar/services/orders/a"); at != created {
		t.Errorf("want the key of revision %d, have one of %d", created, at)
	}
	b()
	turns.AwaitIDs("a")
}

// registerSoon registers as soon as the cluster can, which may be choosing a leader.
func registerSoon(t *testing.T, client *clientv3.Client, id string) (deregister func()) {
	t.Helper()
	registrar, err := etcd.NewRegistrar(client, "orders", etcd.RegistrarTTL(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < limit; {
		end, err := registrar.Register(t.Context(), named(id))
		if err == nil {
			return func() {
				if err := end(t.Context()); err != nil {
					t.Errorf("deregistering %s: %v", id, err)
				}
			}
		}
		t.Logf("registering %s: %v", id, err)
	}
	t.Fatalf("%s was not registered within %v", id, limit)
	return nil
}

func TestAMemberThatHangsIsLeftForTheOthers(t *testing.T) {
	t.Parallel()
	members := testserver.StartEtcdCluster(t, 3)
	client := connect(t, endpoints(members)...)
	turns := watch(t, client, "orders", etcd.InstancerCheck(time.Second))
	_, errs := register(t, client, "orders", "a", etcd.RegistrarTTL(6*time.Second))
	turns.AwaitIDs("a")
	_, _, created := get(t, client, "ashlar/services/orders/a")

	for n, m := range members { // the watch is on one of them
		others := connect(t, endpoints(append(append([]*testserver.Etcd{}, members[:n]...), members[n+1:]...))...)
		m.Suspend()
		b := registerSoon(t, others, "b")
		turns.AwaitIDs("a", "b")
		b()
		turns.AwaitIDs("a")
		if _, _, at := get(t, others, "ashlar/services/orders/a"); at != created {
			t.Errorf("want the key of revision %d, have one of %d", created, at)
		}
		m.Resume()
	}
	for len(errs) > 0 {
		t.Logf("meanwhile: %v", <-errs)
	}
}

func TestAWatchThatIsCanceledIsMadeAgain(t *testing.T) {
	t.Parallel()
	members := testserver.StartEtcdCluster(t, 3)
	turns := watch(t, connect(t, members[0].Endpoint), "orders", etcd.InstancerCheck(never))
	turns.AwaitIDs()
	for range 2 {
		members[1].Kill()
		members[2].Kill()
		turns.AwaitError("") // the watch is canceled, since there is no leader
		members[1].Start()
		members[2].Start()
		turns.AwaitIDs()
	}
	register(t, connect(t, members[2].Endpoint), "orders", "a")
	turns.AwaitIDs("a")
}
