// Package casbinauthz lets a model and a policy of casbin (github.com/casbin/casbin/v3) say what callers may do, by the middleware, with
// the errors and with the explanations of package authz.
//
//	enforcer, err := casbin.NewSyncedEnforcer("model.conf", "policy.csv")
//	may, err := casbinauthz.New(enforcer)
//	httptransport.NewServer(spec, svc.Place, httptransport.ServerMiddleware(auth.Middleware(tokens), may.Middleware))
package casbinauthz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/constant"
	"github.com/casbin/casbin/v3/model"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
)

// Authorizer is an authz.Authorizer that asks casbin. It is made by New, and is safe for concurrent use, also while the policy changes. One
// that New did not make refuses every call.
type Authorizer struct {
	enforcer *casbin.SyncedEnforcer
	config   config
	size     int // of a request
}

// New returns the Authorizer of an enforcer, whose policy may be changed and loaded again at any time: each call is judged by one
// policy as a whole. The enforcer is the caller's, to save, watch and close.
//
// The model must have the request_definition sub, obj, act, or sub, obj, in whatever names: three values or two. New refuses models that
// allow what no policy is about, !some(where (p.eft == deny)), and an enforcer whose enforcing is switched off, as both let everybody in;
// done to it later, they refuse every call.
func New(enforcer *casbin.SyncedEnforcer, opts ...Option) (*Authorizer, error) {
	if enforcer == nil || enforcer.Enforcer == nil {
		return nil, errors.New("casbinauthz: New: the enforcer is nil, or not made by casbin")
	}
	a := &Authorizer{enforcer: enforcer, config: defaults()}
	if err := a.config.set(opts); err != nil {
		return nil, fmt.Errorf("casbinauthz: New: %w", err)
	}
	lock := enforcer.GetLock()
	lock.RLock()
	defer lock.RUnlock()
	m := enforcer.GetModel()
	if r := m["r"]["r"]; r != nil {
		a.size = len(r.Tokens)
	}
	err := checkModel(m, a.size)
	if err == nil && a.disabled() {
		err = errDisabled
	}
	if err != nil {
		return nil, fmt.Errorf("casbinauthz: New: %w", err)
	}
	return a, nil
}

// checkModel says why no call can be judged by a model whose requests have so many values.
func checkModel(m model.Model, size int) error {
	for _, section := range [...]string{"r", "p", "e", "m"} {
		if m[section][section] == nil {
			return fmt.Errorf("the model has no section %s", section)
		}
	}
	switch {
	case size != 2 && size != 3:
		return fmt.Errorf("the request_definition of the model has %d values, want sub, obj, act or sub, obj", size)
	case len(m["r"]["r"].Tokens) != size:
		return fmt.Errorf("the request_definition of the model has %d values by now, and had %d", len(m["r"]["r"].Tokens), size)
	case m["e"]["e"].Value == constant.DenyOverrideEffect:
		return errors.New("the policy_effect of the model allows what no policy is about; want some(where (p.eft == allow)) in it")
	}
	return nil
}

// Middleware refuses the calls that the policy does not allow, as authz.Middleware does: give the method itself to ServerMiddleware of a
// transport, inside of auth.Middleware.
func (a *Authorizer) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	return authz.Middleware(a)(spec, next)
}

// Explain says what the policy decides on a call of the operation by the caller, nil for nobody, and by which line. It is for tests, tools
// and logs.
func (a *Authorizer) Explain(operation string, caller *auth.Principal) authz.Decision {
	d, err := a.Authorize(context.Background(), operation, caller)
	d.Operation, d.Caller = operation, caller.String()
	if err != nil {
		d.Allowed, d.Why = false, "it cannot be decided: "+err.Error()
	}
	return d
}

// Authorize asks for each of the caller's subjects. Where a line of the policy denies any of them, the call is refused, whatever allows
// another; else it is allowed where one of them is. An error, or a panic in a function of the model, decides nothing, and is an error.
func (a *Authorizer) Authorize(ctx context.Context, operation string, caller *auth.Principal) (authz.Decision, error) {
	if a == nil || a.enforcer == nil {
		return authz.Decision{}, errUnmade
	}
	call := Call{Operation: operation, Caller: caller}
	subjects, err := a.config.subjects(ctx, call)
	if err != nil {
		return authz.Decision{}, fmt.Errorf("casbinauthz: subjects: %w", err)
	}
	if len(subjects) > MaxSubjects {
		return authz.Decision{}, fmt.Errorf("casbinauthz: the caller is %d subjects, want at most %d", len(subjects), MaxSubjects)
	}
	values, err := a.values(ctx, call)
	if err != nil {
		return authz.Decision{}, err
	}
	return a.ask(ctx, subjects, values)
}

// ask asks about all subjects under one lock, so that they are judged by one policy.
func (a *Authorizer) ask(ctx context.Context, subjects, values []any) (authz.Decision, error) {
	lock := a.enforcer.GetLock()
	lock.RLock()
	defer lock.RUnlock()
	m := a.enforcer.GetModel()
	if err := checkModel(m, a.size); err != nil {
		return authz.Decision{}, fmt.Errorf("casbinauthz: %w", err)
	}
	byLines := strings.Contains(m["m"]["m"].Value, "p_")
	d := authz.Decision{Why: "no line of the policy allows it"}
	if len(subjects) == 0 {
		d.Why = "the caller is no subject"
	}
	for _, subject := range subjects {
		if err := ctx.Err(); err != nil {
			return authz.Decision{}, fmt.Errorf("casbinauthz: %w", err)
		}
		values[0] = subject
		ok, line, err := a.enforcer.Enforcer.EnforceEx(slices.Clone(values)...) // a clone, as casbin may write to it
		if !byLines {
			line = nil // casbin tells the first, whatever it says
		}
		switch {
		case err != nil:
			return authz.Decision{}, fmt.Errorf("casbinauthz: %w", err)
		case ok && len(line) == 0 && a.disabled():
			return authz.Decision{}, errDisabled
		case !ok && len(line) > 0: // what denied it; nothing else has one
			return authz.Decision{Rule: strings.Join(line, ", "), Why: why("denies", line, subject)}, nil
		case ok && !d.Allowed:
			d.Allowed, d.Rule, d.Why = true, strings.Join(line, ", "), why("allows", line, subject)
		}
	}
	return d, nil
}

// disabled reports whether EnableEnforce(false) lets everything through: no model takes a request without values.
func (a *Authorizer) disabled() bool {
	ok, _ := a.enforcer.Enforcer.Enforce()
	return ok
}

// values returns the request, without its subject.
func (a *Authorizer) values(ctx context.Context, call Call) (values []any, err error) {
	values = make([]any, a.size)
	if values[1], err = a.config.object(ctx, call); err != nil {
		return nil, fmt.Errorf("casbinauthz: object: %w", err)
	}
	if a.size > 2 {
		if values[2], err = a.config.action(ctx, call); err != nil {
			return nil, fmt.Errorf("casbinauthz: action: %w", err)
		}
	}
	return values, nil
}

// why says which line decided, and on whom. Of a subject that is no text only its type is told: it may hold what no log may.
func why(verb string, line []string, subject any) string {
	name, ok := subject.(string)
	if !ok {
		name = fmt.Sprintf("a %T", subject)
	}
	if len(line) == 0 {
		return fmt.Sprintf("the matcher %s it to %s", verb, name)
	}
	return fmt.Sprintf("the line %q %s it to %s", strings.Join(line, ", "), verb, name)
}

var (
	errUnmade   = errors.New("casbinauthz: the Authorizer was not made by New")
	errDisabled = errors.New("casbinauthz: the enforcing of the enforcer is switched off")
)
