package ratelimit_test

import (
	"math/big"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/transport"
)

// FuzzExactly compares a Local with a bucket of rational numbers, in virtual time: what is allowed, what remains, and that what was refused
// is allowed after RetryAfter, and a nanosecond or two before is not.
func FuzzExactly(f *testing.F) {
	f.Add(7, int64(time.Second), 0, []byte{1, 1, 1, 1, 1, 1, 1, 1, 200, 1})
	f.Add(3, int64(time.Hour), 10, []byte{250, 4, 200, 4, 3, 3, 3})
	f.Add(600_000, int64(time.Second), 5, []byte{1, 2, 3, 4, 5, 128, 129, 130, 131, 1})
	f.Add(1, int64(1), 1, []byte{1, 1, 1})
	f.Add(999_999_937, int64(time.Second), 3, []byte{3, 128, 1, 129, 1, 130, 1})
	f.Fuzz(func(t *testing.T, events int, period int64, burst int, steps []byte) {
		limit := ratelimit.Limit{Events: events, Period: time.Duration(period), Burst: burst}
		if limit.Check() != nil || len(steps) > 100 || limit.Period > 365*24*time.Hour || limit.Fill(limit.Capacity()) > 365*24*time.Hour {
			t.Skip()
		}
		synctest.Test(t, func(t *testing.T) { compare(t, limit, steps) })
	})
}

func compare(t *testing.T, limit ratelimit.Limit, steps []byte) {
	t.Helper()
	l := must(ratelimit.New(limit))
	perNano := big.NewRat(int64(limit.Events), int64(limit.Period))
	capacity := new(big.Rat).SetInt64(int64(limit.Capacity()))
	tokens, last := new(big.Rat).Set(capacity), time.Now()
	fill := func() {
		passed := new(big.Rat).SetInt64(int64(time.Since(last)))
		last = time.Now()
		if tokens.Add(tokens, passed.Mul(passed, perNano)); tokens.Cmp(capacity) > 0 {
			tokens.Set(capacity)
		}
	}
	// The state of a bucket is exact; the time is rounded to a tick, which is up to two nanoseconds.
	slack := new(big.Rat).Mul(big.NewRat(2, 1), perNano)
	for i, step := range steps {
		const waits = 128
		if step >= waits {
			<-time.After(limit.Fill(limit.Capacity()) * time.Duration(step-waits) / 100)
			continue
		}
		n := min(int(step), limit.Capacity())
		fill()
		d, err := l.Take(t.Context(), "", n)
		if err != nil {
			t.Fatal(err)
		}
		want := new(big.Rat).SetInt64(int64(n))
		least, most := new(big.Rat).Sub(tokens, slack), new(big.Rat).Add(tokens, slack)
		if d.Allowed && want.Cmp(most) > 0 || !d.Allowed && want.Cmp(least) < 0 {
			t.Fatalf("step %d, %v: taking %d with %v there: have %+v", i, limit, n, tokens.FloatString(9), d)
		}
		if !d.Allowed {
			<-time.After(d.RetryAfter)
			fill()
			if d, err = l.Take(t.Context(), "", n); err != nil || !d.Allowed {
				t.Fatalf("step %d, %v: after RetryAfter: have %+v, %v", i, limit, d, err)
			}
		}
		tokens.Sub(tokens, want)
		left := new(big.Rat).SetInt64(int64(d.Remaining))
		if low := new(big.Rat).Sub(tokens, slack); left.Cmp(low.Sub(low, big.NewRat(1, 1))) < 0 || left.Cmp(new(big.Rat).Add(tokens, slack)) > 0 {
			t.Fatalf("step %d, %v: want %v left, have %+v", i, limit, tokens.FloatString(9), d)
		}
		if tokens.Sign() < 0 { // within the slack
			tokens.SetInt64(0)
		}
	}
}

// TestLocalAtOnce has calls that have read the clock before another took all that there was.
func TestLocalAtOnce(t *testing.T) {
	t.Parallel()
	l := must(ratelimit.New(ratelimit.Limit{Events: 1_000_000, Period: time.Second, Burst: 3}))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 50_000 {
				n := g % 2 * 3
				d := must(l.Take(t.Context(), "", n))
				if d.Remaining < 0 || d.Reset > 3*time.Microsecond || d.RetryAfter > d.Reset || n == 0 && !d.Allowed {
					t.Errorf("taking %d: have %+v", n, d)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestLocalForgets has more keys than it may know.
func TestLocalForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 1000
		l := must(ratelimit.New(ratelimit.PerMinute(60), ratelimit.LocalMaxKeys(most)))
		take := func(key string, n int) ratelimit.Decision { return must(l.Take(t.Context(), key, n)) }
		for i := range 3 * most { // each is full again after a second, in which there are 100 others
			take(strconv.Itoa(i), 1)
			<-time.After(time.Second / 100)
		}
		if s := l.Status(); s.Evicted != 0 || s.Keys > most || s.MaxKeys != most || s.Limit != ratelimit.PerMinute(60) {
			t.Errorf("want none evicted, since enough of them are full again, have %+v", s)
		}
		take("used up", 60)
		for i := range 3 * most { // none is full again
			take("again "+strconv.Itoa(i), 60)
			if take("used up", 1).Allowed {
				t.Fatalf("after %d others: want the one that is used all the time to be remembered", i)
			}
		}
		if s := l.Status(); s.Evicted < most || s.Keys > most {
			t.Errorf("want it said that keys were evicted, have %+v", s)
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	limiter := must(ratelimit.New(ratelimit.PerSecond(1e9)))
	quiet := func(opts ...ratelimit.Option) *ratelimit.Gate {
		return must(ratelimit.NewGate(limiter, append(opts, ratelimit.NoFields())...))
	}
	for name, row := range map[string]struct {
		gate *ratelimit.Gate
		want float64
	}{
		"erroring":                  {must(ratelimit.Erroring(never())), 0},
		"delaying":                  {must(ratelimit.Delaying(never())), 0},
		"a limiter":                 {quiet(), 0},
		"by peer":                   {quiet(ratelimit.By(ratelimit.KeyPeer())), 0},
		"by network":                {quiet(ratelimit.By(ratelimit.KeyPeerNetwork(32, 64))), 0},
		"by header":                 {quiet(ratelimit.By(ratelimit.KeyHeader("Who"))), 0},
		"by request, with its cost": {quiet(ratelimit.By(ratelimit.KeyOf(func(r string) string { return r })), ratelimit.Cost(func(r string) int { return len(r) })), 0},
		"per operation":             {quiet(ratelimit.PerOperation()), 0},
		"per operation and key":     {quiet(ratelimit.PerOperation(), ratelimit.By(ratelimit.KeyPeer())), 1},
		"a quota":                   {must(ratelimit.NewGate(must(ratelimit.NewQuota(1e9, ratelimit.Daily(nil))), ratelimit.NoFields())), 0},
		"with fields":               {must(ratelimit.NewGate(limiter)), 2},
	} {
		ctx, info := served(t.Context(), "192.0.2.1:4711", transport.HeaderMap{"Who": {"ada"}})
		h := row.gate.Middleware(spec, nothing)
		if have := testing.AllocsPerRun(1000, func() {
			info.Response.Set("Ratelimit")
			info.Response.Set("Ratelimit-Policy")
			if err := call(ctx, h); err != nil {
				t.Fatal(err)
			}
		}); row.want != have {
			t.Errorf("%s: want %v allocations, have %v", name, row.want, have)
		}
	}
}
