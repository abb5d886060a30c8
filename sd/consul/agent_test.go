package consul_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// These share an agent, each with services of its own.
func TestWithAnAgent(t *testing.T) {
	t.Parallel()
	agent := testserver.StartConsul(t)
	for name, test := range map[string]func(*testing.T, *api.Client){
		"instances come back as they were":                   comeBack,
		"an ID belongs to its service":                       idsOfServices,
		"an empty set is reported at once, and after others": emptySets,
		"tags select":                           tagsSelect,
		"services of others are instances":      foreign,
		"bad entries are reported and left out": badEntries,
		"the newest of two with one ID counts":  oneIDTwice,
		"what was replaced withdraws nothing":   replaced,
		"one that is not alive leaves the set":  expiry,
		"one that is alive stays":               alive,
		"one that was deleted comes back":       deleted,
		"the agent is told how":                 checkOfAgent,
		"the end of the context deregisters":    endOfContext,
		"what Consul refuses is refused before": limits,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newClient(t, agent.Address))
		})
	}
}

func comeBack(t *testing.T, client *api.Client) {
	t.Helper()
	registrar := newRegistrar(t, client, "all")
	events := watchtest.Start(t, newInstancer(t, client, "all"))
	want := sd.Normalize([]sd.Instance{
		{Address: "10.0.0.1:8080"},
		{ID: "a/../b %25?#é", Address: "[::1]:443", Weight: 1},
		{ID: "..", Address: "[fe80::1%eth0]:80", Weight: sd.MaxWeight},
		{ID: "url", Address: "https://example.com:8443/path", Zone: "zone 1", Version: "v1.2.3+é"},
		{ID: "named", Address: "host:http", Tags: []string{"green", "Blue", "a, b"}},
		{ID: "subject", Address: "orders.place", Metadata: map[string]string{"owner": " Jö\n", "empty": "", "a_B-3": strings.Repeat("x", 512)}},
	})
	ids := make([]string, 0, len(want))
	for _, instance := range want {
		watchtest.Register(t, registrar, instance)
		ids = append(ids, instance.ID)
	}
	have := events.AwaitIDs(ids...)
	for n := range want {
		if !want[n].Equal(have[n]) {
			t.Errorf("want %#v, have %#v", want[n], have[n])
		}
	}
}

func idsOfServices(t *testing.T, client *api.Client) {
	t.Helper()
	instance := sd.Instance{Address: "10.0.0.1:80"}
	one, two := watchtest.Start(t, newInstancer(t, client, "one")), watchtest.Start(t, newInstancer(t, client, "two"))
	withdraw := watchtest.Register(t, newRegistrar(t, client, "one"), instance)
	one.AwaitIDs(instance.Address)
	watchtest.Register(t, newRegistrar(t, client, "two"), instance)
	two.AwaitIDs(instance.Address)
	withdraw()
	withdraw() // twice is harmless
	one.AwaitIDs()
	if set := firstSet(t, newInstancer(t, client, "two")); len(set) != 1 {
		t.Errorf("want one instance in the other service, have %v", set)
	}
}

// firstSet returns the first that a new watch yields.
func firstSet(t *testing.T, instancer sd.Instancer) []sd.Instance {
	t.Helper()
	for set, err := range instancer.Watch(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	return nil
}

func emptySets(t *testing.T, client *api.Client) {
	t.Helper()
	instancer := newInstancer(t, client, "empty")
	events := watchtest.Start(t, instancer)
	if first := events.Await("a set", func(watchtest.Event) bool { return true }); first.Err != nil || first.Set == nil || len(first.Set) > 0 {
		t.Errorf("want an empty set, have %v, %v", first.Set, first.Err)
	}
	withdraw := watchtest.Register(t, newRegistrar(t, client, "empty"), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	withdraw()
	events.AwaitIDs()
}

func tagsSelect(t *testing.T, client *api.Client) {
	t.Helper()
	registrar := newRegistrar(t, client, "tagged")
	events := watchtest.Start(t, newInstancer(t, client, "tagged", consul.InstancerTags("a"), consul.InstancerTags("b")))
	for id, tags := range map[string][]string{"a": {"a"}, "b": {"b", "c"}, "both": {"b", "a"}, "none": nil} {
		watchtest.Register(t, registrar, sd.Instance{ID: id, Address: id + ":80", Tags: tags})
	}
	events.AwaitIDs("both")
}

func foreign(t *testing.T, client *api.Client) {
	t.Helper()
	put(t, client, &api.AgentServiceRegistration{
		Name: "foreign", Port: 80, Tags: []string{"x"}, Weights: &api.AgentWeights{Passing: 7, Warning: 1},
		Meta: map[string]string{"zone": "north", "version": "2", "team": "red"},
	})
	put(t, client, &api.AgentServiceRegistration{Name: "foreign", ID: "v6", Address: "::1", Port: 81})
	have := watchtest.Start(t, newInstancer(t, client, "foreign")).AwaitIDs("test/foreign", "test/v6")
	want := []sd.Instance{
		{
			ID: "test/foreign", Address: "127.0.0.1:80", Weight: 7, Zone: "north", Version: "2", Tags: []string{"x"},
			Metadata: map[string]string{"team": "red"},
		},
		{ID: "test/v6", Address: "[::1]:81"},
	}
	if !sd.Same(want, have) {
		t.Errorf("want %#v, have %#v", want, have)
	}
}

// put registers a service as others do, without this package.
func put(t *testing.T, client *api.Client, service *api.AgentServiceRegistration) {
	t.Helper()
	if err := client.Agent().ServiceRegister(service); err != nil {
		t.Fatal(err)
	}
}

func badEntries(t *testing.T, client *api.Client) {
	t.Helper()
	put(t, client, &api.AgentServiceRegistration{Name: "bad", ID: "bad", Port: 80, Tags: []string{""}})
	watchtest.Register(t, newRegistrar(t, client, "bad"), sd.Instance{ID: "good", Address: "10.0.0.1:80"})
	events := watchtest.Start(t, newInstancer(t, client, "bad"))
	events.Await("an *sd.InvalidError that names the entry", func(e watchtest.Event) bool {
		var invalid *sd.InvalidError
		return errors.As(e.Err, &invalid) && invalid.Entry == "bad test/bad"
	})
	events.AwaitIDs("good")
}

func oneIDTwice(t *testing.T, client *api.Client) {
	t.Helper()
	registrar := newRegistrar(t, client, "twice")
	instance := sd.Instance{ID: "1", Address: "10.0.0.1:80", Version: "old"}
	watchtest.Register(t, registrar, instance)
	events := watchtest.Start(t, newInstancer(t, client, "twice"))
	events.AwaitIDs("1")
	// Another agent has one of the same ID.
	write := &api.CatalogRegistration{
		Node: "another", Address: "127.0.0.2", SkipNodeUpdate: false,
		Service: &api.AgentService{ID: "x", Service: "twice", Address: "10.0.0.2", Port: 80, Meta: map[string]string{"ashlar-id": "1", "version": "new"}},
	}
	if _, err := client.Catalog().Register(write, nil); err != nil {
		t.Fatal(err)
	}
	events.Await("the new one", func(e watchtest.Event) bool {
		return len(e.Set) == 1 && e.Set[0].Version == "new" && e.Set[0].Address == "10.0.0.2:80"
	})
	// Registering the first again, at the first agent, replaces it there.
	instance.Version = "newest"
	watchtest.Register(t, registrar, instance)
	events.Await("the newest one", func(e watchtest.Event) bool { return len(e.Set) == 1 && e.Set[0].Version == "newest" })
}

func replaced(t *testing.T, client *api.Client) {
	t.Helper()
	registrar := newRegistrar(t, client, "replaced")
	events := watchtest.Start(t, newInstancer(t, client, "replaced"))
	withdraw := watchtest.Register(t, registrar, sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	reports := make(chan error, 100)
	report := consul.RegistrarOnError(func(err error) { reports <- err })
	middle := watchtest.Register(t, newRegistrar(t, client, "replaced", report), sd.Instance{ID: "1", Address: "10.0.0.3:80"})
	newest := watchtest.Register(t, newRegistrar(t, client, "replaced"), sd.Instance{ID: "1", Address: "10.0.0.2:80"})
	events.Await("the new one", func(e watchtest.Event) bool { return len(e.Set) == 1 && e.Set[0].Address == "10.0.0.2:80" })
	if err := <-reports; !errors.Is(err, sd.ErrReplaced) {
		t.Errorf("want %v, have %v", sd.ErrReplaced, err)
	}
	if err := client.Agent().ServiceDeregister("replaced:1"); err != nil { // the agent has lost all of them
		t.Fatal(err)
	}
	events.AwaitIDs()
	at := func(address string) {
		t.Helper()
		events.Await(address, func(e watchtest.Event) bool { return len(e.Set) == 1 && e.Set[0].Address == address })
	}
	at("10.0.0.2:80") // whichever is faster, the newest takes its place again
	quiet := time.NewTimer(3 * time.Second)
	defer quiet.Stop()
	<-quiet.C // in which the others look
	withdraw()
	if service, _, err := client.Agent().Service("replaced:1", nil); err != nil || service.Address != "10.0.0.2" {
		t.Errorf("want the new one to stay, have %+v, %v", service, err)
	}
	newest()
	at("10.0.0.3:80") // what was replaced is back
	middle()
	events.AwaitIDs()
}

func expiry(t *testing.T, client *api.Client) {
	t.Helper()
	put(t, client, &api.AgentServiceRegistration{
		Name: "expiry", ID: "1", Port: 80,
		Check: &api.AgentServiceCheck{TTL: "2s", Status: api.HealthPassing},
	})
	events := watchtest.Start(t, newInstancer(t, client, "expiry"))
	events.AwaitIDs("test/1")
	events.AwaitIDs()
}

func alive(t *testing.T, client *api.Client) {
	t.Helper()
	const ttl = 2 * time.Second
	events := watchtest.Start(t, newInstancer(t, client, "alive"))
	watchtest.Register(t, newRegistrar(t, client, "alive", consul.RegistrarTTL(ttl)), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	select {
	case e := <-events.Events():
		t.Errorf("want no change, have %v, %v", e.Set, e.Err)
	case <-time.After(3 * ttl):
	}
}

func deleted(t *testing.T, client *api.Client) {
	t.Helper()
	reports := make(chan error, 1)
	report := func(err error) {
		select {
		case reports <- err:
		default:
		}
	}
	events := watchtest.Start(t, newInstancer(t, client, "deleted"))
	watchtest.Register(t, newRegistrar(t, client, "deleted", consul.RegistrarOnError(report)), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	if err := client.Agent().ServiceDeregister("deleted:1"); err != nil {
		t.Fatal(err)
	}
	events.AwaitIDs()
	events.AwaitIDs("1")
	if err := <-reports; !strings.Contains(err.Error(), "the agent has lost deleted:1") {
		t.Errorf("want a report of what was lost, have %v", err)
	}
}

func checkOfAgent(t *testing.T, client *api.Client) {
	t.Helper()
	watchtest.Register(t, newRegistrar(t, client, "told", consul.RegistrarDeregisterAfter(time.Hour)), sd.Instance{ID: "1", Address: "10.0.0.1:80", Weight: 5})
	service, _, err := client.Agent().Service("told:1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if service.Weights.Passing != 5 || service.Address != "10.0.0.1" || service.Port != 80 {
		t.Errorf("want Consul's own fields to be used, have %+v", service)
	}
	checks, err := client.Agent().ChecksWithFilter(`ServiceName == "told"`)
	check := checks["service:told:1"]
	if err != nil || check == nil || check.Type != "ttl" || check.Status != api.HealthPassing {
		t.Errorf("want a TTL check that passes, have %+v, %v", checks, err)
	}
}

func endOfContext(t *testing.T, client *api.Client) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	deregister, err := newRegistrar(t, client, "ended").Register(ctx, sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	if err != nil {
		t.Fatal(err)
	}
	events := watchtest.Start(t, newInstancer(t, client, "ended"))
	events.AwaitIDs("1")
	cancel()
	events.AwaitIDs()
	for range 2 {
		if err := deregister(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("want nothing left to do, have %v", err)
		}
	}
	if services, err := client.Agent().ServicesWithFilter(`Service == "ended"`); err != nil || len(services) > 0 {
		t.Errorf("want none at the agent, have %v, %v", slices.Collect(func(yield func(string) bool) {
			for id := range services {
				yield(id)
			}
		}), err)
	}
}
