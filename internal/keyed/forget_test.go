package keyed_test

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/ashlar-go/ashlar/internal/keyed"
)

// until is what a value says that is idle from then on.
func until(v *int, now int64) bool { return int64(*v) <= now }

// TestAllThatIsIdleGoesFirst has one part, in which many are idle at first, which are found soon, and makes up for the few later, which are
// far apart.
func TestAllThatIsIdleGoesFirst(t *testing.T) {
	t.Parallel()
	const limit, soon, later = 500, 400, 6
	m := keyed.New(limit, until)
	for i, key := range numbers(limit) {
		switch {
		case i < soon:
			set(m, key, 1)
		case i < soon+later:
			set(m, key, 2)
		default:
			set(m, key, 3)
		}
	}
	for i := range soon + later {
		e := m.Acquire("another "+strconv.Itoa(i), int64(1+i/soon))
		*e.Value = 3
		e.Release()
	}
	if want, have := (keyed.Stats{Keys: limit, Limit: limit, Forgotten: soon + later}), m.Stats(); want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
}

// TestAllThatIsIdleMakesRoom in a table that would have to grow, also what has moved to the place of another that went.
func TestAllThatIsIdleMakesRoom(t *testing.T) {
	t.Parallel()
	const full = 7 // of the first table
	for range 100 {
		m := keyed.New(100, until)
		for _, key := range numbers(full) {
			set(m, key, 1)
		}
		m.Acquire("another", 1).Release()
		if want, have := (keyed.Stats{Keys: 1, Limit: 100, Forgotten: full}), m.Stats(); want != have {
			t.Fatalf("want %+v, have %+v", want, have)
		}
	}
}

// TestWhatWasNotUsedGoes and not what was used since the search last passed it.
func TestWhatWasNotUsedGoes(t *testing.T) {
	t.Parallel()
	const limit = 400
	m := keyed.New[int](limit, nil)
	keys := numbers(limit)
	for _, key := range keys {
		set(m, key, 1)
	}
	for _, key := range keys[limit/2:] {
		set(m, key, 1)
	}
	for i := range limit / 2 {
		m.Acquire("another "+strconv.Itoa(i), 0).Release()
	}
	for _, key := range keys[limit/2:] {
		if _, fresh := set(m, key, 1); fresh {
			t.Fatalf("want %s to stay, which was used, while there are others", key)
		}
	}
}

// TestMemory is what the documents of those who use a Map say.
func TestMemory(t *testing.T) { //nolint:paralleltest // it measures the heap
	const keys, least, most = 300_000, 20, 35 // bytes a key, with a value of 8
	all := numbers(keys)
	before := heap()
	m := keyed.New[int](keys, nil)
	for _, key := range all {
		m.Acquire(key, 0).Release()
	}
	if have := float64(heap()-before) / keys; have < least || have > most {
		t.Errorf("want %d to %d bytes a key, have %.1f", least, most, have)
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(all)
}
