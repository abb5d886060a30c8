package natstransport

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ashlar-go/ashlar/endpoint"
)

// Subject returns the subject of an operation: its Service and its Method, joined by a dot, as in "shop.v1.Orders.Place". Dots in the names
// make further tokens. It fails for names from which no subject can be made: NATS has no spaces, no control characters and no empty tokens
// in a subject, gives "*" and ">" a meaning, and keeps what begins with "$" or "_" for itself.
func Subject(spec endpoint.Spec) (string, error) {
	subject := spec.Method
	if spec.Service != "" {
		subject = spec.Service + "." + spec.Method
	}
	if err := checkSubject(subject); err != nil {
		return "", fmt.Errorf("the operation %q makes no subject: %w", spec.Operation(), err)
	}
	return subject, nil
}

// CancelSubject returns the subject on which clients tell the servers of a subject that they have given up a call. Its messages hold
// the reply subject of that call's request. A message there that has a reply subject itself asks whether the call is served: the instance
// that does answers with the same text. One without a body asks whether anybody serves the subject, and has an empty answer.
func CancelSubject(subject string) string { return subject + "._CANCEL" }

// subjectOf returns the subject that an option gave, or else that of the operation.
func subjectOf(spec endpoint.Spec, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	return Subject(spec)
}

// checkSubject refuses what is no subject that requests can be sent to.
func checkSubject(subject string) error {
	if subject == "" {
		return errors.New("a subject is not empty")
	}
	if subject[0] == '$' || subject[0] == '_' {
		return fmt.Errorf("%q begins with %q, which NATS keeps for itself", subject, subject[:1])
	}
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" {
			return fmt.Errorf("%q has an empty token", subject)
		}
	}
	return checkToken(subject)
}

// checkToken refuses characters that NATS forbids.
func checkToken(text string) error {
	for _, c := range text {
		if c <= ' ' || c == 0x7f || c == '*' || c == '>' || c == '\uFFFD' {
			return fmt.Errorf("%q has the character %q", text, c)
		}
	}
	return nil
}
