package eureka_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/eureka"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// slack is what a limit is exceeded by on a busy machine.
const slack = 5 * time.Second

func TestOnlyInstancesThatAreUpCount(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL+"/") // a slash more is none too many
	events := watchtest.Start(t, newInstancer(t, client, "web"))
	watchtest.Register(t, newRegistrar(t, client, "web"), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	watchtest.Register(t, newRegistrar(t, client, "WEB"), sd.Instance{ID: "2", Address: "10.0.0.2:80"}) // the same application
	for id, status := range map[string]string{"down": `"DOWN"`, "starting": `"STARTING"`, "strange": `"WHATEVER"`} {
		send(t, http.MethodPost, server.URL+"/apps/WEB", info("web", id, "status", status))
	}
	events.AwaitIDs("1", "2")

	if status := send(t, http.MethodPut, server.URL+"/apps/WEB/1/status?value=OUT_OF_SERVICE", ""); status != http.StatusOK {
		t.Fatalf("HTTP %d", status)
	}
	events.AwaitIDs("2")
	for _, e := range events.During(3 * time.Second) { // renewals do not change it
		t.Errorf("want it to stay out, have %v, %v", e.Set, e.Err)
	}
	// The end of the override leaves it unknown, which asks for a registration.
	send(t, http.MethodDelete, server.URL+"/apps/WEB/1/status", "")
	events.AwaitIDs("1", "2")
}

func TestAServerThatIsBackEmptiesNoSet(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL)
	events := watchtest.Start(t, newInstancer(t, client, "web", eureka.InstancerGrace(6*time.Second)))
	watchtest.Register(t, newRegistrar(t, client, "web"), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	send(t, http.MethodPost, server.URL+"/apps/WEB", info("web", "2", "leaseInfo", `{"durationInSecs":3600}`))
	send(t, http.MethodPost, server.URL+"/apps/WEB", info("web", "3", "hostName", `"10.0.0.3"`))
	events.AwaitIDs("1", "2", "3")

	server.Stop()
	events.AwaitError(strings.TrimPrefix(server.URL, "http://"))
	server.Start()
	send(t, http.MethodPost, server.URL+"/apps/WEB", info("web", "3", "hostName", `"10.0.0.3"`, "status", `"DOWN"`))
	back := time.Now()
	events.AwaitIDs("1", "2") // what the server says of 3 counts at once
	events.AwaitIDs("1")
	if kept := time.Since(back); kept < 4*time.Second {
		t.Errorf("want 2, which did not come back, to stay for 6 s, have %v", kept)
	}
	if set, err := now(t, newInstancer(t, client, "web")); err != nil || len(set) != 1 { // a new watch has no memory
		t.Errorf("want the one that came back, have %v, %v", set, err)
	}
}

func TestAnOutageEndsNothing(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL)
	instancer := newInstancer(t, client, "web", eureka.InstancerGrace(3*time.Second))
	registrar := newRegistrar(t, client, "web")
	events := watchtest.Start(t, instancer)
	withdraw := watchtest.Register(t, registrar, sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	server.Stop()
	late := watchtest.Start(t, instancer) // its first question fails
	late.AwaitError("refused")
	if _, err := registrar.Register(t.Context(), sd.Instance{ID: "2", Address: "10.0.0.2:80"}); err == nil {
		t.Error("want an error without a server")
	}
	server.Start()
	late.AwaitIDs("1")
	withdraw()
	late.AwaitIDs()
	events.AwaitIDs()
}

func TestServersAreTriedInTurn(t *testing.T) {
	t.Parallel()
	first, second := testserver.StartEureka(t), testserver.StartEureka(t)
	first.Stop()
	client := newClient(t, first.URL, second.URL)
	events := watchtest.Start(t, newInstancer(t, client, "web", eureka.InstancerGrace(0)))
	watchtest.Register(t, newRegistrar(t, client, "web"), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	first.Start()
	second.Refuse(http.StatusForbidden) // as a server that has just started
	events.AwaitIDs()                   // the first does not know it until it is renewed there
	events.AwaitIDs("1")
	second.Refuse(0)
	first.Suspend() // which makes each request take 3 s, once
	events.AwaitIDs("1")
	first.Resume()
}

func TestAServerThatHangsHoldsNobodyForEver(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL)
	instancer := newInstancer(t, client, "web", eureka.InstancerGrace(3*time.Second))
	registrar := newRegistrar(t, client, "web")
	events := watchtest.Start(t, instancer)
	withdraw := watchtest.Register(t, registrar, sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	server.Suspend()
	watchtest.Within(t, driver.RegisterLimit+slack, "registering", func() {
		if _, err := registrar.Register(t.Context(), sd.Instance{ID: "2", Address: "10.0.0.2:80"}); err == nil {
			t.Error("want an error of a server that hangs")
		}
	})
	events.AwaitError("deadline exceeded")
	watchtest.Within(t, driver.RemoveLimit+slack, "deregistering", withdraw)
	server.Resume()
	events.AwaitIDs()
}

func TestAnInstanceThatIsAliveStays(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL)
	events := watchtest.Start(t, newInstancer(t, client, "web"))
	watchtest.Register(t, newRegistrar(t, client, "web"), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	send(t, http.MethodPost, server.URL+"/apps/WEB", info("web", "2", "leaseInfo", `{"durationInSecs":2}`))
	events.AwaitIDs("1", "2")
	events.AwaitIDs("1") // the other is not renewed
	before := server.Requests()
	for _, e := range events.During(7 * time.Second) {
		t.Errorf("want no change, have %v, %v", e.Set, e.Err)
	}
	if n := server.Requests() - before; n > 7*6+2*7+3 {
		t.Errorf("want 5 to 6 questions in a second, and a renewal of two requests, have %d in 7 s", n)
	}
}

func TestARegistrationTakesThePlaceOfAnother(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL)
	events := watchtest.Start(t, newInstancer(t, client, "web"))
	// The clock of another is a day ahead, and Eureka keeps what has the newest time.
	ahead := time.Now().Add(24*time.Hour).Format("20060102150405") + "0"
	send(t, http.MethodPost, server.URL+"/apps/WEB", info("web", "1", "lastDirtyTimestamp", `"`+ahead+`"`))
	events.AwaitIDs("1")
	older := watchtest.Register(t, newRegistrar(t, client, "web"), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.Await("the older one", func(e watchtest.Event) bool { return len(e.Set) == 1 && e.Set[0].Address == "10.0.0.1:80" })
	watchtest.Register(t, newRegistrar(t, client, "web"), sd.Instance{ID: "1", Address: "10.0.0.2:80"})
	newer := func(e watchtest.Event) bool { return len(e.Set) == 1 && e.Set[0].Address == "10.0.0.2:80" }
	events.Await("the newer one", newer)
	for range 2 { // which of them renews its lease first must not matter in the end
		send(t, http.MethodDelete, server.URL+"/apps/WEB/1", "")
		events.During(3 * time.Second)
		if set, err := now(t, newInstancer(t, client, "web")); err != nil || len(set) != 1 || set[0].Address != "10.0.0.2:80" {
			t.Errorf("want the newer one again, have %v, %v", set, err)
		}
	}
	older()
	for _, e := range events.During(3 * time.Second) {
		if !newer(e) {
			t.Errorf("want the older one to touch nothing, have %v, %v", e.Set, e.Err)
		}
	}
}

func TestWhatWasReplacedIsBackWhenTheOtherHasCrashed(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL)
	events := watchtest.Start(t, newInstancer(t, client, "web"))
	reports := make(chan error, 100)
	report := eureka.RegistrarOnError(func(err error) { reports <- err })
	watchtest.Register(t, newRegistrar(t, client, "web", report), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	// One that is newer takes its place, and does not renew its lease.
	newer := strconv.FormatInt(time.Now().Add(time.Second).UnixMilli(), 10)
	send(t, http.MethodPost, server.URL+"/apps/WEB",
		info("web", "1", "lastDirtyTimestamp", strconv.Quote(newer), "hostName", `"crashed"`, "leaseInfo", `{"durationInSecs":2}`))
	events.Await("the newer one", func(e watchtest.Event) bool { return len(e.Set) == 1 && e.Set[0].Address != "10.0.0.1:80" })
	events.Await("the older one", func(e watchtest.Event) bool { return len(e.Set) == 1 && e.Set[0].Address == "10.0.0.1:80" })
	if err := <-reports; !errors.Is(err, sd.ErrReplaced) {
		t.Errorf("want %v, have %v", sd.ErrReplaced, err)
	}
	for len(reports) > 0 {
		if err := <-reports; errors.Is(err, sd.ErrReplaced) {
			t.Error("want it said once")
		}
	}
}

// now returns the first that a new watch yields.
func now(t *testing.T, instancer sd.Instancer) ([]sd.Instance, error) {
	t.Helper()
	for set, err := range instancer.Watch(t.Context()) {
		return set, err
	}
	return nil, t.Context().Err()
}
