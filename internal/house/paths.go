package house

import (
	"bytes"
	"path"
	"regexp"
)

// noMachinePaths refuses absolute paths into somebody's directories, which no other machine has.
func noMachinePaths(tree *Tree) (findings []Finding) {
	personal := regexp.MustCompile(`(?:^|[^\w.})/-])/(?:home|root|tmp|Users|work)/\w`)
	for name, data := range tree.Texts {
		if path.Ext(name) == ".sum" {
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
