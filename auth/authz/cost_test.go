package authz_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
)

// thousands are sets of 1,000 rules, with callers whom the last of them allows, of those of one operation.
func thousands(t testing.TB) map[string]func() error {
	t.Helper()
	var operations, roles, both, pairs []authz.Rule
	for i := range 1000 {
		r := authz.Rule{Name: fmt.Sprint(i), Effect: authz.Allow, Operations: []string{"orders/Place"}, Roles: []string{fmt.Sprint("role", i)}}
		roles = append(roles, r)
		r.Operations = []string{fmt.Sprintf("service%d/*", i/10)}
		operations = append(operations, r)
		r.Operations, r.Roles, r.Scopes = []string{"orders/*"}, []string{"staff"}, []string{fmt.Sprint("scope", i)}
		both = append(both, r)
		r.Roles, r.Scopes = []string{fmt.Sprint("role", i/32)}, []string{fmt.Sprint("scope", i%32)}
		pairs = append(pairs, r)
	}
	calls := make(map[string]func() error)
	add := func(name, service string, all []authz.Rule, p *auth.Principal) {
		h := rules(t, all...).Middleware(endpoint.Spec{Service: service, Method: "Place", Kind: endpoint.Unary}, served)
		ctx := auth.WithPrincipal(t.Context(), p)
		calls[name] = func() error {
			_, err := h(ctx, nil)
			return err
		}
	}
	add("100 operations", "service99", operations, who("role1 role2 role999", "a b c"))
	add("one operation by role", "orders", roles, who("role999", ""))
	add("one operation by role and scope", "orders", both, who("staff", "scope999"))
	add("one operation by 8 roles and 8 scopes", "orders", pairs, who("role31 a b c d e f g", "scope7 h i j k l m n"))
	add("one operation by 32 roles and 32 scopes", "orders", pairs, who("role31 a b c d e f g", "scope0 scope1 scope2 scope3 scope4 scope5 scope6 scope7"))
	return calls
}

func TestCallsDoNotAllocate(t *testing.T) {
	for name, call := range thousands(t) {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if raceEnabled {
			continue // the race detector allocates
		}
		if have := testing.AllocsPerRun(100, func() { _ = call() }); have != 0 {
			t.Errorf("%s: want no allocation, have %v", name, have)
		}
	}
}

func BenchmarkSource(b *testing.B) {
	path := filepath.Join(b.TempDir(), "rules.json")
	text := []byte(`{"rules": [`)
	for i := range 1000 {
		text = fmt.Appendf(text, `{"name": "%d", "effect": "allow", "operations": ["orders/*"], "roles": ["role%d"]},`, i, i)
	}
	if err := os.WriteFile(path, append(text[:len(text)-1], "]}"...), 0o600); err != nil {
		b.Fatal(err)
	}
	h := source(b, path).Middleware(endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary}, served)
	ctx := auth.WithPrincipal(b.Context(), who("role999", ""))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h(ctx, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMiddleware(b *testing.B) {
	for name, call := range thousands(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = call()
			}
		})
	}
}

func TestCallsOfASourceDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	path := filepath.Join(t.TempDir(), "rules.json")
	put(t, path, allowing("a"))
	h := source(t, path).Middleware(endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary}, served)
	ctx := auth.WithPrincipal(t.Context(), who("a", ""))
	if have := testing.AllocsPerRun(100, func() { _, _ = h(ctx, nil) }); have != 0 {
		t.Errorf("want no allocation, have %v", have)
	}
}
