package log

import (
	"encoding"
	"fmt"
	"strings"
	"unicode/utf8"
)

// badKey stands for a key that has no text, as in log/slog.
const badKey = "!BADKEY"

// keyText returns the text of a key of any type, without what logfmt does not allow in a key.
func keyText(key any) string {
	text, ok := key.(string)
	if !ok && key != nil {
		text = guarded(func() string { return fmt.Sprint(key) })
	}
	if strings.IndexFunc(text, notInKey) >= 0 {
		text = strings.Map(func(r rune) rune {
			if notInKey(r) {
				return -1
			}
			return r
		}, text)
	}
	if text == "" {
		return badKey
	}
	return text
}

func notInKey(r rune) bool { return r <= ' ' || r == '=' || r == '"' || r == utf8.RuneError }

// methodText returns what v says of itself by Error, MarshalText or String.
func methodText(v any) (string, bool) {
	switch v := v.(type) {
	case error:
		return guarded(v.Error), true
	case encoding.TextMarshaler:
		return guarded(func() string {
			text, err := v.MarshalText()
			if err != nil {
				return "!ERROR: " + err.Error()
			}
			return string(text)
		}), true
	case fmt.Stringer:
		return guarded(v.String), true
	}
	return "", false
}

// guarded calls what others wrote for a line, such as a method of a value, whose panic must not be that of the program.
func guarded(f func() string) (text string) {
	defer func() {
		if value := recover(); value != nil {
			text = fmt.Sprintf("!PANIC: %v", value)
		}
	}()
	return f()
}
