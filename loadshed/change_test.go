package loadshed_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/loadshed/shedsim"
)

// follow runs a simulation, and returns the limit at each tenth of a second, and the calls served in time in each second.
func follow(t *testing.T, c shedsim.Config, opts ...loadshed.Option) (limits []int, result *shedsim.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newShedder(t, append([]loadshed.Option{loadshed.ProcessorThreshold(0)}, opts...)...)
		c.Acquire = s.Acquire
		stop := make(chan struct{})
		go func() {
			ticker := time.NewTicker(100 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					limits = append(limits, s.Status().Limit)
				case <-stop:
					return
				}
			}
		}()
		var err error
		if result, err = shedsim.Run(c); err != nil {
			t.Error(err)
		}
		close(stop)
		synctest.Wait()
	})
	return limits, result
}

// between returns the median limit from one time to another.
func between(limits []int, from, to time.Duration) int {
	part := slices.Clone(limits[from/(100*time.Millisecond) : to/(100*time.Millisecond)])
	slices.Sort(part)
	return part[len(part)/2]
}

// The limit follows what the service can do, up and down, within seven seconds of a change, whatever it was before.
func TestTheLimitFollowsTheService(t *testing.T) {
	t.Parallel()
	const (
		ms     = time.Millisecond
		settle = 7 * time.Second
		each   = 10 * time.Second
	)
	workers := func(n int) shedsim.Service { return shedsim.Service{Workers: n, Work: shedsim.Exponential(10 * ms)} }
	for _, row := range []struct {
		name  string
		first int
		steps []shedsim.Service
		need  []int // how many calls have to be in progress for the service to be busy
	}{
		{"from below", 4, []shedsim.Service{workers(60)}, []int{60}},
		{"from far below", 4, []shedsim.Service{{Workers: 4, Work: shedsim.Exponential(ms), Apart: 50 * ms}}, []int{204}},
		{"from above", 100, []shedsim.Service{workers(4)}, []int{4}},
		{"workers go and come", 16, []shedsim.Service{workers(40), workers(8), workers(40)}, []int{40, 8, 40}},
		{"a dependency becomes slow and fast again", 16, []shedsim.Service{
			{Workers: 8, Work: shedsim.Exponential(5 * ms), Apart: 5 * ms},
			{Workers: 8, Work: shedsim.Exponential(5 * ms), Apart: 100 * ms},
			{Workers: 8, Work: shedsim.Exponential(5 * ms), Apart: 5 * ms},
		}, []int{16, 168, 16}},
		{"calls become ten times as long", 16, []shedsim.Service{
			{Workers: 20, Work: shedsim.Exponential(2 * ms)}, {Workers: 20, Work: shedsim.Exponential(20 * ms)},
		}, []int{20, 20}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := shedsim.Config{Service: row.steps[0], Measure: time.Duration(len(row.steps)) * each}
			most := 0.0
			for i, s := range row.steps {
				c.Changes = append(c.Changes, shedsim.Change{At: time.Duration(i) * each, Service: s})
				capacity, _ := capacityOf(s)
				most = max(most, capacity)
			}
			c.Loads = []shedsim.Load{{Rate: 2 * most, Patience: 5 * time.Second}}
			limits, _ := follow(t, c, loadshed.LimitRange(loadshed.DefaultLeast, row.first, loadshed.DefaultMost))
			t.Log(limits)
			for i, need := range row.need {
				from := time.Duration(i) * each
				have := between(limits, from+settle, from+each)
				if least, most := need*3/4, need*2+2; have < least || have > most {
					t.Errorf("step %d: want a limit of %d to %d, have %d", i, least, most, have)
				}
			}
		})
	}
}

// A limit that is much too high at the beginning, as it may be on a machine with many processors, is found out by the first dip, and not by
// good luck. It took twenty seconds at times.
func TestALimitThatIsMuchTooHighIsFoundOutSoon(t *testing.T) {
	t.Parallel()
	const runs = 6
	sum := 0.0
	for seed := range uint64(runs) {
		limits, _ := follow(t, shedsim.Config{
			Service: shedsim.Service{Workers: 4, Work: shedsim.Exponential(10 * time.Millisecond)}, Seed: seed, Measure: 20 * time.Second,
			Loads: []shedsim.Load{{Rate: 2000, Patience: time.Second}},
		}, loadshed.LimitRange(1, 100, 1000))
		sum += float64(slices.IndexFunc(limits, func(l int) bool { return l <= 14 })) / 10
	}
	if have := sum / runs; have > 6 {
		t.Errorf("want a limit of 14 or less after 6 s on the average, have it after %.1f", have)
	}
}

// Hours of overload do not move it away.
func TestTheLimitDoesNotDrift(t *testing.T) {
	t.Parallel()
	service := shedsim.Service{Workers: 4, Work: shedsim.Exponential(20 * time.Millisecond)}
	c := shedsim.Config{Service: service, Measure: time.Hour / 2, Loads: []shedsim.Load{{Rate: 300, Patience: time.Second}}}
	limits, result := follow(t, c)
	slices.Sort(limits)
	if high, low := limits[len(limits)*99/100], limits[len(limits)/100]; high > 24 || low < 2 {
		t.Errorf("want 98 of 100 limits from 2 to 24, have %d to %d", low, high)
	}
	if want, have := 200*0.93, result.Goodput(); have < want {
		t.Errorf("want %v calls a second, have %.1f", want, have)
	}
}

// Calls that come one at a time are never refused, and a limit that was high is given up when nobody needs it any more.
func TestLittleLoadIsLeftAlone(t *testing.T) {
	t.Parallel()
	service := shedsim.Service{Workers: 4, Work: shedsim.Exponential(20 * time.Millisecond)}
	limits, result := follow(t, shedsim.Config{
		Service: service, Measure: 2 * time.Minute, Loads: []shedsim.Load{{Rate: 20, Patience: time.Second}},
	}, loadshed.LimitRange(4, 16, 1000))
	if have := result.Share(shedsim.Refused); have > 0 {
		t.Errorf("want no refusals, have a share of %v", have)
	}
	if want, have := 16, limits[len(limits)-1]; want != have {
		t.Errorf("want the first limit, %d, to stay, have %d", want, have)
	}
	limits, _ = follow(t, shedsim.Config{
		Service: shedsim.Service{Workers: 100, Work: service.Work}, Measure: time.Minute, Loads: []shedsim.Load{{Rate: 4, Patience: time.Second}},
	}, loadshed.LimitRange(4, 16, 1000))
	if want, have := 16, limits[len(limits)-1]; have > want {
		t.Errorf("want no more than %d, have %d", want, have)
	}
}
