package casbinauthz_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	casbinauthz "github.com/ashlar-go/ashlar/auth/authz/casbin"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

func enforcer(t testing.TB, files ...string) *casbin.SyncedEnforcer {
	t.Helper()
	params := make([]any, len(files))
	for i, file := range files {
		params[i] = filepath.Join("testdata", file)
	}
	e, err := casbin.NewSyncedEnforcer(params...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func authorizer(t testing.TB, e *casbin.SyncedEnforcer, opts ...casbinauthz.Option) *casbinauthz.Authorizer {
	t.Helper()
	a, err := casbinauthz.New(e, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func served(context.Context, any) (any, error) { return "served", nil }

func who(subject, roles string) *auth.Principal {
	return &auth.Principal{Subject: subject, Roles: strings.Fields(roles)}
}

// call calls an operation behind a.
func call(t testing.TB, a *casbinauthz.Authorizer, operation string, p *auth.Principal) error {
	t.Helper()
	service, method, _ := strings.Cut(operation, "/")
	spec := endpoint.Spec{Service: service, Method: method, Kind: endpoint.Unary}
	_, err := a.Middleware(spec, served)(auth.WithPrincipal(t.Context(), p), nil)
	return err
}

func TestRoles(t *testing.T) {
	t.Parallel()
	a := authorizer(t, enforcer(t, "rbac_model.conf", "rbac_policy.csv"))
	for _, test := range []struct {
		operation string
		caller    *auth.Principal
		code      status.Code
		rule, why string
	}{
		{"orders/Place", who("ann", "staff"), status.OK, "clerk, orders/*, call, allow", `the line "clerk, orders/*, call, allow" allows it to role:staff`},
		{"orders/Place", who("carol", ""), status.OK, "clerk, orders/*, call, allow", "allows it to carol"},
		{"stock/Count", who("bob", "none"), status.OK, "bob, stock/Count, call, allow", "allows it to bob"},
		{"orders/Cancel", who("ann", "staff"), status.OK, "clerk, orders/*, call, allow", ""},
		{"orders/Cancel", who("ann", "staff trainee"), status.PermissionDenied, "trainee, orders/Cancel, call, deny", "denies it to role:trainee"},
		{"orders/Cancel", who("ann", "trainee staff"), status.PermissionDenied, "trainee, orders/Cancel, call, deny", ""},
		{"orders/Cancel", who("carol", "trainee"), status.PermissionDenied, "trainee, orders/Cancel, call, deny", ""},
		{"orders/Place", who("ann", ""), status.PermissionDenied, "", "no line of the policy allows it"},
		{"Orders/Place", who("ann", "staff"), status.PermissionDenied, "", ""},
		{"orders/Place", nil, status.Unauthenticated, "", "the caller is no subject"},
		{"orders/Place", who("role:staff", ""), status.Internal, "", "begins with"},
		{"orders/Place", who("", "staff"), status.Internal, "", "no Subject"},
		{"orders/Place", who(`{"a": 1}`, "staff"), status.Internal, "", "JSON"},
		{"orders/Place", who(`["a"]`, "staff"), status.Internal, "", "JSON"},
		{"orders/Place", who("ann", strings.Repeat("staff ", casbinauthz.MaxSubjects)), status.Internal, "", "want at most 100"},
		{"orders/Place", who("ann", strings.Repeat("staff ", casbinauthz.MaxSubjects-1)), status.OK, "clerk, orders/*, call, allow", ""},
	} {
		err := call(t, a, test.operation, test.caller)
		if status.CodeOf(err) != test.code {
			t.Errorf("%s by %v: want %v, have %v", test.operation, test.caller, test.code, err)
		}
		d := a.Explain(test.operation, test.caller)
		if d.Allowed != (test.code == status.OK) || d.Rule != test.rule || !strings.Contains(d.Why, test.why) ||
			d.Operation != test.operation || d.Caller != test.caller.String() {
			t.Errorf("%s by %v: want %q and %q, have %+v", test.operation, test.caller, test.rule, test.why, d)
		}
		if err != nil && !strings.Contains(errors.Unwrap(err).Error(), test.why) {
			t.Errorf("want %q in the cause, have %v", test.why, errors.Unwrap(err))
		}
		if shown := status.From(err); err != nil && (strings.Contains(shown.Message, "policy") || strings.Contains(shown.Message, "orders")) {
			t.Errorf("the caller is told of the policy: %v", shown)
		}
	}
}

func TestADenialOfOneSubjectGoesOverPriorities(t *testing.T) {
	t.Parallel()
	a := authorizer(t, enforcer(t, "priority_model.conf", "rbac_policy.csv"))
	if err := call(t, a, "orders/Cancel", who("ann", "staff trainee")); status.CodeOf(err) != status.PermissionDenied {
		t.Errorf("want it denied, have %v", err)
	}
	if err := call(t, a, "orders/Place", who("ann", "staff trainee")); err != nil {
		t.Errorf("want it allowed, have %v", err)
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	type guest struct {
		Age    int
		Secret string
	}
	a := authorizer(t, enforcer(t, "abac_model.conf", "abac_policy.csv"), casbinauthz.Subjects(func(_ context.Context, c casbinauthz.Call) ([]any, error) {
		g, ok := auth.ClaimsOf[guest](c.Caller)
		if !ok {
			return nil, fmt.Errorf("the age of the guest: %w", auth.ErrUnavailable)
		}
		return []any{g}, nil
	}))
	of := func(age int) *auth.Principal {
		return &auth.Principal{Subject: "ann", Claims: guest{Age: age, Secret: "s3cret"}}
	}
	if err := call(t, a, "bar/Order", of(19)); err != nil {
		t.Errorf("want it allowed, have %v", err)
	}
	if err := call(t, a, "bar/Order", of(18)); status.CodeOf(err) != status.PermissionDenied || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("want it denied without the secret, have %v", err)
	}
	if d := a.Explain("bar/Order", of(19)); strings.Contains(d.String(), "s3cret") || !strings.Contains(d.Why, "a casbinauthz_test.guest") {
		t.Errorf("want the type alone, have %v", d)
	}
	if err := call(t, a, "bar/Order", who("ann", "")); status.CodeOf(err) != status.Unavailable || status.As(err).Reason != authz.ReasonUnavailable {
		t.Errorf("want unavailable, have %v", err)
	}
}

// A model that looks at no line of the policy has none that decided, also where there are some.
func TestAModelWithoutLines(t *testing.T) {
	t.Parallel()
	e := enforcer(t, "matcher_model.conf")
	a := authorizer(t, e)
	for range 2 {
		if d := a.Explain("orders/Place", who("root", "")); !d.Allowed || d.Rule != "" || d.Why != "the matcher allows it to root" {
			t.Errorf("have %+v", d)
		}
		if d := a.Explain("orders/Place", who("ann", "root")); d.Allowed || d.Rule != "" || d.Why != "no line of the policy allows it" {
			t.Errorf("have %+v", d)
		}
		if _, err := e.AddPolicy("ann", "orders/Place"); err != nil {
			t.Fatal(err)
		}
	}
	e.EnableEnforce(false)
	if err := call(t, a, "orders/Place", who("ann", "")); status.CodeOf(err) != status.Internal {
		t.Errorf("want Internal, have %v", err)
	}
}

func TestFunctionsThatFailRefuse(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]func(args ...any) (any, error){
		"error": func(...any) (any, error) { return true, errors.New("the secret reason") },
		"panic": func(...any) (any, error) { panic("the secret reason") },
		"type":  func(...any) (any, error) { return "true", nil },
	} {
		e := enforcer(t, "function_model.conf", "function_policy.csv")
		e.AddFunction("own", own)
		a := authorizer(t, e)
		for range 2 {
			err := call(t, a, "orders/Place", who("ann", ""))
			if status.CodeOf(err) != status.Internal || errors.Unwrap(err) == nil || strings.Contains(status.From(err).Message, "secret") {
				t.Errorf("%s: want Internal, have %v", name, err)
			}
			if d := a.Explain("orders/Place", who("ann", "")); d.Allowed {
				t.Errorf("%s: have %v", name, d)
			}
		}
	}
	e := enforcer(t, "function_model.conf", "function_policy.csv")
	e.AddFunction("own", func(args ...any) (any, error) { return args[0] == args[1], nil })
	if err := call(t, authorizer(t, e), "orders/Place", who("ann", "")); err != nil {
		t.Errorf("want two values to do, have %v", err)
	}
}

func TestFunctionsOfOptions(t *testing.T) {
	t.Parallel()
	e := enforcer(t, "rbac_model.conf", "rbac_policy.csv")
	if _, err := e.AddPolicy("guest", "shop", "enter", "allow"); err != nil {
		t.Fatal(err)
	}
	text := func(s string) func(context.Context, casbinauthz.Call) (any, error) {
		return func(_ context.Context, c casbinauthz.Call) (any, error) {
			if c.Operation != "orders/Place" {
				t.Errorf("have %+v", c)
			}
			return s, nil
		}
	}
	guest := casbinauthz.Subjects(func(context.Context, casbinauthz.Call) ([]any, error) { return []any{"guest"}, nil })
	a := authorizer(t, e, guest, casbinauthz.Object(text("shop")), casbinauthz.Action(text("enter")))
	if err := call(t, a, "orders/Place", nil); err != nil {
		t.Errorf("want nobody let in as a guest, have %v", err)
	}
	fails := func(context.Context, casbinauthz.Call) (any, error) { return nil, errors.New("no") }
	panics := func(context.Context, casbinauthz.Call) (any, error) { panic("no") }
	for name, o := range map[string]casbinauthz.Option{"object": casbinauthz.Object(fails), "action": casbinauthz.Action(fails)} {
		if err := call(t, authorizer(t, e, o), "orders/Place", who("ann", "staff")); status.CodeOf(err) != status.Internal || !strings.Contains(err.Error(), name+": no") {
			t.Errorf("%s: want Internal, have %v", name, err)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("want the panic to go on")
			}
		}()
		_ = call(t, authorizer(t, e, casbinauthz.Object(panics)), "orders/Place", who("ann", "staff"))
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := authorizer(t, e).Authorize(ctx, "orders/Place", who("ann", "staff")); !errors.Is(err, context.Canceled) {
		t.Errorf("want the end of the context, have %v", err)
	}
	if _, err := e.AddPolicy("bob", "late/Call", "call", "allow"); err != nil { // no lock is left held
		t.Fatal(err)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	good := enforcer(t, "rbac_model.conf", "rbac_policy.csv")
	off := enforcer(t, "rbac_model.conf", "rbac_policy.csv")
	off.EnableEnforce(false)
	empty := enforcer(t)
	empty.SetModel(model.NewModel())
	for _, test := range []struct {
		e    *casbin.SyncedEnforcer
		o    casbinauthz.Option
		want string
	}{
		{nil, nil, "the enforcer is nil"},
		{new(casbin.SyncedEnforcer), nil, "the enforcer is nil"},
		{empty, nil, "no section r"},
		{off, nil, "switched off"},
		{enforcer(t, "open_model.conf", "rbac_policy.csv"), nil, "allows what no policy is about"},
		{enforcer(t, "four_model.conf", "rbac_policy.csv"), nil, "has 4 values"},
		{good, casbinauthz.Subjects(nil), "Subjects: the function is nil"},
		{good, casbinauthz.Object(nil), "Object: the function is nil"},
		{good, casbinauthz.Action(nil), "Action: the function is nil"},
	} {
		var opts []casbinauthz.Option
		if test.o != nil {
			opts = append(opts, test.o)
		}
		if a, err := casbinauthz.New(test.e, opts...); a != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want %q, have %v", test.want, err)
		}
	}
	if _, err := casbinauthz.New(good, nil); err == nil {
		t.Error("want a nil option refused")
	}
	for _, a := range []*casbinauthz.Authorizer{nil, {}} {
		if err := call(t, a, "orders/Place", who("ann", "staff")); status.CodeOf(err) != status.Internal {
			t.Errorf("want Internal, have %v", err)
		}
		if d := a.Explain("orders/Place", nil); d.Allowed {
			t.Errorf("have %v", d)
		}
	}
}

func TestWhatIsDoneToTheEnforcerLaterRefuses(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(e *casbin.SyncedEnforcer){
		"off":  func(e *casbin.SyncedEnforcer) { e.EnableEnforce(false) },
		"open": func(e *casbin.SyncedEnforcer) { e.GetModel()["e"]["e"].Value = "!some(where (p_eft == deny))" },
		"size": func(e *casbin.SyncedEnforcer) { e.GetModel()["r"]["r"].Tokens = []string{"r_sub", "r_obj"} },
	} {
		e := enforcer(t, "rbac_model.conf", "rbac_policy.csv")
		a := authorizer(t, e)
		do(e)
		for _, caller := range []*auth.Principal{who("ann", ""), who("ann", "staff")} {
			if err := call(t, a, "orders/Place", caller); status.CodeOf(err) != status.Internal {
				t.Errorf("%s: want Internal, have %v", name, err)
			}
		}
	}
}

// Two lines change together, by one change of the policy; a call sees both or none, though its caller is two subjects.
func TestCallsAreJudgedByOnePolicy(t *testing.T) {
	t.Parallel()
	e := enforcer(t, "rbac_model.conf", "rbac_policy.csv")
	a := authorizer(t, e)
	lines := [][]string{{"one", "orders/Swap", "call", "allow"}, {"role:two", "orders/Swap", "call", "deny"}}
	var all sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := call(t, a, "orders/Swap", who("one", "two")); status.CodeOf(err) != status.PermissionDenied {
					t.Errorf("want it denied always, have %v", err)
					return
				}
				if err := call(t, a, "orders/Place", who("ann", "staff")); err != nil {
					t.Errorf("want what does not change allowed always, have %v", err)
					return
				}
			}
		})
	}
	for range 200 {
		if _, err := e.AddPolicies(lines); err != nil {
			t.Fatal(err)
		}
		if _, err := e.RemovePolicies(lines); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	all.Wait()
}

func BenchmarkEnforce(b *testing.B) {
	e := enforcer(b, "rbac_model.conf", "rbac_policy.csv")
	a := authorizer(b, e)
	spec := endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary}
	h := a.Middleware(spec, served)
	b.Run("casbin alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if ok, err := e.Enforce("carol", "orders/Place", "call"); !ok || err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, p := range map[string]*auth.Principal{"one subject": who("carol", ""), "three subjects": who("carol", "staff none")} {
		ctx := auth.WithPrincipal(b.Context(), p)
		b.Run("Middleware, "+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h(ctx, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
