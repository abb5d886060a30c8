package basicauth_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	basicauth "github.com/ashlar-go/ashlar/auth/basic"
)

func TestARememberedSuccessAllocatesLittle(t *testing.T) {
	a := newAuthenticator(t, users(), basicauth.Cache(10, time.Minute))
	c := as("ann", password)
	authenticate := func() { _ = must(a.Authenticate(t.Context(), c)) }
	authenticate()
	if raceEnabled {
		return // the race detector allocates
	}
	if have := testing.AllocsPerRun(100, authenticate); have > 13 {
		t.Errorf("want at most 13 allocations, have %v", have)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	hash := must(basicauth.NewHash(password, basicauth.Bcrypt(10)))
	argon := must(basicauth.NewHash(password, basicauth.Default()))
	find := func(_ context.Context, user string) (basicauth.User, error) {
		if user == "argon" {
			return basicauth.User{Hash: argon}, nil
		}
		return basicauth.User{Hash: hash}, nil
	}
	plain := must(basicauth.New(find))
	cached := must(basicauth.New(find, basicauth.Cache(10, time.Hour)))
	_ = must(cached.Authenticate(b.Context(), as("ann", password)))
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
	run("bcrypt alone", func() { _ = bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) })
	ann, other := as("ann", password), as("argon", password)
	run("bcrypt", func() { _, _ = plain.Authenticate(b.Context(), ann) })
	run("argon2id", func() { _, _ = plain.Authenticate(b.Context(), other) })
	run("remembered", func() { _, _ = cached.Authenticate(b.Context(), ann) })
}
