package harness

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// Config says how to measure.
type Config struct {
	Rounds   int      // how often each contestant has its turn
	Work     []Work   // what is done in a round
	Conns    int      // how many calls at once, each on a connection of its own
	Pin      bool     // one processor for whom is measured, another for the other side
	Only     []string // the contestants to measure besides the baseline; empty for all
	Profiles string   // a directory for profiles of each contestant; empty for none
}

// Work is something that is measured by itself, and how often it is done.
type Work struct {
	Name  string // such as "small", for calls with the small body
	Count int    // in a round; 0 leaves it out
	flag  string
	usage string
	quick int // the Count of a quick run
	smoke int // the Count of a Smoke
}

// HTTP is what is done over HTTP.
func HTTP() []Work {
	return []Work{
		{Name: "small", Count: 5000, quick: 4000, smoke: 32, flag: "requests", usage: "calls a round with the small body; 0 leaves it out"},
		{Name: "large", Count: 150, quick: 100, smoke: 16, flag: "large", usage: "calls a round with the large body; 0 leaves it out"},
	}
}

// GRPC is what is done over gRPC.
func GRPC() []Work {
	return []Work{
		{Name: "unary", Count: 8000, quick: 4000, smoke: 32, flag: "requests", usage: "unary calls a round; 0 leaves them out"},
		{Name: "stream", Count: 20_000, quick: 8000, smoke: 64, flag: "messages", usage: "messages of streams a round; 0 leaves them out"},
	}
}

// NATS is what is done over NATS.
func NATS() []Work {
	return []Work{{Name: "request", Count: 8000, quick: 4000, smoke: 32, flag: "requests", usage: "requests a round"}}
}

// commandLine registers the flags of a command that does the work, and returns the Config that they fill and the file for the JSON report.
func commandLine(f *flag.FlagSet, work []Work) (config *Config, jsonFile *string) {
	c := &Config{Work: work}
	f.IntVar(&c.Rounds, "rounds", 21, "rounds, each with every contestant in turn")
	for i, w := range work {
		f.IntVar(&work[i].Count, w.flag, w.Count, w.usage)
	}
	f.IntVar(&c.Conns, "conns", 16, "calls at once")
	f.BoolVar(&c.Pin, "pin", true, "give the measured process a processor of its own (Linux, two processors)")
	f.StringVar(&c.Profiles, "profiles", "", "`directory` for processor and allocation profiles of each contestant")
	f.Func("only", "`contestants` to measure besides the baseline, with commas between them", func(s string) error {
		c.Only = strings.Split(s, ",")
		return nil
	})
	f.BoolFunc("quick", "fewer and shorter rounds", func(string) error {
		c.Rounds = 5
		for i := range work {
			work[i].Count = work[i].quick
		}
		return nil
	})
	return c, f.String("json", "", "`file` for the report in JSON")
}

// Smoke is a Config that does the work a few times only, to see that everything works.
func Smoke(work []Work) Config {
	for i := range work {
		work[i].Count = work[i].smoke
	}
	return Config{Rounds: 1, Work: work, Conns: 4}
}

func (c Config) check() error {
	negative := slices.ContainsFunc(c.Work, func(w Work) bool { return w.Count < 0 })
	if c.Rounds < 1 || c.Conns < 1 || negative {
		return errors.New("rounds and connections must be positive, and calls not negative")
	}
	if c.Pin && runtime.NumCPU() < 2 {
		return fmt.Errorf("pinning needs two processors, have %d: use -pin=false", runtime.NumCPU())
	}
	return nil
}

// contestants returns the chosen ones of all, of which the first is the baseline.
func (c Config) contestants(all ...string) []string {
	if len(c.Only) == 0 {
		return all
	}
	chosen := all[:1:1]
	for _, name := range all[1:] {
		if slices.Contains(c.Only, name) {
			chosen = append(chosen, name)
		}
	}
	return chosen
}

// processors returns the one for whom is measured and the one for the other side; -1 is any.
func (c Config) processors() (measured, other int) {
	if !c.Pin {
		return -1, -1
	}
	return 0, 1
}
