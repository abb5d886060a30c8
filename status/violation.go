package status

import (
	"errors"
	"strings"
)

// Violation is one thing that is wrong with a request. It is an error, so that a Validate method can return
// errors.Join of as many as it finds.
type Violation struct {
	// Field is the path of the field inside the request, such as "items[3].price"; empty for the whole.
	Field string `json:"field"`
	// Description says what is wrong, and is shown to the caller.
	Description string `json:"description"`
}

// Error returns the field and the description.
func (v Violation) Error() string {
	if v.Field == "" {
		return v.Description
	}
	return v.Field + ": " + v.Description
}

// Invalid turns what a validation found into InvalidArgument. Every error joined in err becomes a violation: a
// Violation as it is, without what is wrapped around it, any other by its text, which is therefore shown to the caller.
// An *Error in err's tree is returned as it is, and nil for nil.
func Invalid(err error) *Error {
	if err == nil {
		return nil
	}
	if e := As(err); e != nil {
		return e
	}
	violations := flatten(nil, err)
	texts := make([]string, len(violations))
	for i, v := range violations {
		texts[i] = v.Error()
	}
	return &Error{
		Code:       InvalidArgument,
		Message:    "invalid request: " + strings.Join(texts, "; "),
		Violations: violations,
		Cause:      err,
	}
}

func flatten(violations []Violation, err error) []Violation {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if e != nil {
				violations = flatten(violations, e)
			}
		}
		return violations
	}
	if v, ok := errors.AsType[Violation](err); ok {
		if wrapped := errors.Unwrap(err); wrapped != nil {
			return flatten(violations, wrapped) // it may hold several
		}
		return append(violations, v)
	}
	return append(violations, Violation{Description: err.Error()})
}
