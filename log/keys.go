package log

import (
	"bytes"
	"slices"
	"strings"
)

// redacted is what stands in the place of what nobody may read.
const redacted = "[redacted]"

// secretKeys are redacted by default: what a log of real programs has been seen to leak.
var secretKeys = []string{
	"passphrase", "passcode", "pwd", "pin", "token", "auth", "authorization", "cookie", "api_key", "access_key", "private_key",
	"secret_key", "signing_key", "encryption_key", "credential", "session_id", "csrf", "jwt", "bearer", "otp", "cvv", "card_number",
}

// secretWords are redacted wherever they stand in a key, since what is around them seldom makes them harmless.
var secretWords = [][]byte{[]byte("password"), []byte("passwd"), []byte("secret")}

// keySet is a set of names that are compared by their ends.
type keySet struct {
	ends    [256][]string // by their last byte
	allowed map[string]bool
}

func (s *keySet) add(keys []string) {
	for _, key := range keys {
		if end := string(appendPlain(nil, key)); end != "" {
			last := end[len(end)-1]
			s.ends[last] = append(s.ends[last], end)
		}
	}
}

// has reports whether the key, or one of the groups that it is in, is secret.
func (s *keySet) has(key string) bool {
	if s == nil {
		return false
	}
	const usual = 64
	for part := range strings.SplitSeq(key, ".") {
		var space [usual]byte
		plain := appendPlain(space[:0], part)
		if s.allowed[string(plain)] {
			continue
		}
		if slices.ContainsFunc(secretWords, func(word []byte) bool { return bytes.Contains(plain, word) }) {
			return true
		}
		unnumbered := bytes.TrimRight(plain, "0123456789")
		singular := bytes.TrimSuffix(unnumbered, []byte("s"))
		if s.endsWith(plain) || len(unnumbered) < len(plain) && s.endsWith(unnumbered) ||
			len(singular) < len(unnumbered) && s.endsWith(singular) {
			return true
		}
	}
	return false
}

func (s *keySet) endsWith(plain []byte) bool {
	if len(plain) == 0 {
		return false
	}
	for _, end := range s.ends[plain[len(plain)-1]] {
		if len(end) <= len(plain) && string(plain[len(plain)-len(end):]) == end {
			return true
		}
	}
	return false
}

// appendPlain appends the letters and digits of key in lower case, so that api_key, Api-Key and APIKey are one.
func appendPlain(dst []byte, key string) []byte {
	for i := range len(key) {
		switch c := key[i]; {
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 0x80:
			dst = append(dst, c)
		}
	}
	return dst
}
