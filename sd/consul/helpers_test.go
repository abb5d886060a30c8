package consul_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
)

// patience is for what takes a moment, on a busy machine too.
const patience = 60 * time.Second

// newClient returns a client of the agent at the address, with connections of its own that end with the test.
func newClient(t *testing.T, address string) *api.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := api.NewClient(&api.Config{Address: address, HttpClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newInstancer(t *testing.T, client *api.Client, service string, opts ...consul.InstancerOption) *consul.Instancer {
	t.Helper()
	instancer, err := consul.NewInstancer(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return instancer
}

func newRegistrar(t *testing.T, client *api.Client, service string, opts ...consul.RegistrarOption) *consul.Registrar {
	t.Helper()
	opts = append([]consul.RegistrarOption{consul.RegistrarTTL(6 * time.Second)}, opts...)
	registrar, err := consul.NewRegistrar(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return registrar
}

// register registers an instance until the test ends, or the function that it returns is called.
func register(t *testing.T, registrar sd.Registrar, instance sd.Instance) (deregister func()) {
	t.Helper()
	f, err := registrar.Register(context.WithoutCancel(t.Context()), instance)
	if err != nil {
		t.Fatal(err)
	}
	deregister = sync.OnceFunc(func() {
		if err := f(context.WithoutCancel(t.Context())); err != nil {
			t.Logf("deregistering: %v", err)
		}
	})
	t.Cleanup(deregister)
	return deregister
}

// event is what a watch has yielded.
type event struct {
	set []sd.Instance
	err error
}

// watch runs a watch until the test ends, and returns what it yields.
func watch(t *testing.T, instancer sd.Instancer) <-chan event {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	events := make(chan event)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for set, err := range instancer.Watch(ctx) {
			select {
			case events <- event{set, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return events
}

// await returns the first event that is as wanted.
func await(t *testing.T, events <-chan event, what string, wanted func(event) bool) event {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	var last event
	for {
		select {
		case last = <-events:
			if wanted(last) {
				return last
			}
		case <-limit.C:
			t.Fatalf("want %s, have %v, %v last", what, last.set, last.err)
		}
	}
}

// awaitSet waits for a set with exactly these IDs.
func awaitSet(t *testing.T, events <-chan event, ids ...string) []sd.Instance {
	t.Helper()
	slices.Sort(ids)
	return await(t, events, "the set "+sentence(ids), func(e event) bool {
		return e.err == nil && slices.EqualFunc(e.set, ids, func(i sd.Instance, id string) bool { return i.ID == id })
	}).set
}

func sentence(ids []string) string {
	text := "of"
	for _, id := range ids {
		text += " " + id
	}
	return text
}

// awaitError waits for an error of the watch that has the text in it.
func awaitError(t *testing.T, events <-chan event, text string) {
	t.Helper()
	await(t, events, "an error with "+text, func(e event) bool { return e.err != nil && strings.Contains(e.err.Error(), text) })
}
