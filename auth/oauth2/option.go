package oauth2auth

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// apply gives each option to set, in their order. It fails for one that is nil or fails.
func apply[O any](opts []O, set func(O) error) error {
	for i, o := range opts {
		if v := reflect.ValueOf(o); !v.IsValid() || v.IsNil() {
			return fmt.Errorf("the list of options: function %d is nil", i)
		}
		if err := set(o); err != nil {
			return err
		}
	}
	return nil
}

func refuseEmpty(name string, values []string) error {
	if len(values) == 0 || slices.Contains(values, "") {
		return fmt.Errorf("%s(%q): want names that are not empty", name, values)
	}
	return nil
}

// refuseWords refuses what is no scope of RFC 6749, section 3.3: a list of them has spaces between.
func refuseWords(name string, values []string) error {
	if slices.ContainsFunc(values, func(value string) bool {
		return strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
	}) {
		return fmt.Errorf("%s(%q): want visible characters of ASCII without spaces, quotes and backslashes", name, values)
	}
	return refuseEmpty(name, values)
}
