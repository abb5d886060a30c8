package lb_test

import (
	"context"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/lb"
)

// One of three instances hangs: its connections stay, and it answers nothing. With a limit for attempts nobody who calls sees anything of it but
// for the time.
func TestCallersSeeNothingOfAProcessThatHangs(t *testing.T) {
	t.Parallel()
	for _, m := range media(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			instances := []*testserver.Self{m.start(t), m.start(t), m.start(t)}
			set := newRegistry()
			for _, i := range instances {
				set.add(i.Address)
			}
			const limit, between = 300 * time.Millisecond, 150 * time.Millisecond
			var opts []lb.PoolOption
			if raceEnabled { // with few calls PeakEWMA keeps away from it before it has failed so many in a row that it is ejected
				opts = append(opts, lb.PoolPolicy(lb.RoundRobin()))
			}
			c := m.call(t, calling{set: set, pool: opts, read: []lb.EndpointOption{lb.EndpointAttemptTimeout(limit)}})
			c.reaches(t, lb.Ready, len(instances))
			c.warm(t)
			l := startLoad(t.Context(), loadRate(), func(ctx context.Context, _ int, text string) (string, error) { return c.read(ctx, text) })
			_ = pause(t.Context(), between)
			instances[1].Suspend()
			c.reaches(t, lb.Out, 1)
			_ = pause(t.Context(), between)
			instances[1].Resume()
			c.reaches(t, lb.Ready, len(instances))
			c.called(t, instances[1].Address)
			l.end(t)
			if c.attempts.Load() <= int64(l.calls) {
				t.Error("want some calls that were tried again, have none")
			}
		})
	}
}
