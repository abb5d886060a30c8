package mtlsauth

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// dnsName returns the name of a host in its one form. X.509 lets any ASCII be a DNS name.
func dnsName(name string) (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	lower := strings.ToLower(name)
	for label := range strings.SplitSeq(lower, ".") {
		if label == "" || strings.Trim(label, letters) != "" {
			return "", fmt.Errorf("the DNS name %q of the certificate is not that of a host", name)
		}
	}
	return lower, nil
}

// commonName returns the name, unless it could be taken for one of another kind, such as a SPIFFE id, or for another name.
func commonName(name string) (string, error) {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if strings.Contains(name, "://") || !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable) {
		return "", fmt.Errorf("the common name %q of the certificate is a URI, or does not print", name)
	}
	return name, nil
}
