// Command stormsim prints what becomes of three tiers of services when the last one is slow for a while: with retries alone, which keep
// it down for ever after, and with what prevents that, as tables in Markdown and as figures.
//
//	go run ./cmd/stormsim                               the tables of docs/deadlines.md; takes a minute or two
//	go run ./cmd/stormsim -runs 1 -svg docs             and its figures
//	go run ./cmd/stormsim -policies all -faults stall   a part of them
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/cmd/internal/simulate"
	"github.com/ashlar-go/ashlar/cmd/stormsim/chain"
)

func main() { simulate.Main("stormsim", parse, storms) }

type options struct {
	policies []policy
	faults   []fault
	length   time.Duration
	runs     int
	svg      string // where the figures are written; "" for nowhere
}

func parse(args []string, usage io.Writer) (opts options, err error) {
	const length, runs = 45 * time.Second, 5
	flags := flag.NewFlagSet("stormsim", flag.ContinueOnError)
	flags.SetOutput(usage)
	policies := flags.String("policies", "", "`names` with commas between them: "+simulate.Names(allPolicies())+"; default all of them")
	faults := flags.String("faults", "", "`names` with commas between them: "+simulate.Names(allFaults())+"; default all of them")
	flags.DurationVar(&opts.length, "length", length, "how long users call")
	flags.IntVar(&opts.runs, "runs", runs, "how often each is simulated")
	flags.StringVar(&opts.svg, "svg", "", "write figures of the last runs, storm-half.svg and so on, into this `directory`")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	switch {
	case flags.NArg() > 0:
		return opts, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case opts.runs < 1:
		return opts, fmt.Errorf("-runs %d: want 1 or more", opts.runs)
	}
	if opts.policies, err = simulate.Choose("-policies", *policies, allPolicies()); err != nil {
		return opts, err
	}
	if opts.faults, err = simulate.Choose("-faults", *faults, allFaults()); err != nil {
		return opts, err
	}
	for _, f := range opts.faults {
		if least := f.fault.To + end; opts.length < least {
			return opts, fmt.Errorf("-length %v: want %v or more", opts.length, least)
		}
	}
	return opts, nil
}

// storms simulates, and prints a table for each fault.
func storms(t *testing.T, w io.Writer, opts options) error {
	t.Helper()
	for _, f := range opts.faults {
		fmt.Fprintf(w, "### %s\n\n%s\n\n%s\n", f.title, f.text, tableHead)
		last := make([]*chain.Result, len(opts.policies))
		for i, p := range opts.policies {
			results := make([]*chain.Result, opts.runs)
			for j := range results {
				var err error
				if results[j], err = runOne(t, configOf(p, f.fault, opts.length)); err != nil {
					return fmt.Errorf("%s, %s: %w", f.id, p.id, err)
				}
			}
			fmt.Fprintln(w, row(p, f.fault, opts.length, results))
			last[i] = results[len(results)-1]
		}
		fmt.Fprintln(w)
		if opts.svg != "" {
			if err := draw(opts, f, last); err != nil {
				return err
			}
		}
	}
	return nil
}

// runOne runs one simulation.
func runOne(t *testing.T, config chain.Config) (result *chain.Result, err error) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { result, err = chain.Run(context.Background(), config) })
	return result, err
}
