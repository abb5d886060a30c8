package dns

import (
	"errors"
	"fmt"
	"strings"
)

const (
	maxName  = 254 // with the dot at its end
	maxLabel = 63
)

// checkName returns what is wrong with a name that is to be looked up.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case len(name) > maxName:
		return fmt.Errorf("the name has %d bytes, more than %d", len(name), maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }):
		return fmt.Errorf("the name %q has characters that are not visible ASCII, or a backslash; write it in Punycode", name)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > maxLabel {
			return fmt.Errorf("the name %q has a label of %d bytes, want 1 to %d", name, len(label), maxLabel)
		}
	}
	return nil
}

// candidates returns what is looked up for a name, in this order until there is an answer, as resolv.conf(5) says.
func candidates(name string, search []string, ndots int) (names []string) {
	if strings.HasSuffix(name, ".") {
		return []string{name}
	}
	asItIs := name + "."
	first := strings.Count(name, ".") >= ndots
	if first {
		names = append(names, asItIs)
	}
	for _, domain := range search {
		if full := asItIs + strings.TrimSuffix(domain, ".") + "."; len(full) <= maxName {
			names = append(names, full)
		}
	}
	if !first {
		names = append(names, asItIs)
	}
	return names
}

// canonical returns a name in lower case, since names are compared without regard to case.
func canonical(name string) string { return strings.ToLower(name) }
