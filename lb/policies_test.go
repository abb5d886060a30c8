package lb_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// newNodes returns nodes with these weights, and their clock.
func newNodes(weights ...int) ([]*lb.Node, *lb.Clock) {
	clock := lb.NewClock()
	nodes := make([]*lb.Node, len(weights))
	for i, w := range weights {
		nodes[i] = lb.NewNode(sd.Instance{ID: "n" + strconv.Itoa(i), Address: strconv.Itoa(i), Weight: w}, clock)
	}
	return nodes, clock
}

func TestRoundRobinTakesTurns(t *testing.T) {
	t.Parallel()
	nodes, _ := newNodes(1, 9, 1, 1)
	picker := lb.RoundRobin().Picker(nodes)
	first := picker.Pick(t.Context(), nil)
	for i := 1; i < 100; i++ {
		if want, have := (first+i)%4, picker.Pick(t.Context(), nil); want != have {
			t.Fatalf("want number %d, have %d", want, have)
		}
	}
}

// At each moment each instance has had its due, but for five calls or less; so nobody is left waiting, and nobody gets many in a row.
func TestWeightedRoundRobinIsSmooth(t *testing.T) {
	t.Parallel()
	many := make([]int, 1000)
	for i := range many {
		many[i] = 1 + i*i%97
	}
	for _, weights := range [][]int{
		{5, 1, 1}, {1, 2, 3, 4}, {1, 1000}, {65_535, 1}, {3, 3, 3, 2}, {100, 1, 1, 1, 1, 1, 1, 1, 1, 1}, many,
	} {
		sum := 0
		for _, w := range weights {
			sum += w
		}
		nodes, _ := newNodes(weights...)
		picker := lb.WeightedRoundRobin().Picker(nodes)
		counts, worst := make([]float64, len(weights)), 0.0
		for n := 1; n <= 200_000; n++ {
			i := picker.Pick(t.Context(), nil)
			counts[i]++
			worst = max(worst, math.Abs(counts[i]-float64(n)*float64(weights[i])/float64(sum)))
		}
		for i, c := range counts {
			worst = max(worst, math.Abs(c-200_000*float64(weights[i])/float64(sum)))
		}
		if worst > 5 {
			t.Errorf("with %d weights, the first %d: one is %.1f calls off its due", len(weights), weights[0], worst)
		}
	}
}

func TestLeastRequestFollowsLoadAndWeight(t *testing.T) {
	t.Parallel()
	for _, choices := range []int{2, 5, 100} {
		nodes, _ := newNodes(1, 2, 3, 4, 10)
		picker := lb.LeastRequest(choices).Picker(nodes)
		for range 2000 {
			nodes[picker.Pick(t.Context(), nil)].Begin()
		}
		for i, n := range nodes { // calls that never end are shared out by weight
			want, have := 2000*n.Share()/20, float64(n.InFlight())
			if math.Abs(want-have) > 8*n.Share() {
				t.Errorf("%d choices: want some %v calls at number %d, have %v", choices, want, i, have)
			}
		}
	}
	for _, choices := range []int{-1, 0, 1, 101} {
		func() {
			defer func() {
				if v, ok := recover().(string); !ok || !strings.Contains(v, "want 2 to 100") {
					t.Errorf("LeastRequest(%d): want a panic that says why, have %v", choices, v)
				}
			}()
			lb.LeastRequest(choices)
		}()
	}
}

// With weights that differ much, and with many that are the same.
func TestChoicesAreDrawnByWeight(t *testing.T) {
	t.Parallel()
	many := make([]int, 1000)
	for i := range many {
		many[i] = 1 + i%3
	}
	for _, weights := range [][]int{{65_535, 1}, {1, 10, 100, 1000}, many} {
		nodes, _ := newNodes(weights...)
		picker, counts, sum := lb.LeastRequest(2).Picker(nodes), make([]int, len(nodes)), 0
		for _, w := range weights {
			sum += w
		}
		const picks = 300_000
		for range picks {
			counts[picker.Pick(t.Context(), nil)]++
		}
		for i, w := range weights {
			want := picks * float64(w) / float64(sum)
			if have := float64(counts[i]); math.Abs(want-have) > 6*math.Sqrt(want)+1 {
				t.Errorf("of %d weights number %d, which is %d: want some %.0f picks, have %.0f", len(weights), i, w, want, have)
			}
		}
	}
}

// simulate makes calls one after the other, of which a node's take so long and fail so often, and returns what part each node got. Of
// the calls so many are in flight at a time.
func simulate(policy lb.Policy, weights []int, inFlight int, took func(i int) time.Duration, fails func(i int) bool) []float64 {
	const calls = 100_000
	nodes, clock := newNodes(weights...)
	picker := policy.Picker(nodes)
	type call struct {
		node int
		ends time.Duration
		took time.Duration
	}
	var (
		now    time.Duration
		open   []call
		counts = make([]float64, len(weights))
	)
	for range calls {
		for len(open) >= inFlight {
			first := 0
			for k := range open {
				if open[k].ends < open[first].ends {
					first = k
				}
			}
			c := open[first]
			open = append(open[:first], open[first+1:]...)
			now = max(now, c.ends)
			clock.Set(now)
			nodes[c.node].Observe(now, c.took, fails(c.node))
			nodes[c.node].End()
		}
		i := picker.Pick(nil, nil) //nolint:staticcheck // no policy but ConsistentHash looks at it
		nodes[i].Begin()
		counts[i] += 1.0 / calls
		d := took(i)
		open = append(open, call{i, now + d, d})
		now += 100 * time.Microsecond
	}
	return counts
}

func never(int) bool { return false }

func TestPeakEWMASparesTheSlow(t *testing.T) {
	t.Parallel()
	parts := simulate(lb.PeakEWMA(), make([]int, 10), 20, func(i int) time.Duration {
		d := time.Millisecond + time.Duration(rand.Int64N(int64(time.Millisecond)/4))
		if i == 3 {
			d *= 10
		}
		return d
	}, never)
	if parts[3] > 0.02 {
		t.Errorf("want at most 2%% of the calls at an instance that is ten times slower, have %.1f%%", 100*parts[3])
	}
}

func TestPeakEWMASparesTheBroken(t *testing.T) {
	t.Parallel()
	parts := simulate(lb.PeakEWMA(), make([]int, 10), 20, func(i int) time.Duration {
		if i == 3 {
			return 10 * time.Microsecond
		}
		return time.Millisecond
	}, func(i int) bool { return i == 3 })
	if parts[3] > 0.005 {
		t.Errorf("want hardly any calls at an instance that fails fast, have %.1f%%", 100*parts[3])
	}
}

// Failed calls now and then, as any service has, do not hide which instances are slow.
func TestPeakEWMASeesTheSlowAmongFailures(t *testing.T) {
	t.Parallel()
	parts := simulate(lb.PeakEWMA(), make([]int, 4), 10, func(i int) time.Duration {
		if i == 0 {
			return 10 * time.Millisecond
		}
		return time.Millisecond
	}, func(int) bool { return rand.IntN(20) == 0 })
	if parts[0] > 0.08 {
		t.Errorf("want few calls at an instance that is ten times slower, have %.1f%%", 100*parts[0])
	}
}

func TestPeakEWMAHeedsWeights(t *testing.T) {
	t.Parallel()
	weights := []int{1, 1, 1, 1, 6, 10}
	parts := simulate(lb.PeakEWMA(), weights, 40, func(int) time.Duration { return time.Millisecond }, never)
	for i, w := range weights {
		if want, have := float64(w)/20, parts[i]; math.Abs(want-have) > 0.04 {
			t.Errorf("want %.2f of the calls at number %d, whose weight is %d, have %.2f", want, i, w, have)
		}
	}
}

func TestANodeThatWasIdleForDays(t *testing.T) {
	t.Parallel()
	nodes, clock := newNodes(1)
	n := nodes[0]
	observe := func(at, took time.Duration) {
		clock.Set(at)
		n.Observe(at, took, false)
	}
	observe(time.Hour, time.Second)
	for _, idle := range []time.Duration{time.Hour, 40 * time.Hour, 60 * time.Hour, 75 * time.Hour} {
		at := time.Hour + idle
		clock.Set(at)
		if have := n.Cost(); have > float64(time.Microsecond) {
			t.Errorf("after %v: want next to nothing, have %v", idle, time.Duration(have))
		}
		observe(at, 100*time.Millisecond)
		observe(at+time.Minute, time.Millisecond) // and goes on as if nothing had been
		if have := time.Duration(n.Cost()); have < time.Millisecond || have > 2*time.Millisecond {
			t.Errorf("after %v, and a minute more: want about a millisecond, have %v", idle, have)
		}
		observe(time.Hour, time.Second) // which is where it was
		n = lb.NewNode(n.Instance(), clock)
		observe(time.Hour, time.Second)
	}
}

// Of two calls that end at the same time the one whose time was read first may be told last.
func TestAnObservationThatIsLate(t *testing.T) {
	t.Parallel()
	nodes, clock := newNodes(1)
	clock.Set(time.Minute)
	nodes[0].Observe(time.Minute, 50*time.Millisecond, false)
	nodes[0].Observe(time.Minute-10*time.Millisecond, time.Millisecond, false)
	nodes[0].Observe(time.Minute-30*time.Second, time.Millisecond, false)
	if want, have := float64(50*time.Millisecond), nodes[0].Cost(); math.Abs(want-have) > 1 {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestPeakEWMATakesTheBrokenToBe128TimesDearerAtMost(t *testing.T) {
	t.Parallel()
	for inFlight, want := range map[int]int{100: 1, 200: 0} {
		nodes, _ := newNodes(1, 1)
		for _, n := range nodes {
			n.Observe(0, time.Millisecond, false)
		}
		for range 1000 {
			nodes[0].Observe(0, 0, true)
		}
		for range inFlight {
			nodes[1].Begin()
		}
		if have := lb.PeakEWMA().Picker(nodes).Pick(t.Context(), nil); want != have {
			t.Errorf("with %d calls in flight at the other: want number %d, have %d", inFlight, want, have)
		}
	}
}

// Reading the clock costs more than all else, so that of many calls only some are timed, and of few all.
func TestHowManyCallsAreTimed(t *testing.T) {
	t.Parallel()
	nodes, _ := newNodes(1)
	n, now := nodes[0], time.Duration(0)
	timed := func(calls int, every time.Duration) (count int) {
		for range calls {
			if n.Begin() {
				count++
				n.Observe(now, time.Millisecond, false)
			}
			n.End()
			now += every
		}
		return count
	}
	timed(1000, 100*time.Microsecond)
	if want, have := 100, timed(1600, 100*time.Microsecond); want != have {
		t.Errorf("at ten thousand calls a second: want one in 16 timed, %d, have %d", want, have)
	}
	timed(100, 10*time.Millisecond)
	if want, have := 100, timed(100, 10*time.Millisecond); want != have {
		t.Errorf("at a hundred calls a second: want all %d timed, have %d", want, have)
	}
}
