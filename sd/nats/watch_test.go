package natsdiscovery_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/nats"
)

func TestInstancesComeAndGoWithoutWaitingForARound(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	w := watchtest.Start(t, newInstancer(t, nc, rarely()))
	watchtest.WantAddresses(t, w.Set())
	one := register(t, connect(t, server.URL), sd.Instance{Address: "10.0.0.1:80"})
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	register(t, nc, sd.Instance{Address: "[2001:db8::1]:80"})
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80", "[2001:db8::1]:80")
	one()
	watchtest.WantAddresses(t, w.Set(), "[2001:db8::1]:80")
	one() // twice is harmless
	w.Quiet()
}

func TestAnInstanceThatCrashesIsMissedInAFewRounds(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc, crashing := connect(t, server.URL), connect(t, server.URL)
	register(t, nc, sd.Instance{Address: "10.0.0.1:80"})
	register(t, crashing, sd.Instance{Address: "10.0.0.2:80"})
	var rounds atomic.Int64
	if _, err := nc.Subscribe("$SRV.INFO."+service, func(*nats.Msg) { rounds.Add(1) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	w := watchtest.Start(t, newInstancer(t, nc, often(), natsdiscovery.InstancerMisses(4)))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80", "10.0.0.2:80")
	before := rounds.Load()
	crashing.Close()
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	if took := rounds.Load() - before; took < 4 {
		t.Errorf("want it missed after 4 rounds, have it after %d", took)
	}
}

func TestRoundsAreAsFarApartAsIsSaid(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	asked := make(chan time.Time, 100)
	if _, err := nc.Subscribe("$SRV.INFO."+service, func(*nats.Msg) { asked <- time.Now() }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	w := watchtest.Start(t, newInstancer(t, nc, natsdiscovery.InstancerInterval(400*time.Millisecond), natsdiscovery.InstancerWindow(100*time.Millisecond)))
	watchtest.WantAddresses(t, w.Set())
	for range 50 { // which say nothing new, and hasten nothing
		if err := nc.Publish(natsdiscovery.Subject(service), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	last := <-asked
	for range 4 {
		next := <-asked
		if gap := next.Sub(last); gap < 250*time.Millisecond || gap > patience {
			t.Errorf("want 300 to 500 ms between two rounds, have %v", gap)
		}
		last = next
	}
}

func TestTheLastSetStaysWhileNATSHangs(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	failed := make(chan error, 1000)
	register(t, connect(t, server.URL), sd.Instance{Address: "10.0.0.1:80"}, natsdiscovery.RegistrarOnError(func(err error) { failed <- err }))
	i := newInstancer(t, nc, natsdiscovery.InstancerInterval(400*time.Millisecond), natsdiscovery.InstancerWindow(200*time.Millisecond))
	w := watchtest.Start(t, i)
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")

	server.Suspend()
	if err := w.Fails(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want that NATS does not answer in time, have %v", err)
	}
	begun := watchtest.Start(t, i)
	t.Log(begun.Fails())
	r, err := natsdiscovery.NewRegistrar(nc, service)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := r.Register(t.Context(), sd.Instance{Address: "10.0.0.2:80"}); err == nil {
		t.Error("want an error of Register")
	}
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("want an error within the limit, have it after %v", took)
	}
	server.Resume()
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80")
	watchtest.WantAddresses(t, begun.Back(), "10.0.0.1:80")

	server.Stop()
	select {
	case err := <-failed:
		t.Log(err)
	case <-time.After(patience):
		t.Error("want the hook to be told of the lost connection")
	}
	t.Log(w.Fails())
	server.Start()
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80")
}

func TestAClusterFindsWhatIsAtItsOtherServers(t *testing.T) {
	t.Parallel()
	servers := testserver.StartNATSCluster(t, 3)
	urls := servers[0].URL + "," + servers[1].URL + "," + servers[2].URL
	at := func(n int) *nats.Conn { // of those that it learns of later, it takes any
		t.Helper()
		return connect(t, servers[n].URL+","+urls, nats.DontRandomize())
	}
	for n := range servers {
		register(t, at(n), sd.Instance{Address: []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"}[n]})
	}
	w := watchtest.Start(t, newInstancer(t, at(0)))
	for set := w.Back(); len(set) < len(servers); set = w.Back() { // of the servers, some are still to hear of the newest
		t.Log(set)
	}
	servers[1].Kill() // the instance there goes on at another
	servers[0].Kill() // and so does the watch
	for {
		e := w.Next()
		if e.Err == nil {
			watchtest.WantAddresses(t, e.Set, "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
			break
		}
	}
	late := register(t, at(2), sd.Instance{Address: "10.0.0.4:80"})
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80")
	late()
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
}

func TestAClosedConnectionIsAnError(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	r, err := natsdiscovery.NewRegistrar(nc, service)
	if err != nil {
		t.Fatal(err)
	}
	deregister, err := r.Register(t.Context(), sd.Instance{Address: "10.0.0.1:80"})
	if err != nil {
		t.Fatal(err)
	}
	w := watchtest.Start(t, newInstancer(t, nc, often()))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	nc.Close()
	if err := w.Fails(); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("want %v, have %v", nats.ErrConnectionClosed, err)
	}
	if err := deregister(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := r.Register(t.Context(), sd.Instance{Address: "10.0.0.1:80"}); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("want %v, have %v", nats.ErrConnectionClosed, err)
	}
}

func TestNobodyIsMissedWhileNATSHangsForAMoment(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	register(t, connect(t, server.URL), sd.Instance{Address: "10.0.0.1:80"})
	w := watchtest.Start(t, newInstancer(t, connect(t, server.URL), natsdiscovery.InstancerInterval(2*time.Second),
		natsdiscovery.InstancerWindow(time.Second), natsdiscovery.InstancerMisses(1)))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	for range 3 {
		server.Suspend()
		<-time.After(2500 * time.Millisecond) // for most of which a question waits, and less than what is an error
		server.Resume()
		<-time.After(1500 * time.Millisecond)
	}
	w.Quiet()
}
