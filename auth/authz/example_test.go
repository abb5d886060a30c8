package authz_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

func ExampleParse() {
	rules, err := authz.Parse([]byte(`{"rules": [
		{"name": "staff", "effect": "allow", "operations": ["orders/*"], "roles": ["staff"], "scopes": ["orders:write"]},
		{"name": "no trainees", "effect": "deny", "operations": ["orders/Cancel"], "roles": ["trainee"]}
	]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	ann := &auth.Principal{Subject: "ann", Roles: []string{"staff", "trainee"}, Scopes: []string{"orders:write"}}
	fmt.Println(rules.Explain("orders/Place", ann))
	fmt.Println(rules.Explain("orders/Cancel", ann))
	fmt.Println(rules.Explain("orders/Place", nil))
	// Output:
	// orders/Place by ann is allowed: rule "staff" allows it to those with the role staff and the scopes orders:write
	// orders/Cancel by ann is refused: rule "no trainees" denies it to those with the role trainee
	// orders/Place by nobody is refused: no rule of this operation is about this caller
}

func ExampleBy() {
	type order struct{ Customer string }
	own := authz.By(func(_ context.Context, caller *auth.Principal, o order) error {
		if o.Customer != caller.Subject {
			return errors.New("it is an order of " + o.Customer)
		}
		return nil
	})
	place := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"},
		func(context.Context, order) (string, error) { return "placed", nil }, own)

	ctx := auth.WithPrincipal(context.Background(), &auth.Principal{Subject: "ann"})
	fmt.Println(place(ctx, order{Customer: "ann"}))
	_, err := place(ctx, order{Customer: "bob"})
	fmt.Println("the caller sees:", status.From(err).Message)
	fmt.Println("the log has:", err)
	// Output:
	// placed <nil>
	// the caller sees: the caller may not do this
	// the log has: permission_denied (FORBIDDEN): the caller may not do this: authz: orders/Place by ann: it is an order of bob
}

func ExampleNewSource() {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("rules-%d.json", os.Getpid()))
	defer func() { _ = os.Remove(path) }()
	write := func(role string) {
		text := fmt.Sprintf(`{"rules": [{"name": "r", "effect": "allow", "operations": ["*"], "roles": [%q]}]}`, role)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			fmt.Println(err)
		}
	}
	write("staff")
	rules, err := authz.NewSource(path, authz.SourceOnEvent(func(e authz.Event) { fmt.Println(e.Kind) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rules.Close()
	ann := &auth.Principal{Subject: "ann", Roles: []string{"staff"}}
	fmt.Println(rules.Rules().Explain("orders/Place", ann).Allowed)
	write("admin")
	if err := rules.Reload(); err != nil { // or wait a moment
		fmt.Println(err)
	}
	fmt.Println(rules.Rules().Explain("orders/Place", ann).Allowed)
	// Output:
	// loaded
	// true
	// loaded
	// false
}
