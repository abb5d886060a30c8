package casbinauthz

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
)

const (
	// RolePrefix is what the roles of a caller begin with as subjects, if Subjects is not given: staff is "role:staff".
	RolePrefix = "role:"
	// DefaultAction is the action of every call, if Action is not given.
	DefaultAction = "call"
	// MaxSubjects is how many subjects a caller may be. Who is more is refused.
	MaxSubjects = 100
)

// Call is what casbin is asked about.
type Call struct {
	// Operation is Spec.Operation of the endpoint.
	Operation string
	// Caller is who calls, nil for nobody.
	Caller *auth.Principal
}

// Option sets up New.
type Option func(*config) error

type config struct {
	subjects       func(context.Context, Call) ([]any, error)
	object, action func(context.Context, Call) (any, error)
}

func (c *config) set(opts []Option) error { return option.Set(c, opts) }

func defaults() config {
	return config{
		subjects: subjectAndRoles,
		object:   func(_ context.Context, call Call) (any, error) { return call.Operation, nil },
		action:   func(context.Context, Call) (any, error) { return DefaultAction, nil },
	}
}

// subjectAndRoles keeps callers from choosing a name by which they would be something else.
func subjectAndRoles(_ context.Context, call Call) ([]any, error) {
	caller := call.Caller
	if caller == nil {
		return nil, nil
	}
	switch name := caller.Subject; {
	case name == "":
		return nil, errors.New("the caller has no Subject")
	case strings.HasPrefix(name, RolePrefix):
		return nil, fmt.Errorf("the Subject of the caller begins with %q, as roles do", RolePrefix)
	case name[0] == '{' || name[0] == '[':
		return nil, errors.New("the Subject of the caller begins as JSON does, which casbin may read")
	}
	subjects := make([]any, 0, 1+len(caller.Roles))
	subjects = append(subjects, caller.Subject)
	for _, role := range caller.Roles {
		subjects = append(subjects, RolePrefix+role)
	}
	return subjects, nil
}

// Subjects sets what a caller is to the policy: each is asked about. If it is not given they are the Subject of the Principal, and its
// roles behind RolePrefix; nobody is none, and refused. Text is for models by roles, and other values, such as a pointer to a struct, are
// for those by attributes: r.sub.Age. Where there is more than one Issuer, put it into the subjects, as two may have an ann. It is called
// for each call, on many goroutines; an error refuses the call, as does a panic, which goes on. It replaces an earlier one.
func Subjects(f func(ctx context.Context, call Call) ([]any, error)) Option {
	return func(c *config) error {
		c.subjects = f
		return refuseNil("Subjects", f == nil)
	}
}

// Object sets what is the object of a call. If it is not given it is the operation, "orders/Place". Else it is as Subjects.
func Object(f func(ctx context.Context, call Call) (any, error)) Option {
	return func(c *config) error {
		c.object = f
		return refuseNil("Object", f == nil)
	}
}

// Action sets what is the action of a call, for models that have one. If it is not given it is DefaultAction. Else it is as Subjects.
func Action(f func(ctx context.Context, call Call) (any, error)) Option {
	return func(c *config) error {
		c.action = f
		return refuseNil("Action", f == nil)
	}
}

func refuseNil(name string, isNil bool) error {
	if isNil {
		return errors.New(name + ": the function is nil")
	}
	return nil
}
