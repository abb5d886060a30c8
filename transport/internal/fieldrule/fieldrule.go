// Package fieldrule checks header fields by the rules of HTTP, which other transports heed as well, so that tests in the process find
// what a network would not carry.
package fieldrule

import (
	"fmt"
	"strings"
)

// Check fails for a field that net/http refuses to send.
func Check(name string, values []string) error {
	if !IsName(name) {
		return fmt.Errorf("%q is no name of a header field", name)
	}
	return CheckValues(name, values)
}

// IsName reports whether text can be the name of a field: a token of RFC 9110, section 5.6.2.
func IsName(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return text != ""
}

// CheckValues fails for values of the field that hold a control character other than a tab.
func CheckValues(name string, values []string) error {
	for _, value := range values {
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return fmt.Errorf("the header field %s has a value with a control character", name)
		}
	}
	return nil
}
