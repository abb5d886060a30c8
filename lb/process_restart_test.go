package lb_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
)

// All instances are replaced, one after the other, under load.
func TestCallersSeeNothingOfARollingRestart(t *testing.T) {
	t.Parallel()
	for _, m := range media(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			t.Run("the registry is told first", func(t *testing.T) {
				t.Parallel()
				m.restart(t, func(set *registry, old *testserver.Self) {
					set.remove(old.Address)
					old.Stop()
				})
			})
			t.Run("the registry is told last", func(t *testing.T) { // as Kubernetes may
				t.Parallel()
				m.restart(t, func(set *registry, old *testserver.Self) {
					old.Stop()
					set.remove(old.Address)
				})
			})
		})
	}
}

func (m medium) restart(t *testing.T, end func(set *registry, old *testserver.Self)) {
	t.Helper()
	const (
		instances = 3
		streams   = 6
		between   = 100 * time.Millisecond
	)
	dir := t.TempDir()
	journal := instanceJournal + "=" + dir
	set := newRegistry()
	var all []*testserver.Self
	for range instances {
		all = append(all, m.start(t, journal))
		set.add(all[len(all)-1].Address)
	}
	c := m.call(t, calling{set: set})
	c.reaches(t, lb.Ready, instances)
	c.warm(t)
	l := startLoad(t.Context(), loadRate(), func(ctx context.Context, n int, text string) (string, error) {
		if n%2 == 0 {
			return c.read(ctx, text)
		}
		return c.write(ctx, text)
	})
	tails := startTails(t, c, streams)
	for _, old := range all[:instances] {
		_ = pause(t.Context(), between)
		end(set, old)
		all = append(all, m.start(t, journal))
		set.add(all[len(all)-1].Address)
		c.reaches(t, lb.Ready, instances)
	}
	_ = pause(t.Context(), between)
	l.end(t)
	if ended := tails(); ended < streams {
		t.Errorf("want %d streams or more that were ended by the restart, have %d", streams, ended)
	}
	for _, i := range all {
		i.Stop()
	}
	checkJournals(t, dir, 2*instances, l.calls)
}

// startTails keeps streams open, and opens them again when they end, as they may by a shutdown only. What it returns ends them, and returns
// how many had ended before.
func startTails(t *testing.T, c caller, streams int) (end func() (ended int)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var (
		work  sync.WaitGroup
		mu    sync.Mutex
		count int
	)
	for range streams {
		work.Go(func() {
			for {
				messages := 0
				err := c.tail(ctx, "stone", func() { messages++ })
				if ctx.Err() != nil {
					return
				}
				if e := status.As(err); e == nil || e.Code != status.Unavailable || e.Reason != "SHUTTING_DOWN" || messages == 0 {
					t.Errorf("want a stream that the shutdown ended, have %v after %d messages", err, messages)
				}
				mu.Lock()
				count++
				mu.Unlock()
			}
		})
	}
	return func() int {
		cancel()
		work.Wait()
		return count
	}
}

// checkJournals checks that each write, which the odd calls are, was done, and once, by what the instances have left.
func checkJournals(t *testing.T, dir string, instances, calls int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != instances {
		t.Fatalf("want %d instances that ended well, have %d, %v", instances, len(files), err)
	}
	done := make(map[string]int)
	for _, file := range files {
		written, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.FieldsSeq(string(written)) {
			done[line]++
		}
	}
	wrong := make(map[int]int)
	for n := 1; n < calls; n += 2 {
		if times := done[strconv.Itoa(n)]; times != 1 {
			wrong[n] = times
		}
	}
	if len(wrong) > 0 {
		t.Errorf("want each write done once, have these done so often: %v", wrong)
	}
}
