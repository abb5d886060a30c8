package loadshed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/loadshed/shedsim"
	"github.com/ashlar-go/ashlar/transport"
)

// limited is a directory that looks like that of a container with one processor.
type limited struct {
	root string
	used time.Duration
}

func newLimited(t *testing.T) *limited {
	t.Helper()
	l := &limited{root: t.TempDir()}
	for name, text := range map[string]string{
		"proc/self/cgroup":      "0::/\n",
		"proc/self/mountinfo":   "25 30 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/cpu.max": "50000 100000\n",
		"proc/stat":             "cpu  1 1 1 1\n",
	} {
		l.write(t, name, text)
	}
	l.use(t, 0)
	return l
}

func (l *limited) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(l.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// use notes that the processor was used for another while.
func (l *limited) use(t *testing.T, d time.Duration) {
	t.Helper()
	l.used += d
	l.write(t, "sys/fs/cgroup/cpu.stat", fmt.Sprintf("usage_usec %d\n", l.used.Microseconds()))
	l.write(t, "sys/fs/cgroup/cpu.pressure", fmt.Sprintf("some avg10=0.00 avg60=0.00 avg300=0.00 total=%d\n", l.used.Microseconds()))
}

func TestABusyProcessorRefusesWhatIsSheddable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		container := newLimited(t)
		var events []loadshed.Event
		s := newShedder(t, loadshed.ProcessorRoot(container.root), loadshed.OnEvent(func(e loadshed.Event) { events = append(events, e) }))
		pass := func(seconds int, busy time.Duration) {
			for range 10 * seconds {
				time.Sleep(100 * time.Millisecond)
				container.use(t, busy)
				acquire(t, s)(nil)
			}
		}
		sheddable := transport.WithPriority(t.Context(), transport.PrioritySheddable)
		pass(5, 40*time.Millisecond) // of 50, which is 0.8
		if done, err := s.Acquire(sheddable); err != nil {
			t.Errorf("want sheddable calls to be let in at 0.8, have %v", err)
		} else {
			done(nil)
		}
		pass(5, 49*time.Millisecond)
		_, err := s.Acquire(sheddable)
		refused(t, err, loadshed.ErrBusy)
		acquire(t, s)(nil) // what is not sheddable is let in
		have := s.Status()
		if p := have.Processor; !have.Busy || p.Source != "cgroup v2" || p.Limit != 0.5 || p.Share < 0.9 || p.Share > 1 || p.Stalled <= 0.3 {
			t.Errorf("want a busy processor, have %+v", have)
		}
		if want := uint64(1); want != have.Refused.Busy.Sheddable {
			t.Errorf("want one refused, have %+v", have)
		}
		if len(events) != 1 || events[0].Kind != loadshed.OverloadBegan || !events[0].Status.Busy {
			t.Errorf("want one event, have %+v", events)
		}
		pass(5, 0)
		acquire(t, s)(nil)
		if len(events) != 2 || events[1].Kind != loadshed.OverloadEnded {
			t.Errorf("want another event, have %+v", events)
		}
		if done, err := s.Acquire(sheddable); err != nil {
			t.Errorf("want sheddable calls to be let in again, have %v", err)
		} else {
			done(nil)
		}
	})
}

func TestStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		container := newLimited(t)
		s := newShedder(t, loadshed.ProcessorRoot(container.root), loadshed.ProcessorThreshold(0), loadshed.ProcessorStall(0.3))
		for range 50 {
			time.Sleep(100 * time.Millisecond)
			container.use(t, 40*time.Millisecond)
			acquire(t, s)(nil)
		}
		_, err := s.Acquire(transport.WithPriority(t.Context(), transport.PrioritySheddable))
		refused(t, err, loadshed.ErrBusy)
	})
}

func TestABusyProcessorSqueezesALimitThatIsNotReached(t *testing.T) {
	t.Parallel()
	for _, busy := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			container := newLimited(t)
			s := newShedder(t, loadshed.ProcessorRoot(container.root), loadshed.LimitRange(4, 16, 1000))
			c := shedsim.Config{
				Service: shedsim.Service{Workers: 100, Work: shedsim.Exponential(20 * time.Millisecond)}, Acquire: s.Acquire,
				Measure: 5 * time.Second, Loads: []shedsim.Load{{Rate: 6000, Patience: time.Second}},
			}
			if _, err := shedsim.Run(c); err != nil {
				t.Fatal(err)
			}
			before := s.Status().Limit
			for range 40 {
				time.Sleep(100 * time.Millisecond)
				if busy {
					container.use(t, 50*time.Millisecond)
				}
				acquire(t, s)(nil)
			}
			if have := s.Status().Limit; before < 60 || (have <= 16) != busy {
				t.Errorf("busy %t: want more than 16 only if not, after %d, have %d", busy, before, have)
			}
		})
	}
}
