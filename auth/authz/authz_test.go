package authz_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
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

const file = `{"rules": [
	{"name": "staff", "effect": "allow", "operations": ["orders/*"], "roles": ["staff"], "scopes": ["write"], "priority": 10},
	{"name": "health", "effect": "allow", "operations": ["health/Check"], "who": "anybody"}
]}`

func TestLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rules.json")
	if _, err := authz.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want ErrNotExist, have %v", err)
	}
	for _, test := range []struct{ text, want string }{
		{file, ""},
		{"[]", "line 1: want an object"},
		{"", "unexpected EOF"},
		{"null", "want an object"},
		{"{}", "rules is missing"},
		{`{"rules": []}`, "there are no rules"},
		{`{"rules": null}`, "want an array"},
		{`{"Rules": []}`, `no member "Rules"`},
		{`{"rules": [],` + "\n" + `"rules": []}`, `line 2: the member "rules" is there twice`},
		{file + "{}", "something after the end"},
		{file + "x", "something after the end"},
		{strings.Replace(file, `"effect"`, `"Effect"`, 1), `line 2: rule "staff": there is no member "Effect"`},
		{strings.Replace(file, `"who": "anybody"`, `"who": "anybody", "who": "anybody"`, 1), `line 3: the member "who" is there twice`},
		{strings.Replace(file, `["staff"]`, `"staff"`, 1), `rule "staff": roles: want an array`},
		{strings.Replace(file, `["staff"]`, `[]`, 1), `rule "staff": roles: the list is empty`},
		{strings.Replace(file, `["staff"]`, `["staff",]`, 1), "line 2"},
		{strings.Replace(file, `["staff"]`, `[["staff"]]`, 1), "want a string"},
		{strings.Replace(file, `"anybody"`, `""`, 1), `rule "health": who: want a string that is not empty`},
		{strings.Replace(file, `"anybody"`, `null`, 1), `rule "health": who: want a string that is not empty`},
		{strings.Replace(file, "10", "1.5", 1), "priority: want a whole number"},
		{strings.Replace(file, "10", `"10"`, 1), "priority: want a number"},
		{strings.Replace(file, "10", "99999999999999999999", 1), "priority: want a whole number"},
		{strings.Replace(file, `"health",`, `"staff",`, 1), `rule 2 ("staff"): there is another`},
		{strings.Replace(file, "health/", "\xff/", 1), "no UTF-8"},
		{file[:len(file)-3], "unexpected EOF"},
		{file + strings.Repeat(" ", authz.MaxFile), "more than 1048576 bytes"},
		{strings.Replace(file, `["staff"]`, `["staff"`+strings.Repeat(`,"x"`, authz.MaxList)+"]", 1), "more than 100"},
		{`{"rules": [{}` + strings.Repeat(",{}", authz.MaxRules) + "]}", "more than 10000 rules"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := authz.Load(path)
		if test.want == "" {
			if err != nil || !r.Explain("orders/x", who("staff", "write")).Allowed || !r.Explain("health/Check", nil).Allowed {
				t.Errorf("%.300s: have %v", test.text, err)
			}
			continue
		}
		if r != nil || err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.300s: want %q, have %v", test.text, test.want, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file))
	f.Add([]byte(`{"rules":[{"name":"a","effect":"deny","operations":["*"],"who":"authenticated","priority":-3}]}`))
	f.Add([]byte(`{"rules":[{"name":"\ud800"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := authz.Parse(data)
		if (r == nil) == (err == nil) {
			t.Fatalf("want rules or an error, have %v and %v", r, err)
		}
		if again, err2 := authz.Parse(data); (again == nil) != (r == nil) || (err2 == nil) != (err == nil) {
			t.Fatal("twice the same is not the same")
		}
		if d := r.Explain("orders/Place", nil); d.Allowed && d.Rule == "" {
			t.Fatalf("allowed by no rule: %v", d)
		}
	})
}

type order struct{ owner string }

func owns(_ context.Context, p *auth.Principal, o order) error {
	switch o.owner {
	case "later":
		return fmt.Errorf("the database: %w", auth.ErrUnavailable)
	case p.Subject:
		return nil
	}
	return status.New(status.NotFound, "secret reason")
}

func TestBy(t *testing.T) {
	t.Parallel()
	place := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"}, func(context.Context, any) (string, error) { return "placed", nil }, authz.By(owns))
	ann := auth.WithPrincipal(t.Context(), who("", ""))
	ended, cancel := context.WithCancel(ann)
	cancel()
	for _, test := range []struct {
		name    string
		ctx     context.Context
		request any
		code    status.Code
		reason  string
	}{
		{"own", ann, order{"ann"}, status.OK, ""},
		{"own by pointer", ann, &order{"ann"}, status.OK, ""},
		{"another's", ann, order{"bob"}, status.PermissionDenied, authz.ReasonForbidden},
		{"another's by pointer", ann, &order{"bob"}, status.PermissionDenied, authz.ReasonForbidden},
		{"unavailable", ann, order{"later"}, status.Unavailable, authz.ReasonUnavailable},
		{"nobody", t.Context(), order{""}, status.Unauthenticated, auth.ReasonMissing},
		{"ended", ended, order{"bob"}, status.Canceled, ""},
		{"another type", ann, "bob", status.Internal, ""},
	} {
		have, err := place(test.ctx, test.request)
		if status.CodeOf(err) != test.code || (have == "placed") != (test.code == status.OK) {
			t.Errorf("%s: want %v, have %q and %v", test.name, test.code, have, err)
		}
		if shown := status.From(err); err != nil && (shown.Reason != test.reason || strings.Contains(shown.Message, "secret")) {
			t.Errorf("%s: want the reason %q alone, have %+v", test.name, test.reason, shown)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("want the panic to go on")
		}
	}()
	_, _ = authz.By(func(context.Context, *auth.Principal, string) error { panic("x") })(endpoint.Spec{}, served)(ann, "")
}

func TestByOnStreams(t *testing.T) {
	t.Parallel()
	var got []string
	var sendErr error
	s := endpoint.NewStream(endpoint.Spec{Service: "orders", Method: "All"}, func(_ context.Context, in iter.Seq2[order, error], out func(string) error) error {
		for o, err := range in {
			if err != nil {
				break // as it should not
			}
			got = append(got, o.owner)
			if err := out("got"); err != nil {
				return err
			}
		}
		sendErr = out("end")
		return nil
	}, authz.By(owns))
	sent := 0
	call := func(ctx context.Context, owners ...string) error {
		got, sent = nil, 0
		var orders []order
		for _, o := range owners {
			orders = append(orders, order{o})
		}
		return s(ctx, endpoint.Seq(orders...), func(string) error { sent++; return nil })
	}
	ann := auth.WithPrincipal(t.Context(), who("", ""))
	if err := call(ann, "ann", "ann"); err != nil || len(got) != 2 || sent != 3 {
		t.Errorf("own: have %v, %q and %d", err, got, sent)
	}
	if err := call(ann, "ann", "bob", "ann"); status.CodeOf(err) != status.PermissionDenied || len(got) != 1 || sent != 1 || sendErr == nil {
		t.Errorf("another's: have %v, %q, %d and %v", err, got, sent, sendErr)
	}
	if err := call(t.Context(), "ann"); status.CodeOf(err) != status.Unauthenticated || sent != 0 {
		t.Errorf("nobody: have %v and %d", err, sent)
	}
}
