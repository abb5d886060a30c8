package keyed_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/internal/keyed"
)

// TestLookupMakesNothing finds what is there, and leaves the others out.
func TestLookupMakesNothing(t *testing.T) {
	t.Parallel()
	m := keyed.New[int](100, nil)
	set(m, "a", 7)
	if v, ok := m.Lookup("a"); v != 7 || !ok {
		t.Errorf("want 7, have %d, %t", v, ok)
	}
	for range 1000 {
		if v, ok := m.Lookup("b"); v != 0 || ok {
			t.Fatalf("want nothing, have %d", v)
		}
	}
	if want, have := (keyed.Stats{Keys: 1, Limit: 100}), m.Stats(); want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
}

// TestWhatIsLookedUpIsUsed and stays when something has to go.
func TestWhatIsLookedUpIsUsed(t *testing.T) {
	t.Parallel()
	const limit = 100
	m := keyed.New[int](limit, nil)
	for _, key := range numbers(limit) {
		set(m, key, 1)
	}
	set(m, "another", 1) // the hand passes all
	m.Lookup("another")
	kept := 0
	for _, key := range numbers(limit)[:limit/2] {
		if _, ok := m.Lookup(key); ok {
			kept++
		}
	}
	for i := range limit / 4 {
		set(m, numbers(2 * limit)[limit+i], 1)
	}
	for _, key := range numbers(limit)[:limit/2] {
		if _, ok := m.Lookup(key); ok {
			kept--
		}
	}
	if kept != 0 {
		t.Errorf("%d that were looked up are gone", kept)
	}
}
