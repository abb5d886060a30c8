package keyed

import (
	"math/bits"
	"sync"
)

// id is the hash that a key is known by. Its lowest bits choose the shard and its highest ones the slot. The lowest two say something
// else in a table: where there are four shards or more, they are the same for all keys of one.
type id uint64

const (
	visited  = 1 << iota // used since the hand last passed
	occupied             // the slot holds a key
)

// slot is a place of a table, empty where the id is 0. It is small, and next to the others, since with many keys a call costs what it costs
// to fetch it.
type slot[V any] struct {
	id    id
	value V
}

// shard is a part of a Map: a hash table with linear probing, in which removing shifts back what follows (D. E. Knuth, "The Art of
// Computer Programming", volume 3, section 6.4, algorithm R), so that nothing is left behind.
type shard[V any] struct {
	mu    sync.Mutex
	table []slot[V]
	count int
	hand  int // of CLOCK
	sweep int // where the search for what is idle goes on
	saved int // slots that it may look at, since earlier searches were short

	_ [64]byte // so that shards do not share a cache line
}

const (
	firstTable = 8
	lookedAt   = 16 // slots on average, in search of one that is idle
	line       = 4  // slots of 16 bytes, as those of a bucket are, in a line of 64
)

// home returns the slot at which the search for a key begins: the first of a line, so that what is near it has come with the same fetch.
// It is a multiplication in place of a division (D. Lemire, "Fast random integer generation in an interval", 2019).
func (s *shard[V]) home(id id) int {
	high, _ := bits.Mul64(uint64(id&^visited), uint64(len(s.table)))
	return int(high) &^ (line - 1)
}

func (s *shard[V]) next(i int) int {
	if i++; i < len(s.table) {
		return i
	}
	return 0
}

// find returns the value of a key, nil where there is none.
func (s *shard[V]) find(id id) *V {
	if s.count == 0 {
		return nil
	}
	for i := s.home(id); ; i = s.next(i) {
		t := &s.table[i]
		if t.id&^visited == id {
			t.id |= visited
			return &t.value
		}
		if t.id == 0 {
			return nil
		}
	}
}

// full says whether the table has to grow before another key comes: probing gets long where more than four fifths are occupied.
func (s *shard[V]) full() bool { return s.count*5 >= len(s.table)*4 }

// insert adds a key that is not there. The table must not be full.
func (s *shard[V]) insert(id id) *V {
	i := s.home(id)
	for s.table[i].id != 0 {
		i = s.next(i)
	}
	s.table[i] = slot[V]{id: id}
	s.count++
	return &s.table[i].value
}

// grow drops what is idle, and makes the table larger by half unless that has made room enough. It returns how many were dropped.
func (s *shard[V]) grow(idle func(*V, int64) bool, now int64) (dropped int) {
	for i := 0; i < len(s.table); {
		if t := &s.table[i]; t.id != 0 && idle(&t.value, now) {
			s.remove(i) // another may have moved here
			dropped++
		} else {
			i++
		}
	}
	if s.count*2 < len(s.table) {
		return dropped
	}
	before := s.table
	s.table = make([]slot[V], max(firstTable, len(before)+len(before)/2))
	s.count = 0
	for i := range before {
		if t := &before[i]; t.id != 0 {
			*s.insert(t.id) = t.value
		}
	}
	return dropped
}

// removeIdle looks at a few slots, and at those that earlier searches have saved, which may be all, and removes the first key there that
// is idle.
func (s *shard[V]) removeIdle(idle func(*V, int64) bool, now int64) bool {
	for s.saved = min(s.saved+lookedAt, len(s.table)); s.saved > 0; s.saved-- {
		if t := &s.table[s.sweep]; t.id != 0 && idle(&t.value, now) {
			s.remove(s.sweep)
			return true
		}
		s.sweep = s.next(s.sweep)
	}
	return false
}

// removeUnused removes the first key from the hand on that was not used since the hand last passed it. There must be a key.
func (s *shard[V]) removeUnused() {
	for ; ; s.hand = s.next(s.hand) {
		t := &s.table[s.hand]
		if t.id != 0 && t.id&visited == 0 {
			s.remove(s.hand)
			return
		}
		t.id &^= visited
	}
}

// remove empties slot i, and moves back what probing would no longer find behind an empty slot.
func (s *shard[V]) remove(i int) {
	n := len(s.table)
	for j := s.next(i); s.table[j].id != 0; j = s.next(j) {
		if away := (j - s.home(s.table[j].id) + n) % n; away >= (j-i+n)%n {
			s.table[i] = s.table[j]
			i = j
		}
	}
	s.table[i] = slot[V]{}
	s.count--
}

func (s *shard[V]) values() (all []V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.table {
		if t := &s.table[i]; t.id != 0 {
			all = append(all, t.value)
		}
	}
	return all
}
