package lb_test

import (
	"context"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/lb"
)

const killRuns = 20

// One of three instances is killed, so that its calls break off and its port is closed, and nobody who calls sees anything of it.
func TestCallersSeeNothingOfAProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	for _, m := range media(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			instances := []*testserver.Self{m.start(t), m.start(t), m.start(t)}
			again := 0
			for run := range killRuns {
				again += m.killOne(t, instances, instances[run%len(instances)])
				if t.Failed() {
					t.Fatalf("in run %d of %d", run+1, killRuns)
				}
			}
			if again < killRuns/2 {
				t.Errorf("want calls that were tried again in most runs, have %d in %d runs", again, killRuns)
			}
		})
	}
}

// killOne kills the victim under load, starts it again, and returns how many attempts there were besides the first of each call.
func (m medium) killOne(t *testing.T, instances []*testserver.Self, victim *testserver.Self) (again int) {
	t.Helper()
	t.Run("", func(t *testing.T) {
		set := newRegistry()
		for _, i := range instances {
			set.add(i.Address)
		}
		c := m.call(t, calling{set: set})
		c.reaches(t, lb.Ready, len(instances))
		c.warm(t)
		l := startLoad(t.Context(), loadRate(), func(ctx context.Context, _ int, text string) (string, error) { return c.read(ctx, text) })
		const before, after = 100 * time.Millisecond, 150 * time.Millisecond
		_ = pause(t.Context(), before)
		victim.Kill()
		_ = pause(t.Context(), after)
		l.end(t)
		again = int(c.attempts.Load()) - l.calls
		victim.Start()
	})
	return again
}
