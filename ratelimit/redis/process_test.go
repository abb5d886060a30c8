package redislimit_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
)

const (
	workers = 4
	perSec  = 1000
	burst   = 1000
	// workerPatience is longer than the default timeout, since a busy machine lets a process wait for longer than that.
	workerPatience = 300 * time.Millisecond
)

// crew are the workers of a test.
type crew struct {
	begin   time.Time
	reports []report
	done    sync.WaitGroup
}

// startCrew starts the workers, and lets them begin at one time.
func startCrew(t *testing.T, do task) *crew {
	t.Helper()
	text, err := json.Marshal(do)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &crew{reports: make([]report, workers)}
	outputs, inputs := make([]*bufio.Reader, workers), make([]io.WriteCloser, workers)
	commands := make([]*exec.Cmd, workers)
	for i := range workers {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), workerTask+"="+string(text), "GORACE=atexit_sleep_ms=0")
		cmd.Stderr = os.Stderr
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if inputs[i], err = cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		outputs[i], commands[i] = bufio.NewReader(output), cmd
	}
	for i := range workers {
		if line, err := outputs[i].ReadString('\n'); line != "ready\n" {
			t.Fatalf("worker %d: have %q, %v", i, line, err)
		}
	}
	c.begin = time.Now().Add(50 * time.Millisecond)
	for i := range workers {
		if _, err := fmt.Fprintln(inputs[i], c.begin.UnixNano()); err != nil {
			t.Fatal(err)
		}
		c.done.Go(func() {
			if err := json.NewDecoder(outputs[i]).Decode(&c.reports[i]); err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
			if err := commands[i].Wait(); err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		})
	}
	return c
}

// between returns how many calls there were from one time after the beginning to another, and how many were allowed.
func (c *crew) between(from, to time.Duration) (allowed, calls int) {
	for _, r := range c.reports {
		for at := max(0, int(from/slot)); at < min(len(r.Calls), int(to/slot)); at++ {
			allowed += r.Allowed[at]
			calls += r.Calls[at]
		}
	}
	return allowed, calls
}

// near compares to so many hundredths.
func near(t *testing.T, what string, want float64, have int, hundredths float64) {
	t.Helper()
	off := math.Abs(float64(have)-want) / want * 100
	t.Logf("%s: want %.0f, have %d, which is %.2f %% off", what, want, have, off)
	if off > hundredths {
		t.Errorf("%s: want %.0f, have %d, which is more than %v %% off", what, want, have, hundredths)
	}
}

// atMost allows three hundredths more, for the slots, and a third less, since the machine may be too busy for the workers to ask for all.
func atMost(t *testing.T, what string, want float64, have int) {
	t.Helper()
	t.Logf("%s: want at most %.0f, have %d", what, want, have)
	if float64(have) > 1.03*want || float64(have) < want*2/3 {
		t.Errorf("%s: want at most %.0f, and not much less, have %d", what, want, have)
	}
}

// Four processes want as much as they can get of one key. Together they get what the limit says.
func TestProcessesTogetherGetWhatTheLimitSays(t *testing.T) {
	t.Parallel()
	lasts := 10 * time.Second
	if testing.Short() {
		lasts = 2 * time.Second
	}
	c := startCrew(t, task{
		Address: testserver.StartRedis(t).Address, Limit: ratelimit.Limit{Events: perSec, Period: time.Second, Burst: burst},
		Fallback: "refuse", Timeout: time.Second, Callers: 2, Pause: time.Millisecond, Lasts: lasts,
	})
	c.done.Wait()
	allowed, calls := c.between(0, lasts+slot)
	near(t, fmt.Sprintf("%d calls in %v", calls, lasts), perSec*lasts.Seconds()+burst, allowed, 1)
	for i, r := range c.reports {
		if r.Outages != 0 || r.Alone.Allowed+r.Alone.Refused != 0 {
			t.Errorf("worker %d: want all decided by Redis, have %+v, %s", i, r.Alone, r.Log)
		}
	}
}

// Redis is gone for five seconds while four processes want all that they can get. What they get meanwhile is what was chosen, and each of
// them says so, once, by an event, a line in the log, and its counts.
func TestProcessesDoWithoutRedisAsChosen(t *testing.T) {
	t.Parallel()
	before, gone, after := 3*time.Second, 5*time.Second, 4*time.Second
	if testing.Short() {
		before, gone, after = 2*time.Second, 2*time.Second, 3*time.Second
	}
	for _, fallback := range []string{"refuse", "allow", "share"} {
		t.Run(fallback, func(t *testing.T) {
			t.Parallel()
			server := testserver.StartRedis(t)
			lasts := before + gone + after
			c := startCrew(t, task{
				Address: server.Address, Limit: ratelimit.Limit{Events: perSec, Period: time.Second, Burst: burst},
				Fallback: fallback, Timeout: workerPatience, Callers: 3, Pause: 3 * time.Millisecond, Lasts: lasts,
			})
			wait(t, time.Until(c.begin)+before)
			server.Kill()
			ended := time.Since(c.begin)
			wait(t, gone)
			began := time.Since(c.begin)
			server.Start()
			started := time.Since(c.begin)
			c.done.Wait()

			allowed, _ := c.between(0, ended)
			atMost(t, "before", perSec*ended.Seconds()+burst, allowed)
			c.hadOneOutage(t, ended, started)
			meanwhile := []time.Duration{c.last("gone") + slot, began}
			allowed, calls := c.between(meanwhile[0], meanwhile[1])
			t.Logf("without Redis: %d of %d calls allowed in %v", allowed, calls, meanwhile[1]-meanwhile[0])
			switch fallback {
			case "refuse":
				if allowed != 0 || calls < perSec {
					t.Errorf("want all refused, have %d of %d allowed", allowed, calls)
				}
			case "allow":
				if allowed != calls || calls < perSec {
					t.Errorf("want all allowed, have %d of %d", allowed, calls)
				}
			default:
				allowed, _ := c.between(ended, began)
				near(t, "a share each", c.shares(began), allowed, 3)
			}
			back := c.last("back")
			t.Logf("Redis was back at %v, and all workers knew at %v", started, back)
			allowed, _ = c.between(back, lasts)
			atMost(t, "after", perSec*(lasts-back).Seconds()+burst, allowed) // it has forgotten what was used before
		})
	}
}

// hadOneOutage checks what each worker says of it.
func (c *crew) hadOneOutage(t *testing.T, ended, started time.Duration) {
	t.Helper()
	for i, r := range c.reports {
		if r.Outages != 1 || len(r.Events) != 2 || r.Events[0].Kind != "gone" || r.Events[1].Kind != "back" {
			t.Fatalf("worker %d: want one outage, have %d, %+v, %s", i, r.Outages, r.Events, r.Log)
		}
		if at := r.Events[0].At.Sub(c.begin); at < ended-time.Second || at > ended+time.Second {
			t.Errorf("worker %d: want it to begin at %v, have %v", i, ended, at)
		}
		if at := r.Events[1].At.Sub(c.begin); at < started-time.Second || at > started+2*time.Second {
			t.Errorf("worker %d: want it to be over soon after %v, have %v", i, started, at)
		}
		if r.Alone != r.Events[1].Alone || r.Alone.Allowed+r.Alone.Refused == 0 {
			t.Errorf("worker %d: want the counts of the outage in its status, have %+v and %+v", i, r.Events[1].Alone, r.Alone)
		}
		if len(r.Log) != 2 || !strings.Contains(r.Log[0], "redis is gone") || !strings.Contains(r.Log[1], "redis is back") {
			t.Errorf("worker %d: want two lines, have %q", i, r.Log)
		}
		calls := uint64(0)
		for _, n := range r.Calls {
			calls += uint64(n)
		}
		if counted := r.Shared.Allowed + r.Shared.Refused + r.Alone.Allowed + r.Alone.Refused; counted != calls+1 { // and that before
			t.Errorf("worker %d: want %d calls counted, have %d", i, calls+1, counted)
		}
	}
}

// shares returns how many events the workers have by their shares until then, each from when it knew that Redis was gone.
func (c *crew) shares(until time.Duration) float64 {
	events := float64(burst)
	for _, r := range c.reports {
		events += perSec / workers * (until - r.Events[0].At.Sub(c.begin)).Seconds()
	}
	return events
}

// last returns when the last of the workers has had that event.
func (c *crew) last(kind string) (at time.Duration) {
	for _, r := range c.reports {
		for _, e := range r.Events {
			if e.Kind == kind {
				at = max(at, e.At.Sub(c.begin))
			}
		}
	}
	return at
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}
