package redislimit_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// workerTask is the variable of the environment that makes the program a worker.
const workerTask = "ASHLAR_REDISLIMIT_TASK"

// task is what a worker is to do: events of one key, by some callers, one after the other, from the time that it is told until it has done so
// for as long as it shall.
type task struct {
	Address  string
	Limit    ratelimit.Limit
	Fallback string
	Timeout  time.Duration
	Callers  int
	Pause    time.Duration // after a refusal
	Lasts    time.Duration
}

const slot = 10 * time.Millisecond // in which a worker counts

// report is what a worker has done and seen.
type report struct {
	Allowed, Calls   []int // in each slot
	Shared, Alone    redislimit.Counts
	Outages          uint64
	Events           []workerEvent
	Log              []string
	LastGone, Failed string
}

type workerEvent struct {
	Kind  string
	At    time.Time
	Alone redislimit.Counts
}

func fallbackOf(name string) redislimit.Fallback {
	switch name {
	case "refuse":
		return redislimit.Refuse()
	case "allow":
		return redislimit.Allow()
	}
	return redislimit.LocalShare(workers)
}

// workerMain says when it is ready, reads from its input when to begin, and writes its report to its output.
func workerMain() int {
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func work() error {
	var t task
	if err := json.Unmarshal([]byte(os.Getenv(workerTask)), &t); err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: t.Address, ContextTimeoutEnabled: true})
	defer client.Close()
	w, r := new(witness), new(report)
	var mu sync.Mutex // of the events
	l, err := redislimit.New(client, "shared", t.Limit, fallbackOf(t.Fallback), append(w.options(), redislimit.Timeout(t.Timeout),
		redislimit.OnEvent(func(e redislimit.Event) {
			mu.Lock()
			defer mu.Unlock()
			r.Events = append(r.Events, workerEvent{e.Kind.String(), time.Now(), e.Alone})
		}))...)
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := l.Take(context.Background(), "another", 1); err != nil { // Redis learns the script, and there is a connection
		return err
	}
	fmt.Println("ready")
	begin, err := readTime()
	if err != nil {
		return err
	}
	if err := t.run(l, r, begin); err != nil {
		return err
	}
	s := l.Status()
	r.Shared, r.Alone, r.Outages = s.Shared, s.Alone, s.Outages
	_, r.Log = w.seen()
	mu.Lock()
	defer mu.Unlock()
	return json.NewEncoder(os.Stdout).Encode(r)
}

func readTime() (time.Time, error) {
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return time.Time{}, err
	}
	nanos, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return time.Unix(0, nanos), err
}

// run makes the calls.
func (t task) run(l *redislimit.Limiter, r *report, begin time.Time) error {
	slots := int(t.Lasts/slot) + 1
	r.Allowed, r.Calls = make([]int, slots), make([]int, slots)
	ctx, cancel := context.WithDeadline(context.Background(), begin.Add(t.Lasts))
	defer cancel()
	var (
		all sync.WaitGroup
		mu  sync.Mutex
		bad error
	)
	for range t.Callers {
		all.Go(func() {
			pause := time.NewTimer(time.Until(begin))
			defer pause.Stop()
			for {
				select {
				case <-pause.C:
				case <-ctx.Done():
					return
				}
				d, err := l.Take(ctx, "key", 1)
				at := min(int(time.Since(begin)/slot), slots-1)
				mu.Lock()
				switch {
				case err == nil, errors.Is(err, redislimit.ErrGone):
					r.Calls[at]++
					if d.Allowed {
						r.Allowed[at]++
					}
				case !errors.Is(err, context.DeadlineExceeded): // of ctx
					bad = errors.Join(bad, err)
				}
				mu.Unlock()
				if d.Allowed && t.Fallback != "allow" {
					pause.Reset(0)
				} else {
					pause.Reset(t.Pause)
				}
			}
		})
	}
	all.Wait()
	return bad
}
