package main

import (
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/cmd/stormsim/chain"
)

const (
	end       = 10 * time.Second // of a run, when all should be well again
	wellAgain = 0.95             // of the calls are answered in time
	window    = 2 * time.Second  // that of the retry budget

	tableHead = `| | answered: before | during | last 10 s | load: before | during | worst 2 s | last 10 s | well again after |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`
)

// row is what came of several runs: averages, and of peaks and recoveries the worst.
func row(p policy, f chain.Fault, length time.Duration, results []*chain.Result) string {
	type sums struct{ good, load float64 }
	var before, during, after sums
	var peak float64
	recovery, recovered := time.Duration(0), true
	for _, r := range results {
		for _, part := range []struct {
			*sums

			from, to time.Duration
		}{{&before, 0, f.From - calm/2}, {&during, f.From, f.To}, {&after, length - end, length}} {
			part.good += r.Share(part.from, part.to) / float64(len(results))
			part.load += r.Amplification(part.from, part.to) / float64(len(results))
		}
		peak = max(peak, r.Peak(window))
		took, ok := r.Recovery(wellAgain)
		recovery, recovered = max(recovery, took), recovered && ok
	}
	again := "never"
	if recovered {
		again = fmt.Sprintf("%.1f s", recovery.Seconds())
	}
	const percent = 100
	return fmt.Sprintf("| %s | %.0f %% | %.0f %% | %.0f %% | %.2f | %.2f | %.2f | %.2f | %s |", p.title,
		percent*before.good, percent*during.good, percent*after.good, before.load, during.load, peak, after.load, again)
}
