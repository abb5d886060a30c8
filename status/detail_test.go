package status_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/status"
)

type outOfStock struct {
	SKU  string `json:"sku"`
	Left int    `json:"left"`
}

func TestDetailsAreTyped(t *testing.T) {
	t.Parallel()
	want := outOfStock{SKU: "<a&b>", Left: 2}
	stock, err := status.NewDetail("shop.OutOfStock", want)
	if err != nil {
		t.Fatal(err)
	}
	other, err := status.NewDetail("shop.Hint", "buy two")
	if err != nil {
		t.Fatal(err)
	}
	e := fmt.Errorf("placing: %w", status.New(status.FailedPrecondition, "out of stock").WithDetails(other, stock))
	d, ok := status.DetailOf(roundTrip(t, status.From(e)), "shop.OutOfStock")
	if !ok {
		t.Fatal("the detail is not found")
	}
	var have outOfStock
	if err := d.Decode(&have); err != nil || want != have {
		t.Errorf("want %v, have %v, %v", want, have, err)
	}
	if err := d.Decode(new(int)); err == nil || !strings.Contains(err.Error(), "shop.OutOfStock") {
		t.Errorf("decoding into another type: want an error that names the detail, have %v", err)
	}
	for _, err := range []error{nil, errors.New("x"), e} {
		if d, ok := status.DetailOf(err, "shop.Other"); ok {
			t.Errorf("DetailOf(%v): want none, have %v", err, d)
		}
	}
}

func TestNewDetailRefusals(t *testing.T) {
	t.Parallel()
	if _, err := status.NewDetail("", 1); err == nil || !strings.Contains(err.Error(), "int") {
		t.Errorf("without a name: want an error that names the type, have %v", err)
	}
	if _, err := status.NewDetail("shop.Func", func() {}); err == nil || !strings.Contains(err.Error(), "shop.Func") {
		t.Errorf("of a function: want an error that names the detail, have %v", err)
	}
}
