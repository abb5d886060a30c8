// Package keyed keeps a value for each of a bounded number of keys, such as a bucket for each caller, and forgets what it can best do
// without when there would be more.
package keyed

import (
	"fmt"
	"hash/maphash"
	"iter"
	"math/bits"
	"sync/atomic"
)

// Map holds values by key, never more than so many, but for the first key of a part that holds none. When one more comes it forgets
// another, in constant time on average, and on the goroutine that brings the new one: one of the same part of the Map that Idle says
// nothing is lost with, if 16 looks on average find one, else one that was not used lately, as CLOCK chooses (F. J. Corbató, "A Paging
// Experiment with the Multics System", 1968). What is idle is also dropped where a part would have to grow.
//
// A key is known by 64 bits, a hash with a seed of this Map, and not kept itself, so that a key of any length takes the same space and
// no key is compared. (62 bits in a Map of less than 1024 keys.) That any two of n keys are taken for one has a probability of n^2/2^65:
// one in 36 million for a million keys. Nobody who does not know the seed can bring it about, or aim at the key of somebody else.
//
// It is safe for concurrent use. It has no goroutine and reads no clock.
type Map[V any] struct {
	seed    maphash.Seed
	idle    func(v *V, now int64) bool
	limit   int64
	count   atomic.Int64
	forgot  atomic.Uint64
	evicted atomic.Uint64
	mask    uint64
	shards  []shard[V]
}

// New returns a Map of up to limit keys. Idle says whether the value is the same as a new one by now, so that nothing is lost by
// forgetting it; now is what Acquire was given. It is called with a part of the Map locked, must be quick, and must not use the Map. It may
// be nil, for never. New panics when limit is less than 1.
func New[V any](limit int, idle func(v *V, now int64) bool) *Map[V] {
	if limit < 1 {
		panic(fmt.Sprintf("keyed: New with a limit of %d keys: want 1 or more", limit))
	}
	if idle == nil {
		idle = func(*V, int64) bool { return false }
	}
	n := 1 << (bits.Len(uint(max(min(limit/minShard, fewShards), limit/maxShard, 1))) - 1)
	return &Map[V]{
		seed: maphash.MakeSeed(), idle: idle, limit: int64(limit), mask: uint64(n - 1), shards: make([]shard[V], n),
	}
}

// A Map has so many shards that they hold minShard keys at least, and maxShard at most unless it needs fewer than fewShards then.
const (
	minShard  = 256
	maxShard  = 4096
	fewShards = 256
)

// Entry is the value of a key, locked: it and others of the Map are out of reach until Release, which must follow soon.
type Entry[V any] struct {
	// Value may be read and written until Release.
	Value *V
	// Fresh says that the value was made just now, and is the zero value.
	Fresh bool

	shard *shard[V]
}

// Acquire returns the value of the key, and makes one that is zero where there is none. Now is handed to Idle when something has to go.
func (m *Map[V]) Acquire(key string, now int64) Entry[V] {
	hash := maphash.String(m.seed, key)
	s, id := &m.shards[hash&m.mask], id(hash&^visited|occupied)
	s.mu.Lock()
	if v := s.find(id); v != nil {
		return Entry[V]{Value: v, shard: s}
	}
	return Entry[V]{Value: m.insert(s, id, now), Fresh: true, shard: s}
}

// Lookup returns a copy of the value of the key, and whether there is one. Unlike Acquire it makes none.
func (m *Map[V]) Lookup(key string) (v V, ok bool) {
	hash := maphash.String(m.seed, key)
	s := &m.shards[hash&m.mask]
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.find(id(hash&^visited | occupied))
	if found == nil {
		return v, false
	}
	return *found, true
}

// Release unlocks what Acquire has locked. The Value must not be used any more.
func (e Entry[V]) Release() { e.shard.mu.Unlock() }

// Get returns the value of the key, or what fresh makes, for values that are pointers. Fresh is called with a part of the Map locked, must
// be quick, and must not use the Map nor panic.
func (m *Map[V]) Get(key string, now int64, fresh func() V) V {
	e := m.Acquire(key, now)
	if e.Fresh {
		*e.Value = fresh()
	}
	v := *e.Value
	e.Release()
	return v
}

// All yields a copy of each value, in no order. It is for pages and metrics: it takes time and space in proportion to their number. What is
// added or forgotten meanwhile may be among them or not.
func (m *Map[V]) All() iter.Seq[V] {
	return func(yield func(V) bool) {
		for i := range m.shards {
			for _, v := range m.shards[i].values() {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// Stats is what a Map knows of itself.
type Stats struct {
	Keys  int // that it holds
	Limit int // of them
	// Forgotten is how many keys it has dropped that were idle, and Evicted how many that were not, whose values are lost.
	Forgotten, Evicted uint64
}

// Stats returns the numbers of this moment.
func (m *Map[V]) Stats() Stats {
	return Stats{
		Keys: int(m.count.Load()), Limit: int(m.limit), Forgotten: m.forgot.Load(), Evicted: m.evicted.Load(),
	}
}

// insert makes room for one more and returns its value. The shard is locked.
func (m *Map[V]) insert(s *shard[V], id id, now int64) *V {
	if s.full() {
		m.forget(s.grow(m.idle, now))
	}
	if m.count.Add(1) > m.limit {
		m.evict(s, now)
	}
	return s.insert(id)
}

// evict removes a key of the shard, where there is one: there need not be, but then the Map has one key more for each such shard.
func (m *Map[V]) evict(s *shard[V], now int64) {
	switch {
	case s.count == 0:
	case s.removeIdle(m.idle, now):
		m.forget(1)
	default:
		s.removeUnused()
		m.evicted.Add(1)
		m.count.Add(-1)
	}
}

func (m *Map[V]) forget(n int) {
	if n > 0 {
		m.forgot.Add(uint64(n))
		m.count.Add(int64(-n))
	}
}
