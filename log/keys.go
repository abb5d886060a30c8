package log

import "strings"

// redacted is what stands in the place of what nobody may read.
const redacted = "[redacted]"

// secretKeys are redacted by default: what a log of real programs has been seen to leak.
var secretKeys = []string{
	"password", "passwd", "passphrase", "pwd", "secret", "token", "authorization", "cookie", "api_key", "access_key",
	"private_key", "secret_key", "signing_key", "encryption_key", "credential", "credentials", "session_id", "csrf",
	"jwt", "bearer", "otp", "cvv", "card_number",
}

// keySet is a set of names that are compared by their ends.
type keySet struct {
	ends    map[string]bool
	allowed map[string]bool
	lengths []int // of the ends, each once
}

func (s *keySet) add(keys []string) {
	for _, key := range keys {
		end := string(appendPlain(nil, key))
		if end == "" || s.ends[end] {
			continue
		}
		s.ends[end] = true
		known := false
		for _, n := range s.lengths {
			known = known || n == len(end)
		}
		if !known {
			s.lengths = append(s.lengths, len(end))
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
		for _, n := range s.lengths {
			if n <= len(plain) && s.ends[string(plain[len(plain)-n:])] {
				return true
			}
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
