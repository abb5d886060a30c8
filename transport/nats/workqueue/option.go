package workqueue

import (
	"fmt"
	"strings"
	"time"
)

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
