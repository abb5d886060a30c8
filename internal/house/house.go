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
	Name    string
	check   func(tree *Tree) []Finding
	excused []string // the paths of places that may break it
}

// Rules returns all of them.
func Rules() []Rule {
	return []Rule{
		{Name: "package names", check: packageNames},
		{Name: "package comments", check: packageComments},
		{Name: "doc comments", check: docComments},
		{Name: "no init", check: noInit},
		{Name: "no mutable globals", check: noMutableGlobals},
		{Name: "file length", check: fileLength},
		{Name: "leak checks", check: leakChecks},
		{Name: "no sleeps in tests", check: noSleeps},
		{Name: "no fixed ports in tests", check: noFixedPorts},
		{Name: "no paths of one machine", check: noMachinePaths},
		{Name: "no secrets", check: noSecrets},
		{Name: "named tests", check: namedTests},
		{Name: "constant time", check: constantTime},
	}
}

// Except returns the rule with an exception for the file or directory of that path. The reason stands beside the call.
func (r Rule) Except(path string) Rule {
	r.excused = append(slices.Clip(r.excused), path)
	return r
}

// Check returns what breaks the rule without being an exception to it, and the exceptions that excuse nothing, sorted by place.
func (r Rule) Check(tree *Tree) []Finding {
	findings := r.check(tree)
	for _, path := range r.excused {
		is := func(f Finding) bool { return f.Path == path }
		if !slices.ContainsFunc(findings, is) {
			findings = append(findings, Finding{Path: path, Text: "the exception excuses nothing; delete it"})
			continue
		}
		findings = slices.DeleteFunc(findings, is)
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return findings
}
