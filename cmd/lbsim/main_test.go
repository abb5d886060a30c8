package main

import (
	"errors"
	"flag"
	"io"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestATableHasARowForEachPolicy(t *testing.T) {
	t.Parallel()
	opts, err := parse(strings.Fields("-instances 10,20 -policies random,peakewma -scenarios slow,healthy -calls 100 -callers 2"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := tables(t, &out, opts); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`(?m)^### One of ten is slow$`, `(?m)^### All are well$`, `(?m)^\| instances \| policy \|`,
		`(?m)^\| 10 \| random \| \d+ ms \| \d+ ms \| \d+ ms \| \d\.\d\d \| \d+\.\d % \| 0\.000 % \| 1\.000 \|$`,
		`(?m)^\| 20 \| peak EWMA \| \d+ ms \| \d+ ms \| \d+ ms \| \d\.\d\d \| – \| 0\.000 % \| 1\.000 \|$`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("want %s, have\n%s", want, out.String())
		}
	}
	if rows := strings.Count(out.String(), "\n| 10 |") + strings.Count(out.String(), "\n| 20 |"); rows != 8 {
		t.Errorf("want 8 rows, have %d", rows)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-instances 9":      `-instances "9": want numbers from 10 to 100000`,
		"-instances 10,x":   `-instances "x"`,
		"-policies best":    `-policies: there is no "best"; there are random, `,
		"-scenarios storm":  `-scenarios: there is no "storm"; there are healthy, `,
		"-callers 0":        "-callers 0",
		"-calls 0":          "-calls 0",
		"now":               `unexpected argument "now"`,
		"-nonsense":         "flag provided but not defined",
		"-calls many":       "invalid value",
		"-instances 100001": "want numbers",
	} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, have %v", args, want, err)
		}
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("want help, have %v", err)
	}
}
