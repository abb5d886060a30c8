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
	Small    int      // calls a round with the small body; 0 leaves it out
	Large    int      // calls a round with the large body; 0 leaves it out
	Conns    int      // how many calls at once, each on a connection of its own
	Pin      bool     // one processor for whom is measured, another for the other side
	Only     []string // the contestants to measure besides the baseline; empty for all
	Profiles string   // a directory for profiles of each contestant; empty for none
}

// Flags registers the flags of a command, and returns the Config that they fill and the file for the JSON report.
func Flags(f *flag.FlagSet) (config *Config, jsonFile *string) {
	c := &Config{}
	f.IntVar(&c.Rounds, "rounds", 21, "rounds, each with every contestant in turn")
	f.IntVar(&c.Small, "requests", 5000, "calls a round with the small body; 0 leaves it out")
	f.IntVar(&c.Large, "large", 150, "calls a round with the large body; 0 leaves it out")
	f.IntVar(&c.Conns, "conns", 16, "calls at once")
	f.BoolVar(&c.Pin, "pin", true, "give the measured process a processor of its own (Linux, two processors)")
	f.StringVar(&c.Profiles, "profiles", "", "`directory` for processor and allocation profiles of each contestant")
	f.Func("only", "`contestants` to measure besides the baseline, with commas between them", func(s string) error {
		c.Only = strings.Split(s, ",")
		return nil
	})
	f.BoolFunc("quick", "fewer and shorter rounds", func(string) error {
		c.Rounds, c.Small, c.Large = 5, 4000, 100
		return nil
	})
	return c, f.String("json", "", "`file` for the report in JSON")
}

// Smoke is a Config that calls a few times only, to see that everything works.
func Smoke() Config {
	return Config{Rounds: 1, Small: 32, Large: 16, Conns: 4}
}

func (c Config) count(body string) int {
	if body == "large" {
		return c.Large
	}
	return c.Small
}

func (c Config) check() error {
	if c.Rounds < 1 || c.Conns < 1 || c.Small < 0 || c.Large < 0 {
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
