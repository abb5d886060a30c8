package loadshed_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/loadshed/shedsim"
)

// simulate runs a simulation in virtual time, with a Shedder of those options in front, which begins as on a machine with four processors.
func simulate(t *testing.T, c shedsim.Config, opts ...loadshed.Option) (result *shedsim.Result, status loadshed.Status) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newShedder(t, append([]loadshed.Option{loadshed.ProcessorThreshold(0), loadshed.LimitRange(loadshed.DefaultLeast, 16, loadshed.DefaultMost)}, opts...)...)
		c.Acquire = s.Acquire
		var err error
		if result, err = shedsim.Run(c); err != nil {
			t.Fatal(err)
		}
		status = s.Status()
	})
	return result, status
}

// bare runs it without.
func bare(t *testing.T, c shedsim.Config) (result *shedsim.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if result, err = shedsim.Run(c); err != nil {
			t.Fatal(err)
		}
	})
	return result
}

// services are what the Shedder has to find the limit of, with no other setting than the defaults.
func services() map[string]shedsim.Service {
	return map[string]shedsim.Service{
		"one, 1 ms each":                 {Workers: 1, Work: shedsim.Constant(time.Millisecond)},
		"two, 10 ms":                     {Workers: 2, Work: shedsim.Exponential(10 * time.Millisecond)},
		"two, 50 us":                     {Workers: 2, Work: shedsim.Exponential(50 * time.Microsecond)},
		"two, 1 ms after 20 ms":          {Workers: 2, Work: shedsim.Exponential(time.Millisecond), Apart: 20 * time.Millisecond},
		"eight, 10 ms with a heavy tail": {Workers: 8, Work: shedsim.HeavyTailed(10 * time.Millisecond)},
		"eight, 1 ms or 50 ms":           {Workers: 8, Work: shedsim.Mixed(0.8, shedsim.Constant(time.Millisecond), shedsim.Constant(50*time.Millisecond))},
		"eight, 1 s":                     {Workers: 8, Work: shedsim.Exponential(time.Second)},
		"a hundred, 10 ms":               {Workers: 100, Work: shedsim.Exponential(10 * time.Millisecond)},
	}
}
