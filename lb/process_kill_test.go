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
			for run := range killRuns {
				m.killOne(t, instances, instances[run%len(instances)])
				if t.Failed() {
					t.Fatalf("in run %d of %d", run+1, killRuns)
				}
			}
		})
	}
}

func (m medium) killOne(t *testing.T, instances []*testserver.Self, victim *testserver.Self) {
	t.Helper()
	t.Run("", func(t *testing.T) {
		set := newRegistry()
		for _, i := range instances {
			set.add(i.Address)
		}
		c := m.call(t, set)
		c.reaches(t, lb.Ready, len(instances))
		l := startLoad(t.Context(), loadRate(), func(ctx context.Context, _ int, text string) (string, error) { return c.read(ctx, text) })
		const before, after = 150 * time.Millisecond, 250 * time.Millisecond
		_ = pause(t.Context(), before)
		victim.Kill()
		_ = pause(t.Context(), after)
		l.end(t)
		if c.attempts.Load() <= int64(l.calls) {
			t.Error("want some calls that were tried again, have none")
		}
		victim.Start()
	})
}
