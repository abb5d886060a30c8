// Package house holds the rules of this repository that no linter knows: what its source must look like, which package may import which,
// and what each core package links. They are tests, and nothing imports the package.
package house

import (
	"cmp"
	"fmt"
	"slices"
)

// Finding is a place that breaks a rule.
type Finding struct {
	Path string // of the file or directory, from the root of the repository
	Line int    // 0 for the whole
	Text string // what is wrong, and what to do
}

// String returns "path:line: text".
func (f Finding) String() string {
	if f.Line == 0 {
		return f.Path + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Text)
}

// Rule is something that must hold of the source.
type Rule struct {
	Name  string
	check func(tree *Tree) []Finding
}

// Rules returns all of them.
func Rules() []Rule {
	return []Rule{
		{"package names", packageNames},
		{"package comments", packageComments},
		{"doc comments", docComments},
		{"no init", noInit},
		{"no mutable globals", noMutableGlobals},
		{"file length", fileLength},
		{"leak checks", leakChecks},
		{"no sleeps in tests", noSleeps},
		{"no fixed ports in tests", noFixedPorts},
		{"no paths of one machine", noMachinePaths},
	}
}

// exception is a place that may break a rule.
type exception struct{ rule, path, reason string }

func exceptions() []exception {
	return []exception{
		{"no mutable globals", "codec/msgpack/shape.go", "remembers what Go types look like, which is the same for everybody"},
	}
}

// Check returns what breaks the rule without being an exception to it, sorted by place.
func (r Rule) Check(tree *Tree) []Finding {
	findings := slices.DeleteFunc(r.check(tree), func(f Finding) bool {
		return slices.ContainsFunc(exceptions(), func(e exception) bool { return e.rule == r.Name && e.path == f.Path })
	})
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return findings
}
