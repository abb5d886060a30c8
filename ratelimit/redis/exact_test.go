package redislimit_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// FuzzDecision compares what an answer is read as with the same in fractions, and sees that no answer does harm.
func FuzzDecision(f *testing.F) {
	f.Add(1000, int64(time.Second), 0, 1, int64(1), int64(999_000), int64(0))
	f.Add(3, int64(time.Second), 10, 2, int64(0), int64(3_000_000), int64(2))
	f.Add(1, int64(24*time.Hour), 1, 1, int64(0), int64(86_400_000_000), int64(0))
	f.Add(999_983, int64(24*time.Hour), 5, 5, int64(1), int64(5), int64(999_982))
	f.Add(1<<40, int64(1<<50), 1<<41, 1<<30, int64(1), int64(1<<50), int64(0))
	f.Add(1, int64(1), 1, 0, int64(1), int64(-1), int64(-1))
	f.Fuzz(func(t *testing.T, events int, period int64, burst, n int, allowed, micros, parts int64) {
		limit := ratelimit.Limit{Events: events, Period: time.Duration(period), Burst: burst}
		args, err := redislimit.Args(limit, 0)
		if err != nil || limit.CheckCost(n) != nil {
			return
		}
		d, err := redislimit.Decide(limit, n, []int64{allowed, micros, parts})
		if err != nil {
			return
		}
		each := new(big.Rat).SetFrac64(period, int64(events)) // in nanoseconds
		perMicro, ok := args[2].(uint64)
		if !ok {
			t.Fatalf("want the parts of a microsecond, have %v", args)
		}
		left := new(big.Rat).SetFrac(big.NewInt(parts), new(big.Int).SetUint64(perMicro))
		left.Add(left, new(big.Rat).SetInt64(micros))
		left.Mul(left, new(big.Rat).SetInt64(int64(time.Microsecond)))
		full := times(each, limit.Capacity())
		room := new(big.Rat).Quo(new(big.Rat).Sub(full, left), each)
		if want, have := new(big.Int).Quo(room.Num(), room.Denom()).Int64(), int64(d.Remaining); want != have {
			t.Errorf("%v left of %v: want %d remaining, have %d", left, limit, want, have)
		}
		if want := ceil(left); want != d.Reset {
			t.Errorf("%v left of %v: want a reset in %v, have %v", left, limit, want, d.Reset)
		}
		if d.Allowed {
			if d.RetryAfter != 0 {
				t.Errorf("want nothing to wait for, have %v", d.RetryAfter)
			}
			return
		}
		wanted := new(big.Rat).Add(left, times(each, n))
		if want := ceil(wanted.Sub(wanted, full)); want != d.RetryAfter || want == 0 {
			t.Errorf("%v left of %v, and %d wanted: want to wait %v, have %v", left, limit, n, want, d.RetryAfter)
		}
	})
}

func times(r *big.Rat, n int) *big.Rat { return new(big.Rat).Mul(r, new(big.Rat).SetInt64(int64(n))) }

func ceil(r *big.Rat) time.Duration {
	whole, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return time.Duration(whole.Int64())
}

func TestAnswersThatAreNoneOfTheScriptAreErrors(t *testing.T) {
	t.Parallel()
	limit := ratelimit.PerSecond(3) // all of it takes a second, and an event 333,333 µs and 1 of 3 parts
	for _, answer := range [][]int64{
		nil, {1, 0}, {1, 0, 0, 0}, {2, 0, 0}, {-1, 0, 0}, {1, -1, 0}, {1, 0, -1}, {1, 0, 3}, {1, 1_000_000, 1}, {1, math.MaxInt64, 0},
		{0, 0, 0}, // one event is refused, though all of it is there
	} {
		if d, err := redislimit.Decide(limit, 1, answer); err == nil {
			t.Errorf("%v: want an error, have %+v", answer, d)
		}
	}
	if d, err := redislimit.Decide(limit, 1, []int64{0, 999_999, 2}); err != nil || d.RetryAfter != 333_333_000 || d.Remaining != 0 {
		t.Errorf("want a third of a second less a third of a microsecond to wait, have %+v, %v", d, err)
	}
}

func TestLimitsThatCannotBeCountedExactlyAreRefused(t *testing.T) {
	t.Parallel()
	tooFine := ratelimit.Limit{Events: 1e16 + 1, Period: 2e16, Burst: 1}
	if args, err := redislimit.Args(tooFine, 1); err == nil {
		t.Errorf("want an error, have %v", args)
	}
	for _, limit := range []ratelimit.Limit{
		{Events: 4e12 + 1, Period: 1e13, Burst: 1}, {Events: math.MaxInt64, Period: math.MaxInt64, Burst: math.MaxInt32},
		{Events: 1, Period: ratelimit.MaxFill}, {Events: 1, Period: 1, Burst: math.MaxInt32},
	} {
		if _, err := redislimit.Args(limit, limit.Capacity()); err != nil {
			t.Errorf("%v: %v", limit, err)
		}
	}
}
