package consul_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// slack is what a limit is exceeded by on a busy machine.
const slack = 5 * time.Second

func TestAnOutageEndsNothing(t *testing.T) {
	t.Parallel()
	agent := testserver.StartConsul(t)
	client := newClient(t, agent.Address)
	var reports atomic.Int64
	registrar := newRegistrar(t, client, "web", consul.RegistrarOnError(func(error) { reports.Add(1) }))
	instancer := newInstancer(t, client, "web")
	events := watchtest.Start(t, instancer)
	withdraw := watchtest.Register(t, registrar, sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")

	agent.Stop()
	events.AwaitError(agent.Address)
	late := watchtest.Start(t, instancer) // its first query fails
	late.AwaitError(agent.Address)
	outage := time.NewTimer(10 * time.Second)
	defer outage.Stop()
	for failing := true; failing; {
		select {
		case e := <-events.Events():
			if e.Err == nil {
				t.Errorf("want errors only, have the set %v", e.Set)
			}
		case e := <-late.Events():
			if e.Err == nil {
				t.Errorf("want errors only, have the set %v", e.Set)
			}
		case <-outage.C:
			failing = false
		}
	}
	if _, err := registrar.Register(t.Context(), sd.Instance{ID: "2", Address: "10.0.0.2:80"}); err == nil {
		t.Error("want an error without an agent")
	}
	if n := reports.Load(); n < 2 || n > 30 {
		t.Errorf("want some reports of what failed meanwhile, have %d", n)
	}

	agent.Start()
	events.AwaitIDs("1")
	late.AwaitIDs("1")
	withdraw()
	events.AwaitIDs()
}

func TestAnAgentThatHasLostItsStateIsToldAgain(t *testing.T) {
	t.Parallel()
	agent := testserver.StartConsul(t)
	client := newClient(t, agent.Address)
	const wait = 3 * time.Second // after which an index of the time before, which is too high now, is found to be one
	events := watchtest.Start(t, newInstancer(t, client, "web", consul.InstancerWait(wait)))
	registrar := newRegistrar(t, client, "web")
	watchtest.Register(t, registrar, sd.Instance{ID: "1", Address: "10.0.0.1:80", Version: "v2"})
	events.AwaitIDs("1")
	agent.Kill()
	agent.Forget()
	agent.Start()
	if set := watchtest.Start(t, newInstancer(t, client, "web")).AwaitIDs("1"); set[0].Version != "v2" {
		t.Errorf("want all of it again, have %+v", set[0])
	}
	watchtest.Register(t, registrar, sd.Instance{ID: "2", Address: "10.0.0.2:80"})
	events.AwaitIDs("1", "2")
}

func TestAnAgentThatHangsHoldsNobodyForEver(t *testing.T) {
	t.Parallel()
	agent := testserver.StartConsul(t)
	client := newClient(t, agent.Address)
	registrar := newRegistrar(t, client, "web", consul.RegistrarTTL(time.Minute))
	instancer := newInstancer(t, client, "web", consul.InstancerWait(time.Second))
	events := watchtest.Start(t, instancer)
	deregister, err := registrar.Register(context.WithoutCancel(t.Context()), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	if err != nil {
		t.Fatal(err)
	}
	events.AwaitIDs("1")

	agent.Suspend()
	watchtest.Within(t, driver.RegisterLimit+slack, "registering", func() {
		if _, err := registrar.Register(t.Context(), sd.Instance{ID: "2", Address: "10.0.0.2:80"}); err == nil {
			t.Error("want an error of an agent that hangs")
		}
	})
	watchtest.Within(t, time.Second+slack, "the end of the context of a watch", func() {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		for set, err := range instancer.Watch(ctx) {
			t.Errorf("want nothing of an agent that hangs, have %v, %v", set, err)
		}
	})
	events.AwaitError("context deadline exceeded") // that it hangs is noticed
	watchtest.Within(t, driver.RemoveLimit+slack, "deregistering", func() {
		if err := deregister(t.Context()); err == nil {
			t.Error("want an error of an agent that hangs")
		}
	})
	agent.Resume()
	if err := deregister(t.Context()); err != nil {
		t.Errorf("want it to be tried again when the agent is back, have %v", err)
	}
	events.AwaitIDs()
}
