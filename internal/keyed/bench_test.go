package keyed_test

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/internal/keyed"
)

const many = 1_000_000

// BenchmarkMillionKeys gets one of a million keys at random, beside a plain map with one lock.
func BenchmarkMillionKeys(b *testing.B) {
	keys := numbers(many)
	calls := make([]string, 1<<20) // in the order of memory, since the key of a call has just been made
	for i := range calls {
		calls[i] = "key " + strconv.Itoa(rand.IntN(many))
	}
	b.Run("keyed", func(b *testing.B) {
		before := heap()
		m := keyed.New[int](many, nil)
		for _, key := range keys {
			m.Acquire(key, 0).Release()
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			e := m.Acquire(calls[i&(1<<20-1)], 0)
			*e.Value++
			e.Release()
			i++
		}
		b.ReportMetric(float64(heap()-before)/many, "B/key")
		runtime.KeepAlive(m)
	})
	b.Run("plain map", func(b *testing.B) {
		before := heap()
		m := map[string]*int{}
		for _, key := range keys {
			m[key] = new(int)
		}
		var mu sync.Mutex
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			mu.Lock()
			*m[calls[i&(1<<20-1)]]++
			mu.Unlock()
			i++
		}
		b.ReportMetric(float64(heap()-before)/many, "B/key")
		runtime.KeepAlive(m)
	})
	b.Run("evicting", func(b *testing.B) {
		m := keyed.New[int](many/2, nil)
		for _, key := range keys {
			m.Acquire(key, 0).Release()
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			m.Acquire(calls[i&(1<<20-1)], 0).Release()
			i++
		}
	})
}

func BenchmarkOneKey(b *testing.B) {
	m := keyed.New[int](many, nil)
	b.ReportAllocs()
	for b.Loop() {
		m.Acquire("key", 0).Release()
	}
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
