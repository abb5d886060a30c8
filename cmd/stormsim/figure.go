package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ashlar-go/ashlar/cmd/stormsim/chain"
	"github.com/ashlar-go/ashlar/internal/plot"
)

// draw writes the figure of a fault.
func draw(opts options, f fault, results []*chain.Result) error {
	across := plot.Axis{Label: "seconds", Max: opts.length.Seconds()}
	bands := []plot.Band{{Label: f.band, From: f.fault.From.Seconds(), To: f.fault.To.Seconds()}}
	good := plot.Chart{
		Title: f.title + ": calls of users that are answered in time",
		X:     across, Y: plot.Axis{Label: "of all calls, %", Max: 100}, Bands: bands,
	}
	load := plot.Chart{
		Title: "Attempts that reach the back tier, for each call of a user",
		X:     across, Y: plot.Axis{Label: "attempts a call", Min: 0.1, Max: 100, Log: true}, Bands: bands,
	}
	for i, p := range opts.policies {
		good.Lines = append(good.Lines, line(p, results[i].Good, results[i].Calls, 100))
		load.Lines = append(load.Lines, line(p, results[i].Load, results[i].Calls, 1))
	}
	var b bytes.Buffer
	if err := plot.WriteSVG(&b, f.title, good, load); err != nil {
		return err
	}
	const mode = 0o644
	if err := os.WriteFile(filepath.Join(opts.svg, "storm-"+f.id+".svg"), b.Bytes(), mode); err != nil {
		return fmt.Errorf("the figure: %w", err)
	}
	return nil
}

// line is the quotient of two series, second by second.
func line(p policy, s, of chain.Series, factor float64) plot.Line {
	const second = 2 // steps
	l := plot.Line{Name: p.title}
	for i := 0; i+second <= len(s); i += second {
		l.X = append(l.X, float64(i+1)/second) // the middle of it
		l.Y = append(l.Y, factor*(s[i]+s[i+1])/max(1, of[i]+of[i+1]))
	}
	return l
}
