package apikeyauth_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	apikeyauth "github.com/ashlar-go/ashlar/auth/apikey"
)

func TestAKeyAllocatesTwice(t *testing.T) {
	s := store{}
	a := must(apikeyauth.New("shop", s.Find, apikeyauth.LastUsed(10)))
	c := bearer(s.add(nil))
	authenticate := func() { _ = must(a.Authenticate(t.Context(), c)) }
	authenticate()
	if raceEnabled {
		return // the race detector allocates
	}
	if have := testing.AllocsPerRun(100, authenticate); have > 2 {
		t.Errorf("want at most 2 allocations, have %v", have)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	s := store{}
	key := s.add(nil)
	hashes := map[[sha256.Size]byte]apikeyauth.Record{sha256.Sum256([]byte(key)): {}}
	unknown := store{}.add(nil)
	a := must(apikeyauth.New("shop", s.Find))
	cached := must(apikeyauth.New("shop", s.Find, apikeyauth.Cache(10, time.Hour), apikeyauth.LastUsed(10)))
	run := func(name string, f func(context.Context)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f(b.Context())
			}
		})
	}
	found := 0
	run("sha256 and map alone", func(context.Context) {
		if _, ok := hashes[sha256.Sum256([]byte(key))]; ok {
			found++
		}
	})
	call, other := bearer(key), bearer(unknown)
	run("known", func(ctx context.Context) { _, _ = a.Authenticate(ctx, call) })
	run("unknown", func(ctx context.Context) { _, _ = a.Authenticate(ctx, other) })
	run("remembered", func(ctx context.Context) { _, _ = cached.Authenticate(ctx, call) })
}
