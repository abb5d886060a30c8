package loadshed_test

import (
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/loadshed/shedsim"
	"github.com/ashlar-go/ashlar/transport"
)

// At ten times the capacity, critical calls are served, default ones get what these leave, and sheddable ones the rest.
func TestPrioritiesUnderOverload(t *testing.T) {
	t.Parallel()
	service := shedsim.Service{Workers: 4, Work: shedsim.Exponential(10 * time.Millisecond)} // 400 calls a second
	result, status := simulate(t, shedsim.Config{
		Service: service, Warmup: 3 * time.Second, Measure: 20 * time.Second,
		Loads: []shedsim.Load{
			{Rate: 200, Patience: time.Second, Priority: transport.PriorityCritical},
			{Rate: 1800, Patience: time.Second},
			{Rate: 2000, Patience: time.Second, Priority: transport.PrioritySheddable},
		},
	})
	share := func(p transport.Priority) float64 {
		served := float64(result.Count(p, shedsim.Served))
		return served / (served + float64(result.Count(p, shedsim.Refused)+result.Count(p, shedsim.TooLate)))
	}
	critical, ordinary, sheddable := share(transport.PriorityCritical), share(transport.PriorityDefault), share(transport.PrioritySheddable)
	t.Logf("served: critical %.3f, default %.3f, sheddable %.3f; %+v", critical, ordinary, sheddable, status)
	if critical < 0.98 {
		t.Errorf("want nearly all critical calls to be served, have a share of %.3f", critical)
	}
	if have := ordinary * 1800; have < 0.8*(400-200) {
		t.Errorf("want default calls to get what is left, 200 a second, have %.0f", have)
	}
	if sheddable*2000 > 20 {
		t.Errorf("want next to no sheddable calls, have a share of %.3f", sheddable)
	}
	if goodput := result.Goodput(); goodput < 0.9*400 {
		t.Errorf("want 360 calls a second or more, have %.0f", goodput)
	}
}

// Where critical and default calls leave room, sheddable ones have it.
func TestSheddableCallsHaveWhatIsLeft(t *testing.T) {
	t.Parallel()
	service := shedsim.Service{Workers: 4, Work: shedsim.Exponential(10 * time.Millisecond)}
	result, _ := simulate(t, shedsim.Config{
		Service: service, Warmup: 3 * time.Second, Measure: 20 * time.Second,
		Loads: []shedsim.Load{
			{Rate: 200, Patience: time.Second},
			{Rate: 2000, Patience: time.Second, Priority: transport.PrioritySheddable},
		},
	})
	if want, have := 200.0, float64(result.Count(transport.PriorityDefault, shedsim.Served))/20; have < 0.95*want {
		t.Errorf("want %v default calls a second, have %.0f", want, have)
	}
	if want, have := 200.0, float64(result.Count(transport.PrioritySheddable, shedsim.Served))/20; have < 0.8*want {
		t.Errorf("want %v sheddable calls a second, or nearly, have %.0f", want, have)
	}
}
