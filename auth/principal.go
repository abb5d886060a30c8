package auth

import (
	"context"
	"slices"
	"time"
)

// Principal is who makes a call, as an Authenticator has proved it. It is not to be changed once it is in a context: calls share it.
type Principal struct {
	// Subject is the name of the caller, unique at the Issuer: a user, a service, the owner of a key.
	Subject string
	// Issuer is who vouches for the Subject: the iss of a token, the trust domain of a certificate. It may be empty.
	Issuer string
	// Scopes are what the credentials were given out for, such as "orders:write".
	Scopes []string
	// Roles are what the caller is, such as "staff".
	Roles []string
	// Claims is what the credentials say besides, in the type of the Authenticator that proved them; ClaimsOf reads it.
	Claims any
	// Method is how it was proved: "jwt", "oauth2", "oidc", "basic", "apikey", "mtls".
	Method string
	// Expires is until when the proof holds. The zero time is for ever, or not known. See Expiring.
	Expires time.Time
}

// HasScope reports whether the credentials were given out for the scope. Nobody, a nil Principal, has none.
func (p *Principal) HasScope(scope string) bool { return p != nil && slices.Contains(p.Scopes, scope) }

// HasRole reports whether the caller has the role. Nobody, a nil Principal, has none.
func (p *Principal) HasRole(role string) bool { return p != nil && slices.Contains(p.Roles, role) }

// String returns the subject with its issuer, as a log may have it: "ann@https://login.example". Of a nil Principal it is "nobody".
func (p *Principal) String() string {
	switch {
	case p == nil:
		return "nobody"
	case p.Issuer == "":
		return p.Subject
	}
	return p.Subject + "@" + p.Issuer
}

// ClaimsOf returns the claims of p as the type that its Authenticator gives them, and whether they are of that type.
func ClaimsOf[T any](p *Principal) (claims T, ok bool) {
	if p != nil {
		claims, ok = p.Claims.(T)
	}
	return claims, ok
}

type (
	principalKey struct{}
	noneKey      struct{}
)

// principalContext is a context with its Principal, in one allocation.
type principalContext struct {
	context.Context

	principal *Principal
	none      error // of the Authenticator within Optional, for a call of nobody
}

func (c *principalContext) Value(key any) any {
	switch key {
	case principalKey{}:
		return c.principal
	case noneKey{}:
		return c // also where there is none: it goes over what is further out
	}
	return c.Context.Value(key)
}

// WithPrincipal returns a context in which p is the caller. It is for tests, and for those who have authenticated in another way than by
// Middleware. It reaches nobody beyond this process: what a client sends along is up to its Credentials.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return &principalContext{Context: ctx, principal: p}
}

// PrincipalOf returns who makes the call that is being served, nil where nobody has proved to be anybody.
func PrincipalOf(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

// Challenges returns the values of the header field WWW-Authenticate for a caller who is nobody, and may not be: those of the Authenticator
// within Optional, which let the call through. There are none for a caller who is somebody. It is for what refuses such a call later, as
// authz does.
func Challenges(ctx context.Context) []string {
	c, _ := ctx.Value(noneKey{}).(*principalContext)
	if c == nil {
		return nil
	}
	return challenges(c.none)
}
