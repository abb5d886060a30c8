package grpcresolver_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/balancer/ringhash" // a policy that heeds weights
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/grpcresolver"
)

func roundRobin() grpc.DialOption { return grpc.WithDefaultServiceConfig(grpcresolver.RoundRobin) }

func TestCallsFollowTheSet(t *testing.T) {
	t.Parallel()
	s := startServers(t, 3)
	b := newBoard(instances(s[:1])...)
	c := dial(t, b.find, "test:///orders", roundRobin())
	c.until(s[0])
	b.set(instances(s)...)
	c.until(s...)
	b.set(instances(s[1:])...)
	c.until(s[1:]...)
	b.set()
	c.fails("Unavailable")
	b.set(instances(s[:2])...)
	c.until(s[:2]...)
}

func TestAnErrorKeepsTheLastSet(t *testing.T) {
	t.Parallel()
	s := startServers(t, 2)
	b := newBoard(instances(s)...)
	c := dial(t, b.find, "test:///orders", roundRobin())
	c.until(s...)
	for range 20 {
		b.fail(errAway)
		if _, err := c.call(); err != nil {
			t.Fatalf("want calls to go on, have %v", err)
		}
	}
	c.until(s...)
	b.set(instances(s[:1])...)
	c.until(s[0])
}

func TestAnErrorBeforeTheFirstSetFailsCalls(t *testing.T) {
	t.Parallel()
	s := startServers(t, 1)
	b := &board{changed: make(chan struct{})}
	b.fail(errAway)
	c := dial(t, b.find, "test:///orders", roundRobin())
	c.fails(errAway.Error())
	b.set(s[0].instance())
	c.until(s[0])
}

func TestEntriesThatAreNoInstancesFailNoCallBeforeTheSet(t *testing.T) {
	t.Parallel()
	s := startServers(t, 1)
	invalid := &sd.InvalidError{Entry: "orders/7", Err: errAway}
	b := &board{changed: make(chan struct{})}
	for range 20 {
		b.fail(invalid)
	}
	c := dial(t, b.find, "test:///orders")
	c.Connect()
	for b.watches.Load() == 0 {
		<-time.After(time.Millisecond)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := c.call()
		answered <- err
	}()
	b.set(s[0].instance())
	if err := <-answered; err != nil {
		t.Errorf("want the call to wait for the set, have %v", err)
	}
	b.fail(invalid)
	b.set()
	c.fails("orders/7") // pick_first says why there is nothing
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	s := startServer(t, "[::1]:0")
	c := dial(t, newBoard(s.instance()).find, "test:///orders")
	c.until(s)
	if !strings.HasPrefix(s.Addr().String(), "[::1]:") {
		t.Errorf("want an address of IPv6, have %s", s.Addr())
	}
}

func TestNamesOfServices(t *testing.T) {
	t.Parallel()
	s := startServers(t, 1)
	b := newBoard(s[0].instance())
	for _, name := range []string{"orders", "shop.orders.v1", "shop/orders", "orders_v1-eu", "orders:grpc", "10.0.0.1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := make(chan string, 1)
			c := dial(t, func(service string) (sd.Instancer, error) {
				asked <- service
				return b, nil
			}, "test:///"+name)
			if _, err := c.call(); err != nil {
				t.Fatal(err)
			}
			if have := <-asked; have != name {
				t.Errorf("want %q, have %q", name, have)
			}
		})
	}
}

func TestTargetsThatNameNoService(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		target string
		find   func(string) (sd.Instancer, error)
		want   string
	}{
		"two slashes":  {"test://orders", newBoard().find, "the target test://orders: want test:///service"},
		"no name":      {"test:///", newBoard().find, "want test:///service"},
		"an authority": {"test://eu/orders", newBoard().find, "want test:///service"},
		"not found":    {"test:///orders", func(string) (sd.Instancer, error) { return nil, errAway }, errAway.Error()},
		"nothing":      {"test:///orders", func(string) (sd.Instancer, error) { return nil, nil }, "there is no Instancer"}, //nolint:nilnil // the mistake
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := dial(t, test.find, test.target).call()
			if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want %q, have %v", test.want, err)
			}
		})
	}
}

func TestAChangeOfMetadataCutsNoConnection(t *testing.T) {
	t.Parallel()
	s := startServers(t, 2)
	b := newBoard(instances(s)...)
	c := dial(t, b.find, "test:///orders", roundRobin())
	c.until(s...)
	for n := 1; n <= 10; n++ {
		set := instances(s)
		for i := range set {
			set[i].Weight, set[i].Zone, set[i].Metadata = n, "eu", map[string]string{"load": strings.Repeat("x", n)}
		}
		b.set(set...)
		c.until(s...)
	}
	for _, server := range s {
		if have := server.accepted.Load(); have != 1 {
			t.Errorf("want one connection to %s, have %d", server.Addr(), have)
		}
	}
}

func TestWeightsAreHeeded(t *testing.T) {
	t.Parallel()
	const calls, share = 2000, 0.75
	s := startServers(t, 2)
	set := instances(s)
	set[0].Weight, set[1].Weight = 3, 1
	config := `{"loadBalancingConfig":[{"ring_hash_experimental":{"requestHashHeader":"absent","minRingSize":1024,"maxRingSize":4096}}]}`
	c := dial(t, newBoard(set...).find, "test:///orders", grpcresolver.BuilderServiceConfig(config))
	c.until(s...)
	heavy := 0
	for range calls {
		id, err := c.call()
		if err != nil {
			t.Fatal(err)
		}
		if id == set[0].Address {
			heavy++
		}
	}
	if have := float64(heavy) / calls; have < share-0.1 || have > share+0.1 {
		t.Errorf("want about %v of the calls for three quarters of the weight, have %v", share, have)
	}
}

func TestServiceConfigs(t *testing.T) {
	t.Parallel()
	s := startServers(t, 2)
	set := instances(s)
	t.Run("of the builder", func(t *testing.T) {
		t.Parallel()
		dial(t, newBoard(set...).find, "test:///orders", grpcresolver.BuilderServiceConfig(grpcresolver.RoundRobin)).until(s...)
	})
	t.Run("not wanted", func(t *testing.T) {
		t.Parallel()
		c := dial(t, newBoard(set...).find, "test:///orders", grpcresolver.BuilderServiceConfig(grpcresolver.RoundRobin), grpc.WithDisableServiceConfig())
		first, err := c.call()
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if have, err := c.call(); have != first || err != nil {
				t.Errorf("want all calls at %s, have one at %s, %v", first, have, err)
			}
		}
	})
	t.Run("wrong", func(t *testing.T) {
		t.Parallel()
		c := dial(t, newBoard(set...).find, "test:///orders", grpcresolver.BuilderServiceConfig(`{"loadBalancingConfig":7}`))
		c.fails("the service configuration")
	})
}

func TestAnIdleConnectionWatchesNothing(t *testing.T) {
	t.Parallel()
	s := startServers(t, 1)
	b := newBoard(s[0].instance())
	c := dial(t, b.find, "test:///orders", grpc.WithIdleTimeout(100*time.Millisecond))
	if n := b.watches.Load(); n != 0 {
		t.Errorf("want no watch before the first call, have %d", n)
	}
	for n := int32(1); n <= 3; n++ {
		c.until(s[0])
		if have := b.watches.Load(); have < n {
			t.Errorf("want watch %d, have %d", n, have)
		}
		for state := c.GetState(); state != connectivity.Idle; state = c.GetState() {
			if !c.WaitForStateChange(t.Context(), state) {
				t.Fatal("want the connection to become idle")
			}
		}
		for deadline := time.Now().Add(patience); b.ended.Load() < b.watches.Load(); <-time.After(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("of %d watches %d have ended", b.watches.Load(), b.ended.Load())
			}
		}
	}
}

func TestClosingWhileSetsChange(t *testing.T) {
	t.Parallel()
	s := startServers(t, 3)
	b := newBoard(instances(s)...)
	stop, changing := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(changing)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Microsecond):
				b.set(instances(s[n%3:])...)
				b.fail(errAway)
			}
		}
	}()
	for range 50 {
		c := dial(t, b.find, "test:///orders", roundRobin())
		if _, err := c.call(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-changing
	if ended, watches := b.ended.Load(), b.watches.Load(); watches < 50 || ended < watches-50 {
		t.Errorf("of %d watches %d have ended", watches, ended)
	}
}
