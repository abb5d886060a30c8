package redislimit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

var _ ratelimit.Limiter = (*redislimit.Limiter)(nil)

const hour = time.Hour // in which nothing comes back while a test runs

func TestLimitersOfOneNameShareTheirCounts(t *testing.T) {
	t.Parallel()
	client := newClient(t, testserver.StartRedis(t).Address)
	limit := ratelimit.Limit{Events: 1, Period: hour, Burst: 10}
	here, there := newLimiter(t, client, limit, redislimit.Refuse(), unhurried()), newLimiter(t, client, limit, redislimit.Refuse(), unhurried())
	if d := take(t, here, "key", 4); !d.Allowed || d.Remaining != 6 || d.Reset != 4*hour || d.RetryAfter != 0 {
		t.Errorf("want 6 to remain, and all in 4 hours, have %+v", d)
	}
	if d := take(t, there, "key", 0); !d.Allowed || d.Remaining != 6 || d.Reset <= 3*hour || d.Reset > 4*hour {
		t.Errorf("want 6 to remain there, too, have %+v", d)
	}
	if d := take(t, there, "key", 7); d.Allowed || d.Remaining != 6 || d.RetryAfter <= 0 || d.RetryAfter > hour {
		t.Errorf("want a refusal that changes nothing, have %+v", d)
	}
	if d := take(t, there, "key", 6); !d.Allowed || d.Remaining != 0 {
		t.Errorf("want all that remains, have %+v", d)
	}
	if d := take(t, here, "other", 10); !d.Allowed || d.Remaining != 0 {
		t.Errorf("want the whole of another key, have %+v", d)
	}
	if want, have := (redislimit.Counts{Allowed: 2}), here.Status().Shared; want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
	if want, have := (redislimit.Counts{Allowed: 2, Refused: 1}), there.Status().Shared; want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
	apart, err := redislimit.New(client, "apart", limit, redislimit.Refuse(), redislimit.Prefix("other:"), unhurried())
	if err != nil {
		t.Fatal(err)
	}
	defer apart.Close()
	if d := take(t, apart, "key", 10); !d.Allowed {
		t.Errorf("want a limiter of another name to have its own counts, have %+v", d)
	}
	if n, err := client.Exists(t.Context(), "other:apart:{key}").Result(); err != nil || n != 1 {
		t.Errorf("want the key under the prefix, have %d, %v", n, err)
	}
}

func TestCostsThatCannotBeAreErrors(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, newClient(t, testserver.StartRedis(t).Address), ratelimit.PerSecond(10), redislimit.Allow(), unhurried())
	for _, n := range []int{-1, 11} {
		if d, err := l.Take(t.Context(), "key", n); !errors.Is(err, ratelimit.ErrCost) {
			t.Errorf("%d: want an error of its cost, have %+v, %v", n, d, err)
		}
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	client := newClient(t, testserver.StartRedis(t).Address)
	l := newLimiter(t, client, ratelimit.Limit{Events: 100, Period: time.Second, Burst: 1000}, redislimit.Refuse(), unhurried())
	began := time.Now()
	take(t, l, "peeked at", 0)
	for _, key := range []string{"a", "b", "", "{", strings.Repeat("long", 100)} {
		take(t, l, key, 50)
	}
	if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 5 {
		t.Errorf("want a key for each, and none for one that nothing was taken of, have %d, %v", n, err)
	}
	await(t, "nothing in Redis", func() bool { return client.DBSize(t.Context()).Val() == 0 })
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("want the keys to stay as long as they say something, have none after %v", took)
	}
}

// TestAKeyOutlivesWhatItSays by a second, since Redis expires keys by a coarser clock than the one that decides.
func TestAKeyOutlivesWhatItSays(t *testing.T) {
	t.Parallel()
	client := newClient(t, testserver.StartRedis(t).Address)
	take(t, newLimiter(t, client, ratelimit.Limit{Events: 1, Period: hour, Burst: 10}, redislimit.Allow(), unhurried()), "key", 3)
	if left, err := client.PTTL(t.Context(), "ratelimit:test:{key}").Result(); err != nil || left < 3*hour+time.Second/10 || left > 3*hour+time.Second {
		t.Errorf("want the key for up to a second longer than 3 hours, have %v, %v", left, err)
	}
}

func TestAKeyThatHoldsSomethingElseIsAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	client := newClient(t, testserver.StartRedis(t).Address)
	l := newLimiter(t, client, ratelimit.PerSecond(10), redislimit.Allow(), unhurried())
	if err := errors.Join(
		client.Set(t.Context(), "ratelimit:test:{text}", "1 2 3", 0).Err(), client.LPush(t.Context(), "ratelimit:test:{list}", "1 2").Err(),
	); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"text", "list"} {
		if d, err := l.Take(t.Context(), key, 1); !errors.Is(err, redislimit.ErrForeign) || !strings.Contains(err.Error(), "ratelimit:test:{"+key+"}") {
			t.Errorf("%s: want an error that names the key, have %+v, %v", key, d, err)
		}
	}
	if s := l.Status(); s.Outages != 0 || s.Alone != (redislimit.Counts{}) {
		t.Errorf("want no outage, have %+v", s)
	}
}

func TestRightsThatSuffice(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	limiterAs := func(name string, rights ...string) *redislimit.Limiter {
		must(t, server, append([]string{"ACL", "SETUSER", name, "on", ">secret", "~ratelimit:*"}, rights...)...)
		client := redis.NewClient(&redis.Options{Addr: server.Address, Username: name, Password: "secret", ContextTimeoutEnabled: true})
		t.Cleanup(func() { client.Close() })
		return newLimiter(t, client, ratelimit.PerSecond(10), redislimit.Allow(), unhurried())
	}
	l := limiterAs("enough", "+eval", "+evalsha", "+get", "+set", "+time")
	take(t, l, "key", 1)
	if s := l.Status(); s.Outages != 0 || s.Shared.Allowed != 1 {
		t.Errorf("want a decision by Redis, have %+v", s)
	}
	l = limiterAs("blind", "+eval", "+evalsha", "+set", "+time")
	take(t, l, "key", 1)
	if s := l.Status(); !s.Gone || s.Err == nil || s.Alone.Allowed != 1 {
		t.Errorf("want Redis to be gone for who may not ask it, have %+v", s)
	}
}

// A clock that was set back, or a limit that was more, leaves a key that says more than it can.
func TestNobodyWaitsForMoreThanTheWhole(t *testing.T) {
	t.Parallel()
	client := newClient(t, testserver.StartRedis(t).Address)
	many := newLimiter(t, client, ratelimit.Limit{Events: 7, Period: hour, Burst: 700}, redislimit.Refuse(), unhurried())
	take(t, many, "key", 699)
	few := newLimiter(t, client, ratelimit.Limit{Events: 3, Period: time.Minute, Burst: 5}, redislimit.Refuse(), unhurried())
	if d := take(t, few, "key", 1); d.Allowed || d.RetryAfter != 20*time.Second || d.Reset != 100*time.Second {
		t.Errorf("want to wait for one event of 3 in a minute, have %+v", d)
	}
	take(t, many, "parts", 1) // leaves 2 of 7 parts of a microsecond, of which the next limiter has none
	whole := newLimiter(t, client, ratelimit.Limit{Events: 1, Period: hour, Burst: 10}, redislimit.Refuse(), unhurried())
	if d := take(t, whole, "parts", 1); !d.Allowed || d.Remaining != 8 || whole.Status().Gone {
		t.Errorf("want 8 of 10 to remain, and a part of the ninth, have %+v, %+v", d, whole.Status())
	}
}

func TestOneRoundTripIsEnough(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	client := newClient(t, server.Address)
	var calls counter
	client.AddHook(&calls)
	l := newLimiter(t, client, ratelimit.PerSecond(1000), redislimit.Refuse(), unhurried())
	const each = 10
	for range each {
		take(t, l, "key", 1)
	}
	if want := each; calls.of("evalsha") != want || calls.of("eval") != 1 { // the first has told Redis the script
		t.Errorf("want %d calls, and one with the script, have %v", want, calls.calls)
	}
	if err := client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for range each {
		take(t, l, "key", 1)
	}
	if want := 2 * each; calls.of("evalsha") != want || calls.of("eval") != 2 {
		t.Errorf("want %d calls, and the script once more after it was flushed, have %v", want, calls.calls)
	}
	server.Kill()
	server.Start()
	await(t, "a decision after a restart", func() bool {
		take(t, l, "key", 1)
		return !l.Status().Gone
	})
	if calls.of("eval") < 3 {
		t.Errorf("want the script again after a restart, have %v", calls.calls)
	}
}

func TestTheEndOfAContextIsAnError(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, newClient(t, testserver.StartRedis(t).Address), ratelimit.PerSecond(10), redislimit.Allow(), unhurried())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := l.Take(ctx, "key", 1); !errors.Is(err, context.Canceled) || d != (ratelimit.Decision{}) {
		t.Errorf("want no decision, have %+v, %v", d, err)
	}
	if s := l.Status(); s.Shared != (redislimit.Counts{}) || s.Alone != (redislimit.Counts{}) {
		t.Errorf("want nothing decided, have %+v", s)
	}
}

func TestALimiterThatIsClosedDecidesNothing(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, newClient(t, testserver.StartRedis(t).Address), ratelimit.PerSecond(10), redislimit.Allow(), unhurried())
	l.Close()
	l.Close()
	if d, err := l.Take(t.Context(), "key", 1); !errors.Is(err, redislimit.ErrClosed) || d != (ratelimit.Decision{}) {
		t.Errorf("want an error, have %+v, %v", d, err)
	}
}
