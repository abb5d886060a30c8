package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/ashlar-go/ashlar/internal/overload"
	"github.com/ashlar-go/ashlar/internal/plot"
)

// stormed is what became of the calls over time.
type stormed struct {
	shed   bool
	phases []overload.Phase
	step   time.Duration
	series []overload.Summary
}

// storm makes runs in which ten times the capacity come between calm times, and prints how the service fares after that.
func storm(ctx context.Context, every time.Duration, start starter, out io.Writer) (storms []stormed, err error) {
	const much = 10
	phases := []overload.Phase{
		{Rate: calm * capacity, For: every / 2}, {Rate: much * capacity, For: every}, {Rate: calm * capacity, For: every / 2},
	}
	fmt.Fprintf(out, "\n%v at %.1f times the capacity, %v at %d times, %v at %.1f times\n\n", every/2, calm, every, much, every/2, calm)
	for _, shed := range modes {
		load, calls, err := drive(ctx, start, shed, phases...)
		if err != nil {
			return nil, err
		}
		last := len(phases) - 1
		after := overload.Summarize(load.InPhase(calls, last, 0), phases[last].For)
		fmt.Fprintf(out, "shedding %-4s after the storm %3.0f %% of the calls are served, p99 %v\n", onOff(shed)+":",
			percent*after.Goodput/after.Offered, after.P99.Round(time.Millisecond))
		const steps = 80
		step := every * 2 / steps
		storms = append(storms, stormed{shed: shed, phases: phases, step: step, series: load.Series(calls, step)})
	}
	return storms, nil
}

// draw writes the chart.
func draw(w io.Writer, storms []stormed) error {
	goodput := plot.Chart{Title: "Goodput, as a share of the capacity", X: plot.Axis{Label: "seconds"}, Y: plot.Axis{Max: 1.2}}
	p99 := plot.Chart{Title: "p99 of what is served, ms", X: goodput.X, Y: plot.Axis{Max: float64(timeout.Milliseconds())}}
	refused := plot.Chart{Title: "Refused, as a share of the calls", X: goodput.X, Y: plot.Axis{Max: 1}}
	for _, s := range storms {
		name := "without shedding"
		if s.shed {
			name = "with"
		}
		line := func(value func(overload.Summary) float64) plot.Line {
			l := plot.Line{Name: name}
			for i, summary := range s.series {
				l.X = append(l.X, (time.Duration(i)*s.step + s.step/2).Seconds())
				l.Y = append(l.Y, value(summary))
			}
			return l
		}
		goodput.Lines = append(goodput.Lines, line(func(s overload.Summary) float64 { return s.Goodput / capacity }))
		p99.Lines = append(p99.Lines, line(func(s overload.Summary) float64 {
			if s.P99 == 0 {
				return math.NaN()
			}
			return float64(s.P99.Milliseconds())
		}))
		refused.Lines = append(refused.Lines, line(func(s overload.Summary) float64 { return s.Refused }))
	}
	from := storms[0].phases[0].For
	band := plot.Band{Label: "ten times the capacity", From: from.Seconds(), To: (from + storms[0].phases[1].For).Seconds()}
	goodput.Bands, p99.Bands, refused.Bands = []plot.Band{band}, []plot.Band{band}, []plot.Band{band}
	return plot.WriteSVG(w, "What becomes of the calls of a service that gets ten times what it can serve, for a while", goodput, p99, refused)
}
