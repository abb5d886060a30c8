package main

import (
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/lb/lbsim"
)

func allPolicies() []policy {
	return []policy{
		{"random", "random", lb.Random},
		{"roundrobin", "round robin", lb.RoundRobin},
		{"weighted", "weighted round robin", lb.WeightedRoundRobin},
		{"leastrequest", "least request", func() lb.Policy { return lb.LeastRequest(2) }},
		{"hash", "consistent hash", func() lb.Policy { return lb.ConsistentHash() }},
		{"peakewma", "peak EWMA", lb.PeakEWMA},
	}
}

// scenario is what is wrong, and with how much to do.
type scenario struct {
	id, title, text string
	load            float64
	faults          func(measure time.Duration, instances int) []lbsim.Fault
}

func (s scenario) Name() string { return s.id }

const faulty = 10 // one of so many instances is at fault

func allScenarios() []scenario {
	tenth := func(n int) int { return n / faulty }
	return []scenario{
		{"healthy", "All are well", "At 80 % of what the instances can do.", 0.8,
			func(time.Duration, int) []lbsim.Fault { return nil }},
		{"slow", "One of ten is slow", "A tenth of the instances serve ten times slower. At 60 %.", 0.6,
			func(measure time.Duration, n int) []lbsim.Fault {
				return []lbsim.Fault{{Instances: tenth(n), To: measure, Slow: 10}}
			}},
		{"failing", "One of ten fails", "A tenth of the instances fail at once. At 60 %.", 0.6,
			func(measure time.Duration, n int) []lbsim.Fault {
				return []lbsim.Fault{{Instances: tenth(n), To: measure, Failing: true}}
			}},
		{"restart", "One of ten is killed, and comes back cold",
			"After a quarter of the time a tenth of the instances are killed with the calls that they have; for a quarter they cannot be reached, " +
				"and for another they serve three times slower. At 60 %.", 0.6,
			func(measure time.Duration, n int) []lbsim.Fault {
				quarter := measure / 4
				return []lbsim.Fault{
					{Instances: tenth(n), From: quarter, To: 2 * quarter, Down: true},
					{Instances: tenth(n), From: 2 * quarter, To: 3 * quarter, Slow: 3},
				}
			}},
	}
}
