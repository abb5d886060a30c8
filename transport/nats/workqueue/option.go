package workqueue

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// refuseNil refuses a nil function among those that an option was given.
func refuseNil[F any](option string, functions []F) error {
	for i, f := range functions {
		if reflect.ValueOf(f).IsNil() {
			return fmt.Errorf("%s: function %d is nil", option, i)
		}
	}
	return nil
}

// typed returns the function that an option holds, which is checked when the server or client is built.
func typed[F any](option string, f any) (F, error) {
	want, ok := f.(F)
	if f != nil && !ok {
		return want, fmt.Errorf("%s is a %v, want %v", option, reflect.TypeOf(f), reflect.TypeFor[F]())
	}
	return want, nil
}

// atLeast refuses a duration that is too short.
func atLeast(option string, d, least time.Duration) error {
	if d < least {
		return fmt.Errorf("%s(%v): want at least %v", option, d, least)
	}
	return nil
}

// checkSubject refuses what nothing can be published to.
func checkSubject(option, subject string) error {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" || token == "*" || token == ">" || strings.ContainsAny(token, " \t\r\n") {
			return fmt.Errorf("%s(%q): want a subject without wildcards, spaces and empty parts", option, subject)
		}
	}
	return nil
}
