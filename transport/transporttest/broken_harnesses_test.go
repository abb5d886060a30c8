package transporttest_test

import (
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/transport/transporttest"
)

func brokenHarnesses() []breakage {
	return []breakage{{
		name: "declares nothing",
		notice: []string{
			"Peer", "CancelAtOnce", "OversizedRequest", "OversizedResponse", "Shutdown", "ShutdownOfStreams", "Closed", "MiddlewareEnd",
		},
		harness: func(h *transporttest.Harness) { h.Differences, h.Patience = nil, time.Second },
	}, {
		name:   "declares what does not occur",
		notice: []string{"Codes"},
		harness: func(h *transporttest.Harness) {
			h.Differences = append(h.Differences, transporttest.Difference{Check: "Codes", Have: "have unknown", Reason: "a mistake"})
		},
	}, {
		name:   "declares one thing and does another",
		notice: []string{"OversizedRequest"},
		harness: func(h *transporttest.Harness) {
			i := slices.IndexFunc(h.Differences, func(d transporttest.Difference) bool { return d.Check == "OversizedRequest" })
			h.Differences[i].Have = "have internal"
		},
	}, {
		name:   "shares the memory of messages",
		notice: []string{"Apart"},
		harness: func(h *transporttest.Harness) {
			*h = inprocHarness()
			h.Differences = slices.DeleteFunc(h.Differences, func(d transporttest.Difference) bool { return d.Check == "Apart" })
		},
	}}
}
