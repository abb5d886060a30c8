package main

import (
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/cmd/internal/simulate"
	"github.com/ashlar-go/ashlar/cmd/stormsim/chain"
)

const (
	begins = 3 * time.Second
	ends   = begins + 5*time.Second
	length = ends + 5*time.Second
)

// storm simulates a fault with the policy of that name, in less time than the command does.
func storm(t *testing.T, f fault, name string) *chain.Result {
	t.Helper()
	chosen, err := simulate.Choose("", name, allPolicies())
	if err != nil {
		t.Fatal(err)
	}
	config := configOf(chosen[0], f.fault, length)
	config.Fault.From, config.Fault.To = begins, ends
	result, err := runOne(t, config)
	if err != nil {
		t.Fatal(err)
	}
	const calm = begins / 2 // those who come later may have to wait for the fault to end
	if share, load := result.Share(0, calm), result.Amplification(0, calm); share < 0.99 || load > 1.05 {
		t.Errorf("%s, %s: want all well before the fault, have %.3f answered, and %.2f attempts a call", f.id, name, share, load)
	}
	return result
}

// Without this the others prove nothing: what keeps the service down is no fault any more, but the retries.
func TestRetriesAloneKeepAServiceDown(t *testing.T) {
	t.Parallel()
	for _, f := range allFaults() {
		t.Run(f.id, func(t *testing.T) {
			t.Parallel()
			r := storm(t, f, "naive")
			const from = length - 2*time.Second
			if share, load := r.Share(from, length), r.Amplification(from, length); share > 0.1 || load < 9 {
				t.Errorf("want at most 10 %% answered, and 9 attempts a call or more, long after the fault, have %.3f and %.1f", share, load)
			}
			if took, ok := r.Recovery(wellAgain); ok {
				t.Errorf("want it never well again, have it after %v", took)
			}
		})
	}
}

func TestDeadlinesAndBudgetsPreventThat(t *testing.T) {
	t.Parallel()
	for _, f := range allFaults() {
		t.Run(f.id, func(t *testing.T) {
			t.Parallel()
			r := storm(t, f, "all")
			if load := r.Amplification(begins, ends); load > 1.25 {
				t.Errorf("want at most 1.25 attempts a call while it lasts, have %.2f", load)
			}
			if load := r.Peak(window); load > 1.35 {
				t.Errorf("want at most 1.35 in the worst 2 s, have %.2f", load)
			}
			if took, ok := r.Recovery(wellAgain); !ok || took > 2*time.Second {
				t.Errorf("want it well again after 2 s, have %v, %t", took, ok)
			}
		})
	}
}

// Ejection is for instances that are worse than others, and must not take capacity from a service that has too little.
func TestPoolsThatEjectDoNotDelayRecovery(t *testing.T) {
	t.Parallel()
	for _, f := range allFaults() {
		t.Run(f.id, func(t *testing.T) {
			t.Parallel()
			r := storm(t, f, "eject")
			if took, ok := r.Recovery(wellAgain); !ok || took > 3*time.Second {
				t.Errorf("want it well again after 3 s, have %v, %t", took, ok)
			}
			if have := r.Share(begins, ends); f.id == "half" && have < 0.5 {
				t.Errorf("want half of the calls answered at half of the capacity, have %.3f", have)
			}
		})
	}
}

// Each of the two alone leaves much more load.
func TestNeitherIsEnough(t *testing.T) {
	t.Parallel()
	half, stall := allFaults()[0], allFaults()[1]
	budget := storm(t, half, "budget")
	if took, ok := budget.Recovery(wellAgain); ok {
		t.Errorf("the budget alone: want it never well again, have it after %v", took)
	}
	travel := storm(t, stall, "travel")
	if load := travel.Amplification(begins, ends); load < 1.4 {
		t.Errorf("deadlines alone: want 1.4 attempts a call or more, have %.2f", load)
	}
}
