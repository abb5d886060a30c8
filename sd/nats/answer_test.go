package natsdiscovery_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/nats"
	"github.com/ashlar-go/ashlar/transport/nats"
)

var place = endpoint.Spec{Service: service, Method: "Place"}

// serve serves an operation as natstransport does, under the prefix if there is one.
func serve(t *testing.T, nc *nats.Conn, prefix string, metadata map[string]string) *natstransport.Service {
	t.Helper()
	work := func(context.Context, string) (string, error) { return prefix, nil }
	servers := []*natstransport.Server{natstransport.NewServer(place, work)}
	if prefix != "" {
		servers = append(servers, natstransport.NewServer(place, work, natstransport.ServerPrefix(prefix)))
	}
	s, err := natstransport.Serve(nc, service, "1.4.0", servers, natstransport.ServiceMetadata(metadata))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(context.Background()) })
	return s
}

func TestServicesOverNATSAreFoundByTheirPrefixes(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	one := serve(t, nc, "orders-1", map[string]string{"owner": "Team A", natsdiscovery.KeyZone: "eu-1", natsdiscovery.KeyWeight: "7", natsdiscovery.KeyTags: `["b","a"]`})
	two := serve(t, nc, "orders-2", nil)
	w := watchtest.Start(t, newInstancer(t, nc, often()))
	set := w.Set()
	want := sd.Normalize([]sd.Instance{
		{ID: one.ID(), Address: "orders-1", Weight: 7, Zone: "eu-1", Version: "1.4.0", Tags: []string{"a", "b"}, Metadata: map[string]string{"owner": "Team A"}},
		{ID: two.ID(), Address: "orders-2", Version: "1.4.0"},
	})
	if !sd.Same(want, set) {
		t.Errorf("want %v, have %v", want, set)
	}
	conn, err := natstransport.NewConn(nc)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	dial, err := natstransport.Dialer(conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range set {
		at, err := dial(t.Context(), i.Address)
		if err != nil {
			t.Fatal(err)
		}
		call, err := natstransport.NewClient[string, string](place.Client(), at)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if have, err := call(ctx, ""); err != nil || have != i.Address {
			t.Errorf("want an answer of %s, have %s, %v", i.Address, have, err)
		}
		cancel()
	}
	if err := one.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	watchtest.WantAddresses(t, w.Set(), "orders-2")
}

func TestAServiceThatCannotBeCalledByItselfIsNoInstance(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	shared := serve(t, nc, "", nil)
	announced := serve(t, nc, "", map[string]string{natsdiscovery.KeyAddress: "10.0.0.1:80", natsdiscovery.KeyID: "a"})
	w := watchtest.Start(t, newInstancer(t, nc, often()))
	if err := w.Fails(); !strings.Contains(err.Error(), shared.ID()) || !strings.Contains(err.Error(), "ServerPrefix") {
		t.Errorf("want an error that names the entry %s and what to do, have %v", shared.ID(), err)
	}
	set := w.Set()
	watchtest.WantAddresses(t, set, "10.0.0.1:80")
	if len(set) == 1 && set[0].ID != "a" {
		t.Errorf("want the announced ID, have %v and not %s", set, announced.ID())
	}
}

func TestMicroServicesOfOthersAreFound(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	s, err := micro.AddService(nc, micro.Config{Name: service, Version: "2.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop() //nolint:errcheck // with the connection
	if err := s.AddGroup("zone.one").AddEndpoint("add", micro.HandlerFunc(func(r micro.Request) { _ = r.Respond(nil) })); err != nil {
		t.Fatal(err)
	}
	set := watchtest.Start(t, newInstancer(t, nc, often())).Set()
	want := []sd.Instance{{ID: s.Info().ID, Address: "zone.one", Version: "2.0.0"}}
	if !sd.Same(want, set) {
		t.Errorf("want %v, have %v", want, set)
	}
}

func TestTheCommandLineSeesWhatIsAnnounced(t *testing.T) {
	t.Parallel()
	program := testserver.Program(t, "nats")
	server := testserver.StartNATS(t)
	register(t, connect(t, server.URL), sd.Instance{Address: "10.0.0.1:80", Version: "v1.2.3", Metadata: map[string]string{"owner": "Team A"}})
	for command, want := range map[string][]string{
		"ls":         {service, "1.2.3", "announces 10.0.0.1:80"},
		"info":       {"ashlar.address: 10.0.0.1:80", "owner: Team A"},
		"ping":       {service},
		"stats":      {service},
		"ls missing": {"no service instances"},
	} {
		args := append([]string{"--server", server.URL, "micro"}, strings.Fields(command)...)
		if command != "ls" && command != "ping" && command != "ls missing" {
			args = append(args, service)
		}
		text, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("nats micro %s: want %q, have %v\n%s", command, w, err, text)
			}
		}
	}
}

func TestAnswersThatAreNoneAreInvalid(t *testing.T) {
	t.Parallel()
	valid := func(change func(i *micro.Info)) []byte {
		i := micro.Info{
			ServiceIdentity: micro.ServiceIdentity{Name: service, ID: "m1", Version: "1.0.0", Metadata: map[string]string{natsdiscovery.KeyAddress: "a:1"}},
			Type:            micro.InfoResponseType,
		}
		change(&i)
		text, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	with := func(key, value string) []byte { return valid(func(i *micro.Info) { i.Metadata[key] = value }) }
	ends := func(subjects ...string) []byte {
		return valid(func(i *micro.Info) {
			delete(i.Metadata, natsdiscovery.KeyAddress)
			for _, s := range subjects {
				i.Endpoints = append(i.Endpoints, micro.EndpointInfo{Name: "add", Subject: s})
			}
		})
	}
	if set, invalid := natsdiscovery.Answer(service, valid(func(*micro.Info) {})); len(set) != 1 || len(invalid) > 0 {
		t.Errorf("want an instance, have %v, %v", set, invalid)
	}
	for text, data := range map[string][]byte{
		"none of a micro service": []byte("{"),
		"more than 65536":         make([]byte, natsdiscovery.MaxAnswer+1),
		`want one of orders`:      valid(func(i *micro.Info) { i.Name = "other" }),
		`the id ""`:               valid(func(i *micro.Info) { i.ID = "" }),
		"has the type":            valid(func(i *micro.Info) { i.Type = micro.PingResponseType }),
		"want a number":           with(natsdiscovery.KeyWeight, "heavy"),
		"the weight is -1":        with(natsdiscovery.KeyWeight, "-1"),
		"an array of texts":       with(natsdiscovery.KeyTags, "a,b"),
		"RFC 3339":                with(natsdiscovery.KeySince, "yesterday"),
		"has control characters":  with(natsdiscovery.KeyZone, "a\nb"),
		"no endpoint of its own":  ends("add"),
		"no ashlar.address":       ends(),
		"the prefixes a and b":    ends("a.add", "a.add", "b.add"),
	} {
		set, invalid := natsdiscovery.Answer(service, data)
		if len(set) > 0 || len(invalid) != 1 || !strings.Contains(invalid[0].Error(), text) || !strings.Contains(invalid[0].Entry, service) {
			t.Errorf("want no instance and an error with %q, have %v and %v", text, set, invalid)
		}
	}
}

func TestAnAnswerThatIsLateBringsNobodyBack(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	said := make(chan []byte, 10)
	if _, err := nc.Subscribe(natsdiscovery.Subject(service), func(m *nats.Msg) { said <- m.Data }); err != nil {
		t.Fatal(err)
	}
	w := watchtest.Start(t, newInstancer(t, nc, rarely()))
	watchtest.WantAddresses(t, w.Set())
	deregister := register(t, connect(t, server.URL), sd.Instance{Address: "10.0.0.1:80"})
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	answer := <-said
	deregister()
	watchtest.WantAddresses(t, w.Set())
	if err := nc.Publish(natsdiscovery.Subject(service), answer); err != nil {
		t.Fatal(err)
	}
	register(t, nc, sd.Instance{Address: "10.0.0.2:80"})
	watchtest.WantAddresses(t, w.Set(), "10.0.0.2:80")
}

func TestOfTwoWithOneIDTheNewestCountsUntilItGoes(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	w := watchtest.Start(t, newInstancer(t, nc, often()))
	watchtest.WantAddresses(t, w.Set())
	old := register(t, nc, sd.Instance{ID: "a", Address: "10.0.0.1:80"})
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	newer := register(t, connect(t, server.URL), sd.Instance{ID: "a", Address: "10.0.0.2:80"})
	watchtest.WantAddresses(t, w.Set(), "10.0.0.2:80")
	old()
	time.AfterFunc(300*time.Millisecond, newer) // after some rounds
	watchtest.WantAddresses(t, w.Set())
}
