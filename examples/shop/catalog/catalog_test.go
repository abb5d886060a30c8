package catalog_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReservingTwiceWithOneKeyTakesOnce(t *testing.T) {
	t.Parallel()
	s, err := catalog.New()
	if err != nil {
		t.Fatal(err)
	}
	const sku, count = "CHI-1001", 2
	stock := func() int {
		p, err := s.Get(t.Context(), &catalog.Get{SKU: sku})
		if err != nil {
			t.Fatal(err)
		}
		return p.Stock
	}
	before := stock()
	for range 2 {
		if _, err := s.Reserve(t.Context(), &catalog.Reserve{Key: "a", Lines: []catalog.Line{{SKU: sku, Count: count}}}); err != nil {
			t.Fatal(err)
		}
	}
	if want, have := before-count, stock(); have != want {
		t.Errorf("reserved twice: want %d, have %d", want, have)
	}
	for range 2 {
		if _, err := s.Release(t.Context(), &catalog.Release{Key: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	if want, have := before, stock(); have != want {
		t.Errorf("released twice: want %d, have %d", want, have)
	}
	if _, err := s.Release(t.Context(), &catalog.Release{Key: "b"}); status.CodeOf(err) != status.NotFound {
		t.Errorf("a key that nothing was reserved with: want NotFound, have %v", err)
	}
}
