package codec

import (
	"errors"

	"github.com/ashlar-go/ashlar/status"
)

// Violations returns what the sender of the document is told: the faults that e lists, or e itself.
func (e *DecodeError) Violations() []status.Violation {
	if several, ok := e.Err.(interface{ Unwrap() []error }); ok {
		var all []status.Violation
		for _, err := range several.Unwrap() {
			if one, ok := errors.AsType[*DecodeError](err); ok {
				all = append(all, one.Violations()...)
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return []status.Violation{{Field: e.Path, Description: e.Problem}}
}
