package redislimit_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// patience is how long a test waits for what happens soon, on a busy machine.
const patience = 20 * time.Second

func newClient(t testing.TB, address string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
	t.Cleanup(func() { c.Close() })
	return c
}

// newClosedClient returns a client that reaches nothing.
func newClosedClient(t testing.TB) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return c
}

func newLimiter(
	t testing.TB, client redis.UniversalClient, limit ratelimit.Limit, fallback redislimit.Fallback, opts ...redislimit.Option,
) *redislimit.Limiter {
	t.Helper()
	l, err := redislimit.New(client, "test", limit, fallback, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// unhurried is for tests in which Redis is there, though the machine may be busy.
func unhurried() redislimit.Option { return redislimit.Timeout(5 * time.Second) }

// take takes events, which must succeed.
func take(t testing.TB, l *redislimit.Limiter, key string, n int) ratelimit.Decision {
	t.Helper()
	d, err := l.Take(t.Context(), key, n)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// try takes events, which may fail since Redis is gone: that is a refusal.
func try(t testing.TB, l *redislimit.Limiter, key string, n int) ratelimit.Decision {
	t.Helper()
	d, err := l.Take(t.Context(), key, n)
	if err != nil && (!errors.Is(err, redislimit.ErrGone) || d != (ratelimit.Decision{})) {
		t.Fatalf("want a decision, or %v, have %+v, %v", redislimit.ErrGone, d, err)
	}
	return d
}

// witness has seen the events and the log of limiters.
type witness struct {
	mu     sync.Mutex
	events []redislimit.Event
	log    bytes.Buffer
}

func (w *witness) options() []redislimit.Option {
	return []redislimit.Option{redislimit.OnEvent(w.told), redislimit.Log(log.New(w, log.NoTime()))}
}

func (w *witness) told(e redislimit.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// Write implements io.Writer.
func (w *witness) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

// seen returns the events, and the lines of the log.
func (w *witness) seen() ([]redislimit.Event, []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]redislimit.Event(nil), w.events...), strings.Split(strings.TrimSuffix(w.log.String(), "\n"), "\n")
}

// await waits until something holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("want %s", what)
		}
	}
}
