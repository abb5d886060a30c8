package house

import (
	"slices"
	"strings"
)

// packageNames refuses names that say nothing of what a package provides.
func packageNames(tree *Tree) (findings []Finding) {
	const vague = " base common helper helpers misc shared types util utils "
	for _, file := range tree.Go {
		if name := strings.TrimSuffix(file.Name.Name, "_test"); strings.Contains(vague, " "+name+" ") {
			findings = append(findings, tree.at(file.Name, "package %s: name it by what it provides", name))
		}
	}
	return findings
}

// packageComments asks for exactly one package comment in each package.
func packageComments(tree *Tree) (findings []Finding) {
	comments := make(map[string]int)
	for _, file := range tree.Go {
		if file.IsTest() {
			continue
		}
		n := comments[file.Dir()]
		if file.Doc != nil {
			if n++; n > 1 {
				findings = append(findings, tree.at(file.Name, "a second package comment; one file has it"))
			}
		}
		comments[file.Dir()] = n
	}
	for dir, n := range comments {
		if n == 0 {
			findings = append(findings, Finding{Path: dir, Text: "the package has no package comment"})
		}
	}
	return findings
}

// fileLength refuses files too long to be about one thing, alone and in the median.
func fileLength(tree *Tree) (findings []Finding) {
	const longest, median = 400, 150
	lengths := make([]int, 0, len(tree.Go))
	for _, file := range tree.Go {
		lengths = append(lengths, file.Lines)
		if file.Lines > longest {
			findings = append(findings, tree.at(file.Name, "%d lines, want at most %d: would two names say it better?", file.Lines, longest))
		}
	}
	slices.Sort(lengths)
	if n := len(lengths); n > 0 && lengths[n/2] > median {
		findings = append(findings, Finding{".", 0, "the median file is longer than 150 lines"})
	}
	return findings
}
