// Package simulate is what the commands that simulate have in common.
package simulate

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// Main parses the arguments of the command and runs it, as a test, since only a test can have a bubble of testing/synctest.
func Main[O any](command string, parse func(args []string, usage io.Writer) (O, error), run func(*testing.T, io.Writer, O) error) {
	opts, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v\n", command, err)
		os.Exit(1)
	}
	out := os.Stdout
	os.Args, os.Stdout = os.Args[:1], nil // what testing itself says is for nobody
	test := func(t *testing.T) {
		t.Helper()
		if err := run(t, out, opts); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", command, err)
			t.Fail()
		}
	}
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: command, F: test}}, nil, nil)
}

// Named is what can be chosen by its name.
type Named interface{ Name() string }

// Names returns the names, with commas between them.
func Names[T Named](all []T) string {
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = a.Name()
	}
	return strings.Join(texts, ", ")
}

// Choose returns those of all that the text of the flag names; all without a text.
func Choose[T Named](flag, text string, all []T) ([]T, error) {
	if text == "" {
		return all, nil
	}
	var chosen []T
	for name := range strings.SplitSeq(text, ",") {
		i := slices.IndexFunc(all, func(a T) bool { return a.Name() == name })
		if i < 0 {
			return nil, fmt.Errorf("%s: there is no %q; there are %s", flag, name, Names(all))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
