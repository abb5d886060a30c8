package eureka_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/http"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/eureka"
)

// patience is for what takes a moment, on a busy machine too.
const patience = 60 * time.Second

// newClient returns a client of the servers, with connections of its own that end with the test.
func newClient(t *testing.T, servers ...string) *eureka.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := eureka.NewClient(&http.Client{Transport: transport}, servers)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newInstancer(t *testing.T, client *eureka.Client, service string, opts ...eureka.InstancerOption) *eureka.Instancer {
	t.Helper()
	opts = append([]eureka.InstancerOption{eureka.InstancerInterval(200 * time.Millisecond)}, opts...)
	instancer, err := eureka.NewInstancer(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return instancer
}

func newRegistrar(t *testing.T, client *eureka.Client, service string, opts ...eureka.RegistrarOption) sd.Registrar {
	t.Helper()
	opts = append([]eureka.RegistrarOption{eureka.RegistrarTTL(3 * time.Second)}, opts...)
	registrar, err := eureka.NewRegistrar(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return track(t, registrar)
}

// tracked is a Registrar whose registrations the test waits for: what could not be withdrawn at first is tried again for a while, and
// needs the server.
type tracked struct {
	sd.Registrar

	name string // of its own
}

// track returns the Registrar as one that is waited for before the servers are stopped that were started before.
func track(t *testing.T, registrar sd.Registrar) sd.Registrar {
	t.Helper()
	r := tracked{registrar, rand.Text()}
	t.Cleanup(func() { r.await(t) })
	return r
}

func (r tracked) Register(ctx context.Context, instance sd.Instance) (deregister func(context.Context) error, err error) {
	pprof.Do(ctx, pprof.Labels("registrar", r.name), func(ctx context.Context) { deregister, err = r.Registrar.Register(ctx, instance) })
	return deregister, err
}

func (r tracked) await(t *testing.T) {
	t.Helper()
	limit, tick := time.NewTimer(patience), time.NewTicker(20*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for r.busy(t) {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Error("a registration does not end")
			return
		}
	}
}

// busy says whether there is a goroutine that keeps a registration.
func (r tracked) busy(t *testing.T) bool {
	t.Helper()
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, r.name) && strings.Contains(stack, "driver.(*keeper).run") {
			return true
		}
	}
	return false
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

// send sends a request as others do, without this package, and returns the status of the answer.
func send(t *testing.T, method, url, body string) int {
	t.Helper()
	status, err := trySend(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func trySend(ctx context.Context, method, url, body string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Close = true // no connection stays
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// info returns an instance as others register it, with what more says instead of the usual.
func info(app, id string, more ...string) string {
	fields := map[string]string{
		"instanceId": strconv.Quote(id), "hostName": `"10.0.0.9"`, "app": strconv.Quote(app), "ipAddr": `"10.0.0.9"`, "vipAddress": strconv.Quote(app),
		"status": `"UP"`, "port": `{"$":80,"@enabled":"true"}`, "securePort": `{"$":443,"@enabled":"false"}`,
		"dataCenterInfo": `{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"}`,
	}
	for n := 0; n < len(more); n += 2 {
		fields[more[n]] = more[n+1]
	}
	var list []string
	for name, value := range fields {
		list = append(list, strconv.Quote(name)+":"+value)
	}
	return `{"instance":{` + strings.Join(list, ",") + `}}`
}
