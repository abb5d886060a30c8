package lbsim

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// world is the instances.
type world struct {
	instances []*instance
	faults    []Fault
	begin     time.Time // when the warm-up is over; set before the first call
}

// instance is a queue in front of workers.
type instance struct {
	number  int
	world   *world
	workers chan struct{} // holds a token for each that is busy
	sample  Sample
	served  atomic.Int64 // attempts that were counted
}

func newWorld(config Config) *world {
	w := &world{faults: config.Faults, instances: make([]*instance, config.Instances)}
	for i := range w.instances {
		w.instances[i] = &instance{number: i, world: w, workers: make(chan struct{}, config.Workers), sample: config.Service()}
	}
	return w
}

func (w *world) dial(_ context.Context, i sd.Instance) (*instance, error) {
	n, err := strconv.Atoi(i.Address)
	if err != nil {
		return nil, err
	}
	return w.instances[n], nil
}

func (w *world) served() []int {
	all := make([]int, len(w.instances))
	for i, n := range w.instances {
		all[i] = int(n.served.Load())
	}
	return all
}

// fault is what is wrong with the instance now.
func (i *instance) fault() (now Fault) {
	since := time.Since(i.world.begin)
	for _, f := range i.world.faults {
		if i.number < f.Instances && since >= f.From && since < f.To {
			now = f
		}
	}
	return now
}

// call is an attempt.
func (i *instance) call(ctx context.Context, request *call) (*call, error) {
	if request.counted {
		i.served.Add(1)
		request.attempts.Add(1)
	}
	fault := i.fault()
	switch {
	case fault.Down:
		return nil, status.New(status.Unavailable, "connection refused").WithCause(transport.ErrNotSent)
	case fault.Failing:
		return nil, status.New(status.Unavailable, "broken")
	}
	select {
	case i.workers <- struct{}{}:
		defer func() { <-i.workers }()
	case <-ctx.Done():
		return nil, status.From(ctx.Err())
	}
	serving := i.sample()
	if fault.Slow > 0 {
		serving = time.Duration(float64(serving) * fault.Slow)
	}
	timer := time.NewTimer(serving)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, status.From(ctx.Err())
	}
	if i.fault().Down { // it was killed meanwhile
		return nil, status.New(status.Unavailable, "connection lost")
	}
	return request, nil
}
