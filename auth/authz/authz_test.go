package authz_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func served(context.Context, any) (any, error) { return "served", nil }

func rules(t testing.TB, all ...authz.Rule) *authz.Rules {
	t.Helper()
	r, err := authz.New(all...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func who(roles, scopes string) *auth.Principal {
	return &auth.Principal{Subject: "ann", Roles: strings.Fields(roles), Scopes: strings.Fields(scopes)}
}

func TestWhichRuleDecides(t *testing.T) {
	t.Parallel()
	r := rules(t,
		authz.Rule{Name: "health", Effect: authz.Allow, Operations: []string{"health/Check"}, Who: authz.Anybody},
		authz.Rule{Name: "read", Effect: authz.Allow, Operations: []string{"orders/Get*"}, Who: authz.Authenticated},
		authz.Rule{Name: "banned", Effect: authz.Deny, Operations: []string{"*"}, Roles: []string{"banned"}, Priority: 5},
		authz.Rule{Name: "staff", Effect: authz.Allow, Operations: []string{"orders/*"}, Roles: []string{"staff", "admin"}, Scopes: []string{"write"}},
		authz.Rule{Name: "trainee", Effect: authz.Deny, Operations: []string{"orders/*"}, Roles: []string{"trainee"}},
		authz.Rule{Name: "two", Effect: authz.Allow, Operations: []string{"stock/Count"}, Scopes: []string{"stock", "count"}},
		authz.Rule{Name: "root", Effect: authz.Allow, Operations: []string{"*"}, Roles: []string{"root"}, Priority: 9},
		authz.Rule{Name: "closed", Effect: authz.Deny, Operations: []string{"closed/*"}, Who: authz.Authenticated},
	)
	for _, test := range []struct {
		operation string
		caller    *auth.Principal
		allowed   bool
		rule      string
		scopes    string
	}{
		{"health/Check", nil, true, "health", ""},
		{"health/Check", who("", ""), true, "health", ""},
		{"health/Check", who("banned", ""), false, "banned", ""},
		{"health/CheckAll", who("", ""), false, "", ""},
		{"orders/Get", nil, false, "", ""},
		{"orders/Get", who("", ""), true, "read", ""},
		{"orders/GetAll", who("", ""), true, "read", ""},
		{"orders/Ge", who("", ""), false, "", ""},
		{"orders/v1/Get", who("", ""), false, "", ""},
		{"orders/v1/Place", who("staff", "write"), false, "", ""},
		{"orders/Place", who("staff", "write"), true, "staff", ""},
		{"orders/Place", who("admin", "read write"), true, "staff", ""},
		{"orders/Place", who("staff", ""), false, "", "write"},
		{"orders/Place", who("", "write"), false, "", ""},
		{"orders/Place", who("Staff", "write"), false, "", ""},
		{"orders/Place", who("staff trainee", "write"), false, "trainee", ""},
		{"orders/Place", who("staff trainee", ""), false, "trainee", ""}, // the scope would not help
		{"orders/Place", who("staff banned", ""), false, "banned", ""},
		{"orders/Place", who("banned root", ""), true, "root", ""},
		{"stock/Count", who("", "count"), false, "", "stock count"},
		{"stock/Count", who("", "count stock"), true, "two", ""},
		{"closed/Any", who("staff", "write"), false, "closed", ""},
		{"", who("root", ""), true, "root", ""},
		{"", who("", ""), false, "", ""},
	} {
		d := r.Explain(test.operation, test.caller)
		if d.Allowed != test.allowed || d.Rule != test.rule || strings.Join(d.Scopes, " ") != test.scopes {
			t.Errorf("%s: want %v by %q missing %q; have %+v", test.operation, test.allowed, test.rule, test.scopes, d)
		}
		ctx := t.Context()
		if test.caller != nil {
			ctx = auth.WithPrincipal(ctx, test.caller)
		}
		service, method, _ := strings.Cut(test.operation, "/")
		spec := endpoint.Spec{Service: service, Method: method, Kind: endpoint.Unary}
		if _, err := r.Middleware(spec, served)(ctx, nil); (err == nil) != test.allowed {
			t.Errorf("%s: want the Middleware to agree with %+v; have %v", test.operation, d, err)
		}
	}
}

// reference decides without an index.
func reference(all []authz.Rule, p *auth.Principal) (best *authz.Rule) {
	for i := range all {
		r := &all[i]
		applies := r.Who == authz.Anybody || r.Who == authz.Authenticated && p != nil
		if r.Who == "" && p != nil {
			applies = len(r.Roles) == 0 || slices.ContainsFunc(r.Roles, p.HasRole)
			for _, s := range r.Scopes {
				applies = applies && p.HasScope(s)
			}
		}
		if applies && (best == nil || r.Priority > best.Priority ||
			r.Priority == best.Priority && r.Effect == authz.Deny && best.Effect == authz.Allow) {
			best = r
		}
	}
	return best
}

func TestTheIndexDecidesAsAScanDoes(t *testing.T) {
	t.Parallel()
	state := uint64(1)
	next := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state>>33) % n
	}
	pick := func(prefix string, most, of int) (names []string) {
		for range next(most + 1) {
			if name := fmt.Sprint(prefix, next(of)); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names
	}
	for round := range 300 {
		of := 3 + round // from few names to more than there are bits
		var all []authz.Rule
		for i := range 1 + next(60) {
			r := authz.Rule{Name: fmt.Sprint(i), Effect: authz.Allow, Operations: []string{"a/b"}, Priority: next(4), Roles: pick("r", 3, of), Scopes: pick("s", 3, of)}
			if next(2) == 0 {
				r.Effect = authz.Deny
			}
			if len(r.Roles)+len(r.Scopes) == 0 {
				r.Who = []authz.Who{authz.Anybody, authz.Authenticated}[next(2)]
			}
			if _, err := authz.New(append(all, r)...); err == nil {
				all = append(all, r)
			}
		}
		r := rules(t, all...)
		for range 50 {
			p := &auth.Principal{Roles: pick("r", of, of), Scopes: pick("s", of, of)}
			if next(10) == 0 {
				p = nil
			}
			want, have := "", r.Explain("a/b", p).Rule
			if rule := reference(all, p); rule != nil {
				want = rule.Name
			}
			if have != want {
				t.Fatalf("round %d: want rule %q, have %q for %+v of\n%+v", round, want, have, p, all)
			}
		}
	}
}

// ask calls an operation behind rules, on a transport, and returns the challenges.
func ask(t *testing.T, p *auth.Principal, before string, r *authz.Rules) (challenges []string, err error) {
	t.Helper()
	spec := endpoint.Spec{Service: "orders", Method: "Place"}
	known := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			if before != "" {
				transport.FromContext(ctx).Response.Set("WWW-Authenticate", before)
			}
			return next(auth.WithPrincipal(ctx, p), request)
		}
	}
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, func(context.Context, string) (string, error) { return "", nil },
		inproc.ServerMiddleware(known, r.Middleware)))
	call, err := inproc.NewClient[string, string](spec.Client(), &mux)
	if err != nil {
		t.Fatal(err)
	}
	ctx, seen := transport.Observe(t.Context())
	_, err = call(ctx, "")
	return seen.Info().Response.Values("WWW-Authenticate"), err
}

func TestWhatTheCallerIsTold(t *testing.T) {
	t.Parallel()
	r := rules(t, authz.Rule{Name: "hidden", Effect: authz.Allow, Operations: []string{"orders/*"}, Roles: []string{"staff"}, Scopes: []string{"a", "b:c"}})
	const forbidden, nobody = "the caller may not do this", "the credentials are missing"
	for _, test := range []struct {
		name              string
		caller            *auth.Principal
		before            string
		code              status.Code
		reason, text      string
		challenge         string
		allowedWithoutErr bool
	}{
		{name: "allowed", caller: who("staff", "b:c a"), allowedWithoutErr: true},
		{name: "scope", caller: who("staff", "a"), code: status.PermissionDenied, reason: authz.ReasonForbidden, text: forbidden,
			challenge: `Bearer error="insufficient_scope", scope="a b:c"`},
		{name: "role", caller: who("", "a b:c"), code: status.PermissionDenied, reason: authz.ReasonForbidden, text: forbidden},
		{name: "nobody", code: status.Unauthenticated, reason: auth.ReasonMissing, text: nobody, challenge: "Bearer"},
		{name: "nobody, challenged", before: "Basic", code: status.Unauthenticated, reason: auth.ReasonMissing, text: nobody, challenge: "Basic"},
	} {
		challenges, err := ask(t, test.caller, test.before, r)
		if test.allowedWithoutErr {
			if err != nil {
				t.Errorf("%s: want no error, have %v", test.name, err)
			}
			continue
		}
		var s *status.Error
		if !errors.As(err, &s) || s.Code != test.code || s.Reason != test.reason || s.Message != test.text {
			t.Errorf("%s: want %v %s %q, have %v", test.name, test.code, test.reason, test.text, err)
		}
		if strings.Join(challenges, "|") != test.challenge {
			t.Errorf("%s: want the challenge %q, have %q", test.name, test.challenge, challenges)
		}
		if strings.Contains(status.From(err).Message, "hidden") {
			t.Errorf("%s: the caller is told of the rule: %v", test.name, err)
		}
	}
	_, err := r.Middleware(endpoint.Spec{Service: "orders", Method: "Place"}, served)(auth.WithPrincipal(t.Context(), who("", "")), nil)
	if cause := errors.Unwrap(err); cause == nil || !strings.Contains(cause.Error(), "orders/Place by ann is refused: no rule") {
		t.Errorf("want the explanation in the cause, have %v", cause)
	}
}

func TestWiredWrongEveryCallIsRefused(t *testing.T) {
	t.Parallel()
	server := endpoint.Spec{Service: "a", Method: "b", Kind: endpoint.Unary}
	good := rules(t, authz.Rule{Name: "x", Effect: authz.Allow, Operations: []string{"*"}, Who: authz.Anybody})
	by := authz.By(func(context.Context, *auth.Principal, string) error { return nil })
	for name, h := range map[string]endpoint.Handler{
		"nil":       (*authz.Rules)(nil).Middleware(server, served),
		"zero":      new(authz.Rules).Middleware(server, served),
		"client":    good.Middleware(server.Client(), served),
		"by nil":    authz.By[string](nil)(server, served),
		"by client": by(server.Client(), served),
		"by type":   by(server, served), // the request is no string
	} {
		for _, request := range []any{nil, 5, (*string)(nil)} {
			if _, err := h(auth.WithPrincipal(t.Context(), who("", "")), request); status.CodeOf(err) != status.Internal || errors.Unwrap(err) == nil {
				t.Errorf("%s: want Internal with a cause, have %v", name, err)
			}
		}
	}
	if d := (*authz.Rules)(nil).Explain("a/b", nil); d.Allowed {
		t.Errorf("nil Rules allow: %v", d)
	}
	if have := (*authz.Rules)(nil).Unused("a"); have != nil {
		t.Errorf("want nothing, have %v", have)
	}
}

func TestUnused(t *testing.T) {
	t.Parallel()
	r := rules(t, authz.Rule{Name: "x", Effect: authz.Deny, Operations: []string{"odrers/*", "orders/*", "*"}, Who: authz.Anybody})
	if have := r.Unused("orders/Place"); !slices.Equal(have, []string{`rule "x": "odrers/*"`}) {
		t.Errorf("have %q", have)
	}
}

func TestMistakesInRules(t *testing.T) {
	t.Parallel()
	good := func() authz.Rule {
		return authz.Rule{Name: "x", Effect: authz.Allow, Operations: []string{"a/b"}, Roles: []string{"r", "q"}}
	}
	many := make([]string, authz.MaxList+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for want, change := range map[string]func(*authz.Rule){
		"name: it is empty":              func(r *authz.Rule) { r.Name = "" },
		"name: it has 201 bytes":         func(r *authz.Rule) { r.Name = strings.Repeat("x", 201) },
		"name: it begins or ends":        func(r *authz.Rule) { r.Name = "x " },
		"cannot be printed":              func(r *authz.Rule) { r.Name = "x\ny" },
		`effect: "" is neither`:          func(r *authz.Rule) { r.Effect = "" },
		`effect: "Allow" is neither`:     func(r *authz.Rule) { r.Effect = "Allow" },
		"operations: there are none":     func(r *authz.Rule) { r.Operations = nil },
		"operations: there are 101":      func(r *authz.Rule) { r.Operations = many },
		"it has a space":                 func(r *authz.Rule) { r.Operations = []string{"a b"} },
		"it has a **":                    func(r *authz.Rule) { r.Operations = []string{"a/**"} },
		`"/a/b": it begins or ends`:      func(r *authz.Rule) { r.Operations = []string{"/a/b"} },
		`"a/": it begins or ends`:        func(r *authz.Rule) { r.Operations = []string{"a/"} },
		`operations: "a/b" is there`:     func(r *authz.Rule) { r.Operations = []string{"a/b", "a/b"} },
		`roles: "r" is there twice`:      func(r *authz.Rule) { r.Roles = []string{"r", "r"} },
		"roles: there are 101":           func(r *authz.Rule) { r.Roles = many },
		`roles: "": it is empty`:         func(r *authz.Rule) { r.Roles = []string{""} },
		`scopes: "a\"b": it is no scope`: func(r *authz.Rule) { r.Scopes = []string{`a"b`} },
		`scopes: "a b": it is no scope`:  func(r *authz.Rule) { r.Scopes = []string{"a b"} },
		`scopes: "\xff": it is no scope`: func(r *authz.Rule) { r.Scopes = []string{"\xff"} },
		`scopes: "a:*": it has a *`:      func(r *authz.Rule) { r.Scopes = []string{"a:*"} },
		`scopes: "": it is empty`:        func(r *authz.Rule) { r.Scopes = []string{""} },
		`who: "x" is neither`:            func(r *authz.Rule) { r.Who = "x"; r.Roles = nil },
		"who: it contradicts":            func(r *authz.Rule) { r.Who = authz.Anybody },
		"who: there are neither":         func(r *authz.Rule) { r.Roles = nil },
		"priority: 1000001 is not":       func(r *authz.Rule) { r.Priority = authz.MaxPriority + 1 },
		"priority: -1000001 is not":      func(r *authz.Rule) { r.Priority = -authz.MaxPriority - 1 },
	} {
		r := good()
		change(&r)
		if _, err := authz.New(r); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "rule 1") {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	for want, change := range map[string]func(*authz.Rule){
		`rule 2 ("x"): there is another of this name`:                 func(r *authz.Rule) { r.Operations = []string{"c/d"} },
		`rule 2 ("y"): it repeats rule "x": both are about "a/b"`:     func(r *authz.Rule) { r.Name = "y"; r.Roles = []string{"q", "r"}; r.Priority = 7 },
		`rule 2 ("y"): it contradicts rule "x": both are about "a/b"`: func(r *authz.Rule) { r.Name = "y"; r.Effect = authz.Deny },
	} {
		r := good()
		change(&r)
		if _, err := authz.New(good(), r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if _, err := authz.New(); err == nil {
		t.Error("no rules: want an error")
	}
	if _, err := authz.New(make([]authz.Rule, authz.MaxRules+1)...); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("too many rules: have %v", err)
	}
}

func TestRulesDoNotChangeWithWhatTheyWereMadeOf(t *testing.T) {
	t.Parallel()
	rule := authz.Rule{Name: "x", Effect: authz.Allow, Operations: []string{"a/b"}, Roles: []string{"r"}, Scopes: []string{"s"}}
	r := rules(t, rule)
	rule.Operations[0], rule.Roles[0], rule.Scopes[0] = "*", "z", "z"
	if !r.Explain("a/b", who("r", "s")).Allowed || r.Explain("c/d", who("z", "z")).Allowed {
		t.Error("the rules changed")
	}
}

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
