package house

import (
	"bytes"
	"path"
	"regexp"
)

// noSecrets refuses what is, or looks like, a key or a token: tests make theirs as they run, and a scanner of secrets that finds none here
// can be believed.
func noSecrets(tree *Tree) (findings []Finding) {
	patterns := map[string]*regexp.Regexp{
		"a private key":       regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}`),
		"a signed token":      regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}`),
		"a key of AWS":        regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`),
		"a token of GitHub":   regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36}`),
		"a token of Slack":    regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{10,}`),
		"a key of Google":     regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`),
		"a password in a URL": regexp.MustCompile(`://[A-Za-z0-9._-]+:[^\s/@"'{}<>$%*]{12,}@`),
	}
	for name, data := range tree.Texts {
		if path.Ext(name) == ".sum" {
			continue
		}
		for what, pattern := range patterns {
			if at := pattern.FindIndex(data); at != nil {
				findings = append(findings, Finding{name, 1 + bytes.Count(data[:at[0]], []byte("\n")), what})
			}
		}
	}
	return findings
}
