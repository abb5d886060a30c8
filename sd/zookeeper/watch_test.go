package zookeeper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/zookeeper"
)

// never is a check that does not come in time, so that a test sees what the watches do by themselves.
const never = time.Hour

// put makes a node that stays, or changes it.
func put(t *testing.T, conn *zk.Conn, path, data string) {
	t.Helper()
	_, err := conn.Create(path, []byte(data), 0, zk.WorldACL(zk.PermAll))
	if errors.Is(err, zk.ErrNodeExists) {
		_, err = conn.Set(path, []byte(data), -1)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestEachChangeIsSeen(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 4*time.Second)
	turns := watch(t, conn, "orders", zookeeper.InstancerPrefix("/"), zookeeper.InstancerCheck(never))
	turns.AwaitIDs()
	for round := range 5 {
		put(t, conn, "/orders", "")
		for weight := range 5 {
			put(t, conn, "/orders/x", fmt.Sprintf(`{"address":"192.0.2.1:80","weight":%d}`, weight))
			turns.Await("the weight", func(have watchtest.Event) bool { return len(have.Set) == 1 && have.Set[0].Weight == weight })
		}
		if err := conn.Delete("/orders/x", -1); err != nil {
			t.Fatal(err)
		}
		turns.AwaitIDs()
		if round%2 == 1 {
			if err := conn.Delete("/orders", -1); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestWatchesGoOnAfterACut(t *testing.T) {
	t.Parallel()
	server := testserver.StartZooKeeper(t)
	proxy := testserver.StartProxy(t, server.Address)
	direct := connect(t, server.Address, 10*time.Second)
	turns := watch(t, connect(t, proxy.Address, 10*time.Second), "orders", zookeeper.InstancerCheck(never))
	register(t, direct, "orders", "a")
	turns.AwaitIDs("a")
	for n := range 3 {
		proxy.Cut()
		b, _ := register(t, direct, "orders", "b")
		if _, err := direct.Set(node("orders", "a"), fmt.Appendf(nil, `{"id":"a","address":"a.example.com:80","weight":%d}`, n+1), -1); err != nil {
			t.Fatal(err)
		}
		proxy.Restore()
		turns.Await("both changes", func(have watchtest.Event) bool { return len(have.Set) == 2 && have.Set[0].Weight == n+1 })
		b()
		turns.Await("the end of b", func(have watchtest.Event) bool { return have.Err == nil && len(have.Set) == 1 })
	}
}

func TestANodeThatCannotBeReadIsReadLater(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 4*time.Second)
	turns := watch(t, conn, "orders", zookeeper.InstancerCheck(200*time.Millisecond))
	register(t, conn, "orders", "a")
	turns.AwaitIDs("a")
	path := node("orders", "b")
	if _, err := conn.Create(path, []byte(`{"id":"b","address":"b.example.com:80"}`), 0, zk.WorldACL(zk.PermAdmin|zk.PermDelete)); err != nil {
		t.Fatal(err)
	}
	turns.Await("an error of that node", func(have watchtest.Event) bool {
		invalid, ok := errors.AsType[*sd.InvalidError](have.Err)
		return ok && invalid.Entry == path && errors.Is(have.Err, zk.ErrNoAuth)
	})
	turns.AwaitIDs("a")
	if _, err := conn.SetACL(path, zk.WorldACL(zk.PermAll), -1); err != nil {
		t.Fatal(err)
	}
	turns.AwaitIDs("a", "b")
}

func TestManyNodesAreReadAFewAtATime(t *testing.T) {
	t.Parallel()
	server := testserver.StartZooKeeper(t)
	conn := connect(t, server.Address, 10*time.Second)
	put(t, conn, "/many", "")
	const many = 400
	var group sync.WaitGroup
	for n := range many {
		group.Go(func() {
			path := fmt.Sprintf("/many/%d", n)
			if _, err := conn.Create(path, fmt.Appendf(nil, `{"address":"192.0.2.1:%d"}`, 1000+n), 0, zk.WorldACL(zk.PermAll)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	turns := watch(t, conn, "many", zookeeper.InstancerPrefix("/"))
	turns.Await("all of them", func(have watchtest.Event) bool { return len(have.Set) == many })

	server.Suspend()
	instancer, err := zookeeper.NewInstancer(conn, "many", zookeeper.InstancerPrefix("/"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	pprof.Do(ctx, pprof.Labels("test", t.Name()), func(ctx context.Context) {
		for range 50 {
			group.Go(func() {
				for set := range instancer.Watch(ctx) {
					if set != nil {
						t.Errorf("want no set of a server that hangs, have %v", set)
					}
				}
			})
		}
	})
	group.Wait()
	if have := asking(t); have == 0 || have > 16 {
		t.Errorf("want from 1 to 16 calls that the client has not returned from, have %d", have)
	}
	server.Resume()
}

// asking returns how many goroutines of the test wait for the client.
func asking(t *testing.T) (n int) {
	t.Helper()
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		count, _, _ := strings.Cut(stack, " @")
		if strings.Contains(stack, strconv.Quote(t.Name())) && strings.Contains(stack, "zk.(*Conn)") {
			i, err := strconv.Atoi(count)
			if err != nil {
				t.Fatal(err)
			}
			n += i
		}
	}
	return n
}

func TestWatchesOfTheClientDoNotPileUp(t *testing.T) {
	t.Parallel()
	conn := connect(t, testserver.StartZooKeeper(t).Address, 10*time.Second)
	for _, id := range []string{"a", "b", "c"} {
		register(t, conn, "orders", id)
	}
	instancer, err := zookeeper.NewInstancer(conn, "orders")
	if err != nil {
		t.Fatal(err)
	}
	absent, err := zookeeper.NewInstancer(conn, "absent")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		for _, i := range []sd.Instancer{instancer, absent} {
			for _, err := range i.Watch(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
		}
	}
	if _, _, err := conn.Exists("/"); err != nil { // what came before is done
		t.Fatal(err)
	}
	held := 0
	for each := reflect.ValueOf(conn).Elem().FieldByName("watchers").MapRange(); each.Next(); {
		held += each.Value().Len()
	}
	if want := 3 + 1 + 3 + 1; held > want { // of the registrations, the list, the nodes, and what is absent
		t.Errorf("want at most %d watches of the client, have %d", want, held)
	}
}

func TestAServerThatHangsIsAnErrorAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	server := testserver.StartZooKeeper(t)
	conn := connect(t, server.Address, 4*time.Second)
	turns := watch(t, conn, "orders")
	deregister, errs := register(t, conn, "orders", "a")
	turns.AwaitIDs("a")

	server.Suspend()
	turns.AwaitError("")
	if err := <-errs; err == nil {
		t.Error("want an error of the registration")
	}
	registrar, err := zookeeper.NewRegistrar(conn, "orders")
	if err != nil {
		t.Fatal(err)
	}
	watchtest.Within(t, driver.RegisterLimit+driver.RemoveLimit+time.Second, "Register", func() {
		if _, err := registrar.Register(t.Context(), named("b")); err == nil {
			t.Error("want an error of Register")
		}
	})
	instancer, err := zookeeper.NewInstancer(conn, "orders")
	if err != nil {
		t.Fatal(err)
	}
	watchtest.Within(t, 2*time.Second, "the end of ctx", func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for set := range instancer.Watch(ctx) {
			if set != nil {
				t.Errorf("want no set, have %v", set)
			}
		}
	})

	server.Resume()
	turns.AwaitIDs("a")
	deregister()
	turns.AwaitIDs()
}
