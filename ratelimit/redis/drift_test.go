package redislimit_test

import (
	_ "embed"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// driver calls the script in the Lua of Redis, with a clock of its own that begins now and moves by a step before each call, and returns how
// many of the calls were allowed.
//
//go:embed testdata/drift.lua
var driver string

// Somebody asks so often that nothing that comes back is left unused: there is always room for it. What is allowed by then is known exactly, and must be the same, however
// long it goes on.
func TestNothingDrifts(t *testing.T) {
	t.Parallel()
	client := newClient(t, testserver.StartRedis(t).Address)
	const hour = time.Hour
	for _, row := range []struct {
		limit ratelimit.Limit
		n     int
		step  time.Duration // in which less than n come back
		calls int
	}{
		{ratelimit.PerSecond(1000), 1, 700 * time.Microsecond, 200_000},
		{ratelimit.Limit{Events: 1000, Period: time.Second, Burst: 2}, 1, 999 * time.Microsecond, 200_000},
		{ratelimit.PerSecond(1_000_000), 1000, 700 * time.Microsecond, 200_000},
		{ratelimit.Limit{Events: 1_000_000, Period: time.Second, Burst: 100}, 7, 6 * time.Microsecond, 200_000},
		{ratelimit.Limit{Events: 1, Period: 24 * hour, Burst: 2}, 1, 7*hour + 13*time.Minute, 50_000}, // 41 years
		{ratelimit.Limit{Events: 1, Period: 24 * hour, Burst: 100}, 1, 11*hour + 59*time.Minute + 59*time.Second, 15_000},
		{ratelimit.PerSecond(3), 1, 300 * time.Millisecond, 200_000}, // a third of a second is no number of microseconds
		{ratelimit.PerSecond(700_001), 700, 900 * time.Microsecond, 200_000},
		{ratelimit.Limit{Events: 3, Period: 7, Burst: 10_000_000}, 1_000_000, 2 * time.Millisecond, 200_000}, // an event in 2 1/3 ns
		{ratelimit.Limit{Events: 3, Period: 7, Burst: 100}, 1, 0, 200},                                       // all of it in less than a microsecond
		{ratelimit.Limit{Events: 999_983, Period: 24 * hour, Burst: 99}, 1, 50 * time.Millisecond, 200_000},
	} {
		args, err := redislimit.Args(row.limit, row.n)
		if err != nil {
			t.Fatal(err)
		}
		script := strings.Replace(driver, "SOURCE", redislimit.Source(), 1)
		have, err := client.Eval(t.Context(), script, []string{"key"}, append(args, row.calls, row.step.Microseconds())...).Int64()
		if err != nil {
			t.Fatal(err)
		}
		// All of the capacity, and what has come back from the first call to the last.
		back := new(big.Int).Mul(big.NewInt(int64(row.calls-1)*row.step.Nanoseconds()), big.NewInt(int64(row.limit.Events)))
		back.Add(back, new(big.Int).Mul(big.NewInt(int64(row.limit.Capacity())), big.NewInt(int64(row.limit.Period))))
		want := back.Div(back, big.NewInt(int64(row.limit.Period)*int64(row.n))).Int64()
		name := fmt.Sprintf("%v, %d at a time", row.limit, row.n)
		if want >= int64(row.calls) {
			t.Errorf("%s: %d are allowed of %d calls, which is no test", name, want, row.calls)
		}
		if want != have {
			t.Errorf("%s: want %d allowed of %d in %v, have %d", name, want, row.calls, time.Duration(row.calls-1)*row.step, have)
		}
	}
}
