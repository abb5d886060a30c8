package authz_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestNobodyIsToldTheChallengesOfOptional(t *testing.T) {
	t.Parallel()
	r := rules(t, authz.Rule{Name: "x", Effect: authz.Allow, Operations: []string{"orders/*"}, Who: authz.Authenticated})
	challenging := func(challenges ...string) auth.Authenticator {
		var all []auth.Authenticator
		for _, c := range challenges {
			all = append(all, auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) {
				return nil, &auth.ChallengeError{Challenge: c, Err: auth.ErrNone}
			}))
		}
		return auth.Optional(auth.AnyOf(all...))
	}
	spec := endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary}
	for _, want := range [][]string{{"Bearer"}, {`Basic realm="shop"`}, {`Bearer realm="shop"`, `Basic realm="shop"`}} {
		by := challenging(want...)
		if want[0] == "Bearer" {
			by = challenging() // who has none
		}
		ctx, info := transport.NewServerContext(t.Context(), transport.Info{Response: make(transport.HeaderMap)})
		_, err := auth.Middleware(by)(spec, r.Middleware(spec, served))(ctx, nil)
		if have := info.Response.Values("WWW-Authenticate"); status.CodeOf(err) != status.Unauthenticated || !slices.Equal(have, want) {
			t.Errorf("want %q, have %q and %v", want, have, err)
		}
	}
}

func TestScopesThatAreNoScopesAreNotSent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", authz.MaxName)
	for _, test := range []struct {
		scopes []string
		sent   bool
	}{
		{[]string{"a", "b:c"}, true},
		{[]string{long, long, long, long, long}, true},
		{[]string{long, long, long, long, long, "abcdefghijklmnopqrs"}, true},
		{[]string{long, long, long, long, long, "abcdefghijklmnopqrst"}, false}, // 1,025 bytes
		{[]string{`a" b`}, false},
		{[]string{"a\r\nSet-Cookie: b"}, false},
		{nil, false},
	} {
		a := authorizer(func(context.Context, string, *auth.Principal) (authz.Decision, error) {
			return authz.Decision{Scopes: test.scopes}, nil
		})
		spec := endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary}
		ctx, info := transport.NewServerContext(auth.WithPrincipal(t.Context(), who("", "")), transport.Info{Response: make(transport.HeaderMap)})
		_, err := authz.Middleware(a)(spec, served)(ctx, nil)
		if have := info.Response.Get("WWW-Authenticate"); (have != "") != test.sent || status.CodeOf(err) != status.PermissionDenied {
			t.Errorf("%.40q: have %q and %v", test.scopes, have, err)
		}
	}
}

func TestAFewRulesAreTriedForMissingScopes(t *testing.T) {
	t.Parallel()
	for useless, want := range map[int]string{15: "good", 16: ""} {
		var all []authz.Rule
		for i := range useless { // which would allow, did another not deny
			scope := []string{fmt.Sprint("scope", i)}
			all = append(all,
				authz.Rule{Name: fmt.Sprint("allow", i), Effect: authz.Allow, Operations: []string{"a/b"}, Scopes: scope},
				authz.Rule{Name: fmt.Sprint("deny", i), Effect: authz.Deny, Operations: []string{"a/b"}, Roles: []string{"trainee"}, Scopes: scope})
		}
		all = append(all, authz.Rule{Name: "good", Effect: authz.Allow, Operations: []string{"a/b"}, Scopes: []string{"good"}})
		if have := strings.Join(rules(t, all...).Explain("a/b", who("trainee", "")).Scopes, " "); have != want {
			t.Errorf("%d useless rules: want %q, have %q", useless, want, have)
		}
	}
}
