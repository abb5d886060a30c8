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

// Clean returns values with a space in the place of each control character, as net/http sends line ends; those without any as they are.
// Others it would send over HTTP/1, where the answer is malformed then, and leave the field out over HTTP/2.
func Clean(values []string) []string {
	if CheckValues("", values) == nil {
		return values
	}
	cleaned := make([]string, len(values))
	for i, value := range values {
		cleaned[i] = strings.Map(func(c rune) rune {
			if isControl(c) {
				return ' '
			}
			return c
		}, value)
	}
	return cleaned
}

func isControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

// CheckValues fails for values of the field that hold a control character other than a tab.
func CheckValues(name string, values []string) error {
	for _, value := range values {
		if strings.ContainsFunc(value, isControl) {
			return fmt.Errorf("the header field %s has a value with a control character", name)
		}
	}
	return nil
}
