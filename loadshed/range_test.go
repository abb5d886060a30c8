package loadshed_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/loadshed/shedsim"
)

// The limit in force stays in its range, also where it would be lower or higher by far, and while it is lowered to compare.
func TestTheLimitStaysInItsRange(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ workers, least, first, most int }{{2, 10, 20, 30}, {100, 10, 20, 30}, {2, 12, 12, 12}, {50, 1, 1, 2}} {
		work := shedsim.Exponential(10 * time.Millisecond)
		c := shedsim.Config{
			Service: shedsim.Service{Workers: row.workers, Work: work}, Measure: 20 * time.Second, Loads: []shedsim.Load{{Rate: 20_000, Patience: time.Second}},
		}
		limits, _ := follow(t, c, loadshed.LimitRange(row.least, row.first, row.most))
		if least, most := slices.Min(limits), slices.Max(limits); least < row.least || most > row.most {
			t.Errorf("%d workers: want limits from %d to %d, have %d to %d", row.workers, row.least, row.most, least, most)
		}
	}
}

// What LimitRange begins with may be the least, and the limit rises from there.
func TestTheLimitRisesFromTheLeast(t *testing.T) {
	t.Parallel()
	for _, least := range []int{1, 2, 3, 10} {
		work := shedsim.Exponential(10 * time.Millisecond)
		c := shedsim.Config{
			Service: shedsim.Service{Workers: 60, Work: work}, Measure: 15 * time.Second, Loads: []shedsim.Load{{Rate: 12_000, Patience: time.Second}},
		}
		limits, _ := follow(t, c, loadshed.LimitRange(least, least, 1000))
		if have := between(limits, 10*time.Second, 15*time.Second); have < 45 || have > 122 {
			t.Errorf("from %d: want a limit of 45 to 122, have %d", least, have)
		}
	}
}

// Calls that end while they are counted may be counted as useless before they are counted at all, so that where all are useless the useful
// ones seem to become fewer.
func TestACountThatGoesBackMovesNothing(t *testing.T) {
	t.Parallel()
	const first = 20
	c, random := loadshed.NewClimber(first), newRandom()
	for i := range 10_000 {
		if have := c.Step(time.Duration(i)*50*time.Millisecond, 1000+random.Uint64N(5)); have > first {
			t.Fatalf("step %d: want a limit of %d or less, have %d", i, first, have)
		}
	}
}
