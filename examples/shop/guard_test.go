package main

import (
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/examples/shop/accounts"
)

func TestTheRulesAreAboutWhatThereIs(t *testing.T) {
	t.Parallel()
	rules, err := authz.Parse(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	if unused := rules.Unused(operations()...); len(unused) > 0 {
		t.Errorf("want every rule to be about something, have %q", unused)
	}
	customer := &auth.Principal{Subject: "ada", Roles: []string{accounts.Customer}}
	staff := &auth.Principal{Subject: "mason", Roles: []string{accounts.Staff}}
	for operation, want := range map[string][3]bool{ // nobody, customers, staff
		"storefront/FindProducts": {true, true, true},
		"storefront/PlaceOrder":   {false, true, false},
		"storefront/OrderFeed":    {false, false, true},
		"shop.v1.Orders/Feed":     {false, false, true},
		"shop.v1.Catalog/Reserve": {false, true, false},
		"shop.v1.Payments/Charge": {false, true, false},
		"shop.v1.Payments/Refund": {false, false, false}, // which there is not
	} {
		for i, caller := range []*auth.Principal{nil, customer, staff} {
			if d := rules.Explain(operation, caller); d.Allowed != want[i] {
				t.Errorf("want %v, have %v", want[i], d)
			}
		}
	}
}
