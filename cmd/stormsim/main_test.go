package main

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestATableHasARowForEachPolicyAndAFigure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opts, err := parse([]string{"-policies", "both,once", "-faults", "stall", "-runs", "2", "-length", "25s", "-svg", dir}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := storms(t, &out, opts); err != nil {
		t.Fatal(err)
	}
	const figures = ` \| \d+ % \| \d+ % \| \d+ % \| \d\.\d\d \| \d\.\d\d \| \d\.\d\d \| \d\.\d\d \| (\d+\.\d s|never) \|\n`
	want := regexp.MustCompile(`(?s)^### The back tier stalls.*\n\| \| answered: .*\n\| three, budget, deadlines` + figures + `\| one attempt` + figures + `\n$`)
	if !want.MatchString(out.String()) {
		t.Errorf("have\n%s", out.String())
	}
	data, err := os.ReadFile(filepath.Join(dir, "storm-stall.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(data, new(struct{})); err != nil || !strings.Contains(string(data), "one attempt") {
		t.Errorf("want a figure, have %v in %s", err, data)
	}
}

func TestAFigureThatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	opts, err := parse([]string{"-policies", "all", "-faults", "stall", "-runs", "1", "-length", "25s", "-svg", filepath.Join(t.TempDir(), "none")}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := storms(t, io.Discard, opts); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want the error of the file, have %v", err)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-policies hope":       `-policies: there is no "hope"; there are naive, `,
		"-faults fire":         `-faults: there is no "fire"; there are half, stall`,
		"-runs 0":              "-runs 0",
		"-length 29s":          "-length 29s: want 30s or more",
		"-length many":         "invalid value",
		"now":                  `unexpected argument "now"`,
		"-nonsense":            "flag provided but not defined",
		"-faults stall,half,x": `there is no "x"`,
	} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, have %v", args, want, err)
		}
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("want help, have %v", err)
	}
	if opts, err := parse([]string{"-length", "25s", "-faults", "stall"}, io.Discard); err != nil || len(opts.policies) != len(allPolicies()) || opts.length != 25*time.Second {
		t.Errorf("want all policies for 25 s, have %+v, %v", opts, err)
	}
}
