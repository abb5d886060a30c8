package house

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// noMachinePaths refuses absolute paths into somebody's directories, which no other machine has.
func noMachinePaths(tree *Tree) (findings []Finding) {
	roots := []string{"/" + "home/", "/" + "root/", "/" + "tmp/", "/" + "Users/", "/" + "work/"}
	personal := regexp.MustCompile(`(?:^|[^\w.})/-])(?:` + strings.Join(roots, "|") + `)\w`)
	for name, data := range tree.Texts {
		if path.Ext(name) == ".sum" || name == ".git" || // which is a file in a worktree
			!slices.ContainsFunc(roots, func(dir string) bool { return bytes.Contains(data, []byte(dir)) }) {
			continue
		}
		line := 0
		for text := range bytes.Lines(data) {
			line++
			if match := personal.Find(text); match != nil {
				findings = append(findings, Finding{name, line, "a path of one machine: " + string(bytes.TrimSpace(text))})
			}
		}
	}
	return findings
}
