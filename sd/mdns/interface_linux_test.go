package mdns_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/mdns"
)

// notTested skips the test, which is a failure in continuous integration.
func notTested(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip("*** not tested: " + why)
}

// needs skips the test where a program is missing.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") // where Debian has servers
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			notTested(t, name+" is missing; see APT in the Makefile")
		}
	}
}

// addInterface makes an interface that does multicast, until the test ends or remove is called.
func addInterface(t *testing.T, name, address string) (remove func()) {
	t.Helper()
	if os.Getenv(isolatedBy) == "" {
		notTested(t, "the tests have no network of their own, to which they could add interfaces")
	}
	needs(t, "ip")
	peer := name + "p"
	for _, args := range []string{
		"link add " + name + " type veth peer name " + peer, "addr add " + address + " dev " + name, "link set " + name + " up", "link set " + peer + " up",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	remove = func() { _ = exec.Command("ip", "link", "del", name).Run() } // it may be gone
	t.Cleanup(remove)
	return remove
}

// TestInterfacesComeAndGo does not run beside other tests: it changes the interfaces.
func TestInterfacesComeAndGo(t *testing.T) { //nolint:paralleltest // see above
	name, link := service(), "late0"
	w := watchOn(t, name, mdns.InstancerInterfaces(link))
	w.AwaitError("late0 is not there")

	remove := addInterface(t, link, "198.51.100.2/24")
	r, err := mdns.NewRegistrar(name) // on all
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"198.51.100.2:80", "127.0.0.1:80", "localhost:80", "[::1]:80"} { // of which others can call the first
		deregister, err := r.Register(t.Context(), sd.Instance{Address: address})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := deregister(context.Background()); err != nil {
				t.Error(err)
			}
		}()
	}
	w.AwaitAddresses("198.51.100.2:80")
	all := watchOn(t, name)
	all.AwaitAddresses("127.0.0.1:80", "198.51.100.2:80", "[::1]:80", "localhost:80")

	remove()
	w.AwaitError("late0 is not there")
	addInterface(t, link, "198.51.100.2/24")
	w.AwaitAddresses("198.51.100.2:80")
	for len(w.Events()) > 0 {
		if e := w.Next(); e.Err == nil {
			t.Errorf("want no other set, have %v", e.Set)
		}
	}

	other, err := mdns.NewRegistrar(name, mdns.RegistrarInterfaces(link))
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Register(t.Context(), sd.Instance{Address: "127.0.0.1:81"})
	if err == nil || !strings.Contains(err.Error(), "no interface is for it") {
		t.Errorf("want an error for an instance on loopback that is not announced there, have %v", err)
	}
}
