package log

import (
	"slices"

	"github.com/ashlar-go/ashlar/internal/option"
)

// RedactOption changes what Redact hides.
type RedactOption func(*keySet) error

// RedactKeys hides what is under these keys too, and under those that end in them; see Redact.
func RedactKeys(keys ...string) RedactOption {
	return func(s *keySet) error {
		s.add(keys)
		return nil
	}
}

// AllowKeys shows what is under these keys, which are compared as a whole, but for case and punctuation: AllowKeys("next_page_token").
// A tag still hides it.
func AllowKeys(keys ...string) RedactOption {
	return func(s *keySet) error {
		for _, key := range keys {
			s.allowed[string(appendPlain(nil, key))] = true
		}
		return nil
	}
}

// Redact returns a Logger that passes lines on to logger without the secrets in them:
//
//   - The value under a secret key becomes "[redacted]", whatever its type. The keys are those of lines, of maps (an
//     http.Header too) and the names of struct fields, at any depth. Case does not count, nor does anything but letters
//     and digits. A key is secret when password, passwd or secret is anywhere in it, and when it ends in another of the
//     known ones, also in the plural or with a number: token hides AccessToken, X-Auth-Tokens, token2 and db.token.
//     Known are token, auth, authorization, cookie, api_key, credential, pin and more of that kind. RedactKeys adds ends
//     to them; AllowKeys shows what this hides without need, such as max_tokens or a secretary.
//   - A struct field with the tag `log:"redact"` becomes "[redacted]", and one with `log:"-"` is left out. Any other text
//     in that tag counts as "redact".
//   - The password in a url.URL becomes "xxxxx".
//
// A struct, slice or map that could have a secret in it is written as JSON, with the names of its json tags; its
// length is limited as by New, and a cycle ends as "[cycle]". A type with a LogValue method of log/slog is what that returns. A
// type with a text of its own (Error, String, MarshalText, MarshalJSON) is that text, unless there are log tags in it:
// these win over the methods. Texts are not searched, so a secret that was formatted into a message stays there.
//
// Redact sees only what is given to the Logger that it returns, and not what the given logger adds to a line, as With does. Each
// type is examined once, at its first value.
func Redact(logger Logger, opts ...RedactOption) Logger {
	keys := &keySet{allowed: map[string]bool{}}
	keys.add(secretKeys)
	option.Apply("log: Redact", keys, opts)
	return &redactor{next: logger, values: &renderer{keys: keys}}
}

type redactor struct {
	next   Logger
	values *renderer
}

// Enabled asks the logger below.
func (r *redactor) Enabled(level Level) bool { return Enabled(r.next, level) }

func (r *redactor) Log(keyvals ...any) error {
	line, own := keyvals, false
	for i := 1; i < len(keyvals); i += 2 {
		var safe any
		changed := true
		if r.values.keys.has(keyText(keyvals[i-1])) {
			safe = redacted
		} else {
			safe, changed = r.values.redact(keyvals[i])
		}
		if !changed {
			continue
		}
		if !own {
			line, own = slices.Clone(keyvals), true
		}
		line[i] = safe
	}
	return r.next.Log(line...)
}
