package jwtauth_test

import (
	"crypto/elliptic"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

func TestAllocationsOfACall(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	i := newIssuer(t)
	server := newLoginServer(t, published(t, i.key))
	info := call("Bearer " + i.token(good(`"scope":"orders:read orders:write"`, in("iat", 0), `"jti":"0123456789"`, `"tenant":"north"`)))
	for name, c := range map[string]struct {
		v    *jwtauth.Verifier[shop]
		most float64
	}{
		"verified":                 {i.verifier(), 44},
		"looked up":                {i.verifier(jwtauth.CacheTokens(10)), 0},
		"looked up, keys by a URL": {must(jwtauth.New[shop](server.keys(t), jwtauth.AnyIssuer(), jwtauth.AnyAudience(), jwtauth.CacheTokens(10)))(t), 0},
	} {
		if _, err := c.v.Authenticate(t.Context(), info); err != nil {
			t.Fatal(err)
		}
		if have := testing.AllocsPerRun(100, func() { _, _ = c.v.Authenticate(t.Context(), info) }); have > c.most {
			t.Errorf("%s: want %v allocations at most, have %v", name, c.most, have)
		}
	}
	forged, v := call("Bearer "+forge(t, jwt.SigningMethodES256, ecKey(t, elliptic.P256()), es256, good())), i.verifier(jwtauth.CacheTokens(10))
	if have := testing.AllocsPerRun(100, func() { _, _ = v.Authenticate(t.Context(), forged) }); have > 40 {
		t.Errorf("forged: want 40 allocations at most, have %v", have)
	}
}
