package natskv_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/natskv"
)

func TestAnOutageThatIsLongerThanEntriesLiveLosesNobody(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	makeBucket(t, js, 1)
	register(t, connect(t, server.URL), sd.Instance{Address: "10.0.0.1:80"}, natskv.RegistrarTTL(time.Second))
	register(t, js, sd.Instance{Address: "10.0.0.2:80"}, natskv.RegistrarTTL(time.Second))
	w := watchtest.Start(t, newInstancer(t, js, natskv.InstancerGrace(6*time.Second)))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80", "10.0.0.2:80")
	server.Stop()
	over := time.NewTimer(4 * time.Second)
	t.Log(w.Fails())
	<-over.C
	server.Start()
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80", "10.0.0.2:80")
	begun := watchtest.Start(t, newInstancer(t, js)) // which has no memory, and sees when they are written again
	for set := begun.Back(); len(set) < 2; set = begun.Back() {
		t.Log(set)
	}
	register(t, js, sd.Instance{Address: "10.0.0.3:80"})
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
}

func TestWhoHasDiedInAnOutageGoesSoonAfterwards(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js, dying := connect(t, server.URL), connect(t, server.URL)
	makeBucket(t, js, 1)
	register(t, js, sd.Instance{Address: "10.0.0.1:80"}, natskv.RegistrarTTL(time.Second))
	if _, err := newRegistrar(t, dying, natskv.RegistrarTTL(time.Second)).Register(t.Context(), sd.Instance{Address: "10.0.0.2:80"}); err != nil {
		t.Fatal(err)
	}
	w := watchtest.Start(t, newInstancer(t, js, natskv.InstancerGrace(4*time.Second)))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80", "10.0.0.2:80")
	server.Kill()
	dying.Conn().Close()
	over := time.NewTimer(2 * time.Second)
	t.Log(w.Fails())
	<-over.C
	server.Start()
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80", "10.0.0.2:80")
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80")
}

func TestABucketThatIsMadeAnewIsFilledAgain(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	makeBucket(t, js, 1)
	for n := range 3 { // so that the sequences differ
		register(t, js, sd.Instance{Address: fmt.Sprintf("10.0.0.%d:80", n)}, natskv.RegistrarTTL(3*time.Second))
	}
	w := watchtest.Start(t, newInstancer(t, js))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.0:80", "10.0.0.1:80", "10.0.0.2:80")
	if err := js.DeleteKeyValue(t.Context(), bucketName); err != nil {
		t.Fatal(err)
	}
	t.Log(w.Fails())
	makeBucket(t, js, 1)
	watchtest.WantAddresses(t, w.Back(), "10.0.0.0:80", "10.0.0.1:80", "10.0.0.2:80") // though it is empty, for a moment
	late := register(t, js, sd.Instance{Address: "10.0.0.3:80"})
	watchtest.WantAddresses(t, w.Back(), "10.0.0.0:80", "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
	late()
	watchtest.WantAddresses(t, w.Back(), "10.0.0.0:80", "10.0.0.1:80", "10.0.0.2:80")
	begun := watchtest.Start(t, newInstancer(t, js)) // which has no memory
	for set := begun.Back(); len(set) < 3; set = begun.Back() {
		t.Log(set)
	}
}

func TestWhatABucketHadThatIsGoneIsWithdrawn(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	makeBucket(t, js, 1)
	deregister := register(t, js, sd.Instance{Address: "10.0.0.1:80"})
	if err := js.DeleteKeyValue(t.Context(), bucketName); err != nil {
		t.Fatal(err)
	}
	deregister()
}

func TestARegistrarMakesTheBucket(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	config := natskv.Bucket("the name is ignored")
	config.Storage = jetstream.MemoryStorage
	register(t, js, sd.Instance{Address: "10.0.0.1:80"}, natskv.RegistrarCreate(config))
	w := watchtest.Start(t, newInstancer(t, js))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	server.Stop()
	server.Start() // without the bucket
	t.Log(w.Fails())
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80")
	watchtest.WantAddresses(t, watchtest.Start(t, newInstancer(t, js)).Back(), "10.0.0.1:80")
}

func TestNATSThatHangsIsAnError(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	makeBucket(t, js, 1)
	failed := make(chan error, 1000)
	register(t, connect(t, server.URL), sd.Instance{Address: "10.0.0.1:80"}, natskv.RegistrarTTL(3*time.Second),
		natskv.RegistrarOnError(func(err error) { failed <- err }))
	i := newInstancer(t, js)
	w := watchtest.Start(t, i)
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	server.Suspend()
	began := time.Now()
	t.Log(w.Fails())
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("want an error after 2 s, have it after %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began = time.Now()
	for set, err := range i.Watch(ctx) {
		t.Errorf("want nothing, have %v, %v", set, err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("want an end after 200 ms, have it after %v", took)
	}
	began = time.Now()
	if _, err := newRegistrar(t, js).Register(t.Context(), sd.Instance{Address: "10.0.0.2:80"}); err == nil {
		t.Error("want an error of Register")
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("want an error within the limits of 10 and 5 s, have it after %v", took)
	}
	select {
	case err := <-failed:
		t.Log(err)
	case <-time.After(patience):
		t.Error("want the hook to be told")
	}
	server.Resume()
	watchtest.WantAddresses(t, w.Back(), "10.0.0.1:80") // and not what could not be registered
	register(t, js, sd.Instance{Address: "10.0.0.3:80"})
	for set := w.Back(); len(set) != 2 || !strings.HasPrefix(set[1].Address, "10.0.0.3"); set = w.Back() {
		t.Log(set)
	}
}

func TestAClusterThatLosesAServerLosesNobody(t *testing.T) {
	t.Parallel()
	servers := testserver.StartNATSCluster(t, 3)
	urls := servers[0].URL + "," + servers[1].URL + "," + servers[2].URL
	at := func(n int) jetstream.JetStream {
		t.Helper()
		return connect(t, servers[n].URL+","+urls, nats.DontRandomize())
	}
	makeBucket(t, at(0), 3)
	want := []string{"10.0.0.0:80", "10.0.0.1:80", "10.0.0.2:80"}
	for n := range servers {
		t.Cleanup(registerPatiently(t, at(n), want[n])) // by a server that may not know of the bucket yet
	}
	var all []*watchtest.Watch
	for n := range servers {
		w := watchtest.Start(t, newInstancer(t, at(n)))
		watchtest.WantAddresses(t, w.Set(), want...)
		all = append(all, w)
	}
	for _, s := range servers { // one of them leads the bucket, and one has the consumer of each watch
		s.Kill()
		added := "10.0.1." + s.URL[len(s.URL)-2:] + ":80"
		deregister := registerPatiently(t, at(0), added)
		for n, w := range all {
			until(t, fmt.Sprintf("watch %d", n), w, want, added)
		}
		deregister()
		for n, w := range all {
			until(t, fmt.Sprintf("watch %d", n), w, want, "")
		}
		s.Start()
	}
}

// registerPatiently registers an instance while a cluster looks for a leader.
func registerPatiently(t *testing.T, js jetstream.JetStream, address string) (deregister func()) {
	t.Helper()
	limit := time.Now().Add(patience)
	for {
		f, err := newRegistrar(t, js).Register(context.Background(), sd.Instance{Address: address})
		if err == nil {
			return func() {
				t.Helper()
				for err := f(context.Background()); err != nil; err = f(context.Background()) {
					t.Log(err)
					if time.Now().After(limit.Add(patience)) {
						t.Fatal(err)
					}
				}
			}
		}
		if t.Log(err); time.Now().After(limit) {
			t.Fatal(err)
		}
	}
}

// until waits for the set of those that are wanted, and one more if it is not empty. In each set before it they are all there.
func until(t *testing.T, name string, w *watchtest.Watch, want []string, more string) {
	t.Helper()
	for {
		set := w.Back()
		have := make(map[string]bool, len(set))
		for _, i := range set {
			have[i.Address] = true
		}
		for _, address := range want {
			if !have[address] {
				t.Errorf("%s: %s is missing from %v", name, address, set)
			}
		}
		if len(set) == len(want) && more == "" || len(set) == len(want)+1 && have[more] {
			return
		}
	}
}
