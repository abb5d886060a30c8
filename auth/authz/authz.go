// Package authz says what callers may do: Rules by operation, role and scope, from a file or from code, and By for what depends on what a
// request says. What no rule allows is refused.
//
//	rules, err := authz.Load("rules.json")
//	httptransport.NewServer(spec, svc.Place, httptransport.ServerMiddleware(auth.Middleware(tokens), rules.Middleware))
package authz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// The reasons of the errors by which Middleware and By refuse a call, besides auth.ReasonMissing where nobody is known.
const (
	ReasonForbidden   = "FORBIDDEN"                 // PermissionDenied: the caller is known, and may not.
	ReasonUnavailable = "AUTHORIZATION_UNAVAILABLE" // Unavailable: the function of By could not say.
)

const challengeHeader = "WWW-Authenticate"

var (
	errForbidden   = status.New(status.PermissionDenied, "the caller may not do this").WithReason(ReasonForbidden)
	errNobody      = status.New(status.Unauthenticated, "the credentials are missing").WithReason(auth.ReasonMissing)
	errUnavailable = status.New(status.Unavailable, "whether the caller may do this cannot be checked now").WithReason(ReasonUnavailable)
	errUnwired     = status.New(status.Internal, "the server cannot authorize this call")
)

// Rules say who may call which operation. They are made by New, Parse or Load, never change, and are safe for concurrent use.
type Rules struct {
	all []Rule // by rank: the first that applies decides
}

// New returns Rules. It refuses what is wrong in itself, and rules that repeat or contradict each other, by their names.
func New(rules ...Rule) (*Rules, error) {
	all := make([]Rule, len(rules))
	for i, r := range rules {
		r.Operations, r.Roles, r.Scopes = slices.Clone(r.Operations), slices.Clone(r.Roles), slices.Clone(r.Scopes)
		all[i] = r
	}
	if err := check(all); err != nil {
		return nil, fmt.Errorf("authz: %w", err)
	}
	slices.SortStableFunc(all, func(a, b Rule) int {
		if a.Priority != b.Priority {
			return b.Priority - a.Priority
		}
		return strings.Compare(string(b.Effect), string(a.Effect)) // deny before allow
	})
	return &Rules{all: all}, nil
}

// Middleware refuses the calls that the rules do not allow. It is an endpoint.Middleware: give the method itself, rules.Middleware, to
// ServerMiddleware of a transport, inside of auth.Middleware, so that a call is refused before it is decoded and a stream before its
// first message. A call looks only at the rules of its operation.
//
// It refuses with PermissionDenied and ReasonForbidden, and with Unauthenticated and auth.ReasonMissing where nobody is known, with the
// challenges of auth.Optional, else a bare Bearer. Where only scopes are missing, the header field WWW-Authenticate says which, as in
// RFC 6750. Which rule decided is in the cause of the error only. On the endpoint of a client, and with Rules that no constructor made,
// every call is refused as Internal: it is the program that is wrong.
func (r *Rules) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	return Middleware(r)(spec, next)
}

// judge returns the error for the caller of ctx, nil if he may.
func (t *table) judge(ctx context.Context) error {
	p := auth.PrincipalOf(ctx)
	if rule := t.decide(p); rule != nil && rule.Effect == Allow {
		return nil
	}
	return refused(ctx, p, t.explain(p))
}

// Explain says what the rules decide on a call of the operation, "orders/Place", by the caller, nil for nobody, and which of them and
// why. It is for tests, tools and logs: it is slower than Middleware.
func (r *Rules) Explain(operation string, caller *auth.Principal) Decision {
	if r == nil {
		r = new(Rules)
	}
	return r.compile(operation).explain(caller)
}

// Unused returns what rules say of operations that are none of those given, as `rule "staff": "odrers/*"`: mostly they are misspelled,
// and a rule that denies them denies nothing. Ask it at the start of a server, or in a test.
func (r *Rules) Unused(operations ...string) (unused []string) {
	if r == nil {
		return nil
	}
	for _, rule := range r.all {
		for _, pattern := range rule.Operations {
			if !slices.ContainsFunc(operations, func(operation string) bool { return match(pattern, operation) }) {
				unused = append(unused, fmt.Sprintf("rule %q: %q", rule.Name, pattern))
			}
		}
	}
	return unused
}

// Decision is what Rules say of a call.
type Decision struct {
	// Operation and Caller are what was asked about; Caller is as of Principal.String.
	Operation, Caller string
	// Allowed is whether the call may be made.
	Allowed bool
	// Rule is the name of the rule that decided. It is empty where none applied, and the call is refused for that.
	Rule string
	// Why says what of the rule applied to the caller.
	Why string
	// Scopes are those that a rule asks for which would allow the call, had the caller all of them.
	Scopes []string
}

// String returns the decision as one line for a log.
func (d Decision) String() string {
	verb := "refused"
	if d.Allowed {
		verb = "allowed"
	}
	text := fmt.Sprintf("%s by %s is %s: %s", d.Operation, d.Caller, verb, d.Why)
	if len(d.Scopes) > 0 {
		text += "; it would be allowed with the scopes " + strings.Join(d.Scopes, " ")
	}
	return text
}

// maxChallenge is how long a list of scopes may be that is sent: some that read header fields take no more than 4 KiB of all.
const maxChallenge = 1 << 10

// refused returns the error for the caller, and sets the challenge.
func refused(ctx context.Context, p *auth.Principal, d Decision) error {
	err := errForbidden
	var challenges []string
	if p == nil {
		if err, challenges = errNobody, auth.Challenges(ctx); len(challenges) == 0 {
			challenges = []string{"Bearer"}
		}
	} else if scopes := strings.Join(d.Scopes, " "); scopes != "" && len(scopes) <= maxChallenge {
		challenges = []string{`Bearer error="insufficient_scope", scope="` + scopes + `"`}
	}
	if call := transport.FromContext(ctx); len(challenges) > 0 && call != nil && call.Response != nil {
		if err != errNobody || call.Response.Get(challengeHeader) == "" {
			call.Response.Set(challengeHeader, challenges...)
		}
	}
	return err.WithCause(errors.New("authz: " + d.String()))
}

func refuse(err error) endpoint.Handler {
	return func(context.Context, any) (any, error) { return nil, err }
}
