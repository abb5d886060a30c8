// Command lbsim prints how the policies of package lb do with 10 to 10,000 instances, in health and with faults, as tables in Markdown.
//
//	go run ./cmd/lbsim                                    the tables of docs/lb-simulation.md; takes some minutes
//	go run ./cmd/lbsim -instances 10 -policies peakewma   a part of them
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/cmd/internal/simulate"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/lb/lbsim"
)

func main() { simulate.Main("lbsim", parse, tables) }

type options struct {
	instances []int
	policies  []policy
	scenarios []scenario
	callers   int
	calls     int // to be measured, at least
}

const (
	meanService = 50 * time.Millisecond
	minMeasure  = 6 * time.Second // and as long before, so that callers know the instances
)

func parse(args []string, usage io.Writer) (opts options, err error) {
	flags := flag.NewFlagSet("lbsim", flag.ContinueOnError)
	flags.SetOutput(usage)
	instances := flags.String("instances", "10,100,1000,10000", "how many instances, with commas between `numbers`")
	policies := flags.String("policies", "", "`names` with commas between them: "+simulate.Names(allPolicies())+"; default all")
	scenarios := flags.String("scenarios", "", "`names` with commas between them: "+simulate.Names(allScenarios())+"; default all")
	flags.IntVar(&opts.callers, "callers", 10, "how many callers that do not know of each other")
	flags.IntVar(&opts.calls, "calls", 200_000, "measure for as long as so many calls take, and at least 6 s")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if flags.NArg() > 0 {
		return opts, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for text := range strings.SplitSeq(*instances, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < minInstances || n > maxInstances {
			return opts, fmt.Errorf("-instances %q: want numbers from %d to %d", text, minInstances, maxInstances)
		}
		opts.instances = append(opts.instances, n)
	}
	if opts.callers < 1 || opts.calls < 1 {
		return opts, fmt.Errorf("-callers %d -calls %d: want 1 or more", opts.callers, opts.calls)
	}
	if opts.policies, err = simulate.Choose("-policies", *policies, allPolicies()); err != nil {
		return opts, err
	}
	opts.scenarios, err = simulate.Choose("-scenarios", *scenarios, allScenarios())
	return opts, err
}

const (
	minInstances = 10 // so that a tenth of them is one
	maxInstances = 100_000
)

// tables simulates, and prints a table for each scenario.
func tables(t *testing.T, w io.Writer, opts options) error {
	t.Helper()
	for _, s := range opts.scenarios {
		fmt.Fprintf(w, "### %s\n\n%s\n\n", s.title, s.text)
		fmt.Fprintln(w, "| instances | policy | p50 | p99 | p99.9 | busiest | those at fault | errors | attempts a call |")
		fmt.Fprintln(w, "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
		for _, n := range opts.instances {
			for _, p := range opts.policies {
				r, err := runOne(t, opts, s, p, n)
				if err != nil {
					return fmt.Errorf("%s, %s, %d instances: %w", s.id, p.id, n, err)
				}
				row(w, n, p, s, r)
			}
		}
		fmt.Fprintln(w)
	}
	return nil
}

func row(w io.Writer, n int, p policy, s scenario, r *lbsim.Result) {
	ms := func(percent float64) string {
		return fmt.Sprintf("%.0f ms", r.Latencies.Percentile(percent).Seconds()*1000)
	}
	share := "–"
	if len(s.faults(time.Second, n)) > 0 {
		share = fmt.Sprintf("%.1f %%", 100*r.Share(n/faulty))
	}
	fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %.2f | %s | %.3f %% | %.3f |\n", n, p.title, ms(50), ms(99), ms(99.9), r.Imbalance(), share,
		100*float64(r.Errors)/float64(r.Calls), r.Amplification())
}

// runOne runs one simulation.
func runOne(t *testing.T, opts options, s scenario, p policy, n int) (result *lbsim.Result, err error) {
	t.Helper()
	config := lbsim.Config{
		Instances: n, Callers: opts.callers, Policy: p.make, Load: s.load, Workers: 1, Warmup: minMeasure,
		Service: func() lbsim.Sample { return lbsim.Exponential(meanService) },
		Measure: max(minMeasure, time.Duration(float64(opts.calls)/(s.load*float64(n))*float64(meanService))),
	}
	config.Faults = s.faults(config.Measure, n)
	synctest.Test(t, func(*testing.T) { result, err = lbsim.Run(context.Background(), config) })
	return result, err
}

type policy struct {
	id, title string
	make      func() lb.Policy
}

func (p policy) Name() string { return p.id }
