package buffer_test

import (
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/internal/buffer"
)

func TestBuffersAreEmptyAndNobodyElses(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 1000 {
				b := buffer.Get()
				if len(b.B) != 0 {
					t.Errorf("want an empty buffer, have %d bytes", len(b.B))
				}
				for range 100 {
					b.B = append(b.B, byte(i))
				}
				for _, have := range b.B {
					if have != byte(i) {
						t.Errorf("want %d, have another's %d", i, have)
					}
				}
				b.Free()
			}
		})
	}
	wg.Wait()
}

//nolint:paralleltest // it must be alone with the pool
func TestAHugeMessageDoesNotStay(t *testing.T) {
	const limit = 1 << 20
	for range 100 {
		b := buffer.Get()
		b.B = make([]byte, limit+1)
		b.Free()
	}
	for range 100 {
		if have := cap(buffer.Get().B); have > limit {
			t.Fatalf("want at most %d bytes kept, have %d", limit, have)
		}
	}
}

func BenchmarkGetFree(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		buf := buffer.Get()
		buf.B = append(buf.B, "0123456789"...)
		buf.Free()
	}
}
