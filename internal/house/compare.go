package house

import (
	"bytes"
	"slices"
)

// constantTime refuses that what compares secrets does it with ==, which tells by its time how much was right. No test could see that.
func constantTime(tree *Tree) (findings []Finding) {
	comparers := []string{
		"auth/apikey/authenticator.go", "auth/basic/hash.go", "auth/oauth2/introspect_cache.go", "auth/oauth2/login.go",
	}
	for _, name := range comparers {
		data, has := tree.Texts[name]
		safe := slices.ContainsFunc([]string{"subtle.ConstantTimeCompare(", "hmac.Equal("}, func(call string) bool {
			return bytes.Contains(data, []byte(call))
		})
		if has && !safe {
			findings = append(findings, Finding{Path: name, Text: "compares secrets; use subtle.ConstantTimeCompare or hmac.Equal"})
		}
	}
	return findings
}
