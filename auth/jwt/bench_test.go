package jwtauth_test

import (
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

// BenchmarkES256 has golang-jwt alone beside what an Authenticator does, with the same checks.
func BenchmarkES256(b *testing.B) {
	i := newIssuer(b)
	token := i.token(good(`"scope":"orders:read orders:write"`, in("iat", 0), `"jti":"0123456789"`, `"tenant":"north"`))
	b.Run("jwtauth", func(b *testing.B) {
		v, info := i.verifier(), call("Bearer "+token)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Authenticate(b.Context(), info); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("golang-jwt", func(b *testing.B) {
		type claims struct {
			jwt.RegisteredClaims
			shop

			Scope string `json:"scope"`
		}
		p := jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer("login"), jwt.WithAudience("orders"), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.ParseWithClaims(token, &claims{}, func(*jwt.Token) (any, error) { return &i.private.PublicKey, nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRepeat is a token that was seen before, and one that is as long as those with many claims.
func BenchmarkRepeat(b *testing.B) {
	i := newIssuer(b)
	server := newLoginServer(b, published(b, i.key))
	short := good(`"scope":"orders:read orders:write"`, `"exp":99999999999`, `"jti":"0123456789"`, `"tenant":"north"`)
	for name, c := range map[string]struct {
		keys   jwtauth.Keys
		claims string
	}{
		"key": {i.key, short}, "JWKS": {server.keys(b), short}, "JWKS, 2 KB": {server.keys(b), good(`"exp":99999999999`, `"x":"`+strings.Repeat("x", 1360)+`"`)},
	} {
		b.Run(name, func(b *testing.B) {
			v := must(jwtauth.New[shop](c.keys, jwtauth.Issuer("login"), jwtauth.Audience("orders"), jwtauth.CacheTokens(1000)))(b)
			info := call("Bearer " + i.token(c.claims))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Authenticate(b.Context(), info); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
