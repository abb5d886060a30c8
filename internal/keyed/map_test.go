package keyed_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/internal/keyed"
)

func set(m *keyed.Map[int], key string, value int) (before int, fresh bool) {
	e := m.Acquire(key, 0)
	defer e.Release()
	before = *e.Value
	*e.Value = value
	return before, e.Fresh
}

func numbers(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "key " + strconv.Itoa(i)
	}
	return keys
}

// TestAgainstAMap compares with the map of the language, at a size at which nothing has to go, through many changes of the tables.
func TestAgainstAMap(t *testing.T) {
	t.Parallel()
	m, want := keyed.New[int](1<<14, nil), map[string]int{}
	random := rand.New(rand.NewPCG(1, 2))
	keys := append(numbers(1<<13), "", "\x00", "\x00\x00")
	for i := range 1 << 17 {
		key := keys[random.IntN(len(keys))]
		wantBefore, known := want[key]
		want[key] = i
		if before, fresh := set(m, key, i); before != wantBefore || fresh == known {
			t.Fatalf("%q: want %d, fresh %t, have %d, fresh %t", key, wantBefore, !known, before, fresh)
		}
	}
	if want, have := (keyed.Stats{Keys: len(want), Limit: 1 << 14}), m.Stats(); want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
	var values []int
	for v := range m.All() {
		values = append(values, v)
	}
	var wanted []int
	for _, v := range want {
		wanted = append(wanted, v)
	}
	slices.Sort(values)
	slices.Sort(wanted)
	if !slices.Equal(wanted, values) {
		t.Errorf("All: want the %d values, have %d others", len(wanted), len(values))
	}
	for range m.All() {
		break
	}
}

// TestForgetsRight compares with a map while half of what comes makes something else go: what is found has the value that it was given,
// or is fresh.
func TestForgetsRight(t *testing.T) {
	t.Parallel()
	const limit = 500
	m, last := keyed.New(limit, func(v *int, now int64) bool { return int64(*v) < now-2000 }), map[string]int{}
	random := rand.New(rand.NewPCG(3, 4))
	keys := numbers(2 * limit)
	var fresh uint64
	for i := range 1 << 17 {
		key := keys[random.IntN(len(keys))]
		e := m.Acquire(key, int64(i))
		if !e.Fresh && *e.Value != last[key] || e.Fresh && *e.Value != 0 {
			t.Fatalf("%q: fresh %t, want %d, have %d", key, e.Fresh, last[key], *e.Value)
		}
		if e.Fresh {
			fresh++
		}
		*e.Value, last[key] = i, i
		e.Release()
		if have := m.Stats().Keys; have > limit {
			t.Fatalf("want at most %d keys, have %d", limit, have)
		}
	}
	s := m.Stats()
	if want, have := fresh, uint64(s.Keys)+s.Forgotten+s.Evicted; want != have {
		t.Errorf("want as many keys held, forgotten and evicted as were fresh, %d, have %d: %+v", want, have, s)
	}
	if s.Keys != limit || s.Evicted == 0 {
		t.Errorf("want %d keys, and some evicted, have %+v", limit, s)
	}
}

func TestTheIdleGoFirst(t *testing.T) {
	t.Parallel()
	const limit = 1 << 10
	m := keyed.New(limit, func(v *int, _ int64) bool { return *v == 0 })
	keys := numbers(limit)
	for i, key := range keys {
		set(m, key, i%4) // a quarter of them is idle
	}
	for i := range limit / 16 {
		set(m, "another "+strconv.Itoa(i), 1)
	}
	s := m.Stats()
	if s.Evicted != 0 || s.Forgotten == 0 {
		t.Errorf("want none evicted while there are idle ones, have %+v", s)
	}
}

func TestTheIdleMakeRoomBeforeATableGrows(t *testing.T) {
	t.Parallel()
	m := keyed.New(1<<20, func(v *int, now int64) bool { return int64(*v) < now-100 })
	for i, key := range numbers(1 << 16) {
		e := m.Acquire(key, int64(i))
		*e.Value = i
		e.Release()
	}
	if s := m.Stats(); s.Keys > 1<<13 || s.Evicted != 0 {
		t.Errorf("want few keys, since only 100 of them are not idle, and none evicted, have %+v", s)
	}
}

// TestWhatIsUsedStays has a few keys that are used all the time, and many that come once.
func TestWhatIsUsedStays(t *testing.T) {
	t.Parallel()
	const limit, regulars = 512, 128
	m := keyed.New[int](limit, nil)
	keys := numbers(regulars)
	for _, key := range keys {
		set(m, key, 1)
	}
	lost := 0
	for i := range 100 * limit {
		if _, fresh := set(m, keys[i%regulars], 1); fresh {
			lost++
		}
		set(m, "once "+strconv.Itoa(i), 1)
	}
	if lost != 0 {
		t.Errorf("want none lost of %d keys that are used once in %d new ones, have %d", regulars, regulars, lost)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	m := keyed.New[*string](2, nil)
	made := 0
	fresh := func() *string { made++; return new("value " + strconv.Itoa(made)) }
	a := m.Get("a", 0, fresh)
	if b := m.Get("b", 0, fresh); a == b || *a != "value 1" || *b != "value 2" {
		t.Errorf("want value 1 and value 2, have %s and %s", *a, *b)
	}
	if have := m.Get("a", 0, fresh); a != have {
		t.Errorf("want the one that there is, have %s", *have)
	}
	m.Get("c", 0, fresh)
	if want, have := (keyed.Stats{Keys: 2, Limit: 2, Evicted: 1}), m.Stats(); want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
}

func TestOneKey(t *testing.T) {
	t.Parallel()
	m := keyed.New[int](1, nil)
	for _, key := range numbers(100) {
		if _, fresh := set(m, key, 1); !fresh {
			t.Errorf("%s: want a fresh value", key)
		}
		if _, fresh := set(m, key, 1); fresh {
			t.Errorf("%s: want the value that there is", key)
		}
	}
}

func TestALimitThatIsNone(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("want a panic")
		}
	}()
	keyed.New[int](0, nil)
}

// TestAtOnce counts in a few keys from many goroutines, while others bring keys that make room scarce.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	const each, goroutines = 2000, 8
	m := keyed.New(1<<12, func(v *int, _ int64) bool { return *v == 0 }) // those that come once are idle
	keys := numbers(16)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				e := m.Acquire(keys[i%len(keys)], 0)
				*e.Value++
				e.Release()
				m.Acquire(strconv.Itoa(g*each+i), 0).Release()
			}
			for range m.All() {
				break
			}
		})
	}
	wg.Wait()
	total := 0
	for v := range m.All() {
		total += v
	}
	if want := each * goroutines; want != total {
		t.Errorf("want %d, have %d", want, total)
	}
	if s := m.Stats(); s.Keys > s.Limit || s.Evicted != 0 {
		t.Errorf("want up to the limit, and none evicted, have %+v", s)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	m := keyed.New[int](64, nil)
	keys := numbers(256)
	for _, key := range keys {
		set(m, key, 1)
	}
	idle := keyed.New(1<<20, func(*int, int64) bool { return true })
	i := 0
	for name, call := range map[string]func(){
		"a key that makes idle ones go": func() { set(idle, keys[i%len(keys)], 1); i++ },
		"a hit":                         func() { set(m, keys[255], 1) },
		"an eviction":                   func() { set(m, keys[i%len(keys)], 1); i++ },
	} {
		if want, have := 0.0, testing.AllocsPerRun(1000, call); want != have {
			t.Errorf("%s: want %v allocations, have %v", name, want, have)
		}
	}
}
