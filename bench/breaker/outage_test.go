package breaker_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

const (
	pace   = 10 * time.Millisecond
	begins = 20 * time.Second
	ends   = 40 * time.Second
	over   = 60 * time.Second
)

// outage is how a breaker does in one.
type outage struct {
	first   time.Duration // until the first call is refused
	most    time.Duration // until 99 % of those of a second are, to the end of the outage
	refused float64       // 5 s after it began
	back    time.Duration // until 95 % of those of 200 ms pass again, and go on to do so
}

// throughOutage makes a hundred calls a second, all of which fail for 20 s.
func throughOutage(call call) outage {
	var refused []time.Duration
	start := time.Now()
	for {
		at := time.Since(start)
		if at >= over {
			break
		}
		var err error
		if at >= begins && at < ends {
			err = errDown
		}
		if !call(err) {
			refused = append(refused, at)
		}
		<-time.After(pace)
	}
	count := func(from, to time.Duration) (n int) {
		for _, at := range refused {
			if at >= from && at < to {
				n++
			}
		}
		return n
	}
	o := outage{first: -1, most: ends - begins}
	for _, at := range refused {
		if at >= begins {
			o.first = at - begins
			break
		}
	}
	const second, step = time.Second, 200 * time.Millisecond
	for from := ends - second; from >= begins && count(from, from+second) >= 99; from -= 100 * time.Millisecond {
		o.most = from - begins
	}
	o.refused = float64(count(begins+5*second, ends)) / float64((ends-begins-5*second)/pace)
	for from := ends; from < over; from += step {
		if float64(count(from, from+step)) > 0.05*float64(step/pace) {
			o.back = from + step - ends
		}
	}
	return o
}

// TestOutageTable writes the table: go test -run OutageTable -v ./breaker.
func TestOutageTable(t *testing.T) {
	t.Parallel()
	const runs = 9
	t.Log("| | first refused after | 99 % of a second refused after | refused from 5 s on | 95 % pass again after |")
	for _, c := range contestants()[:3] { // the others wait for a minute, or as they are told
		var first, most, back []time.Duration
		var refused []float64
		for range runs {
			synctest.Test(t, func(t *testing.T) {
				o := throughOutage(c.new(t))
				first, most, back, refused = append(first, o.first), append(most, o.most), append(back, o.back), append(refused, o.refused)
			})
		}
		slices.Sort(refused)
		t.Logf("| %s | %v | %v | %.1f %% | %v |", c.name, median(first), median(most), 100*refused[runs/2], median(back))
		if c.name == "ashlar" && (median(first) > time.Second || median(most) > 5*time.Second || median(back) > 3*time.Second) {
			t.Error("want 1 s, 5 s and 3 s")
		}
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
