package jwtauth_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
	"github.com/ashlar-go/ashlar/transport"
)

// authenticate returns a call of an Authenticator.
func authenticate(b *testing.B, a auth.Authenticator, info *transport.Info) func() {
	b.Helper()
	return func() {
		if _, err := a.Authenticate(b.Context(), info); err != nil {
			b.Fatal(err)
		}
	}
}

// alone returns the same by golang-jwt, with the same checks.
func alone(b *testing.B, i *issuer, token string) func() {
	b.Helper()
	type claims struct {
		jwt.RegisteredClaims
		shop

		Scope string `json:"scope"`
	}
	p := jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer("login"), jwt.WithAudience("orders"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	return func() {
		if _, err := p.ParseWithClaims(token, &claims{}, func(*jwt.Token) (any, error) { return &i.private.PublicKey, nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func benchToken(i *issuer) string {
	return i.token(good(`"scope":"orders:read orders:write"`, `"exp":9999999999`, in("iat", 0), `"jti":"0123456789"`, `"tenant":"north"`))
}

// BenchmarkES256 makes a call of each in turn, so that what else the machine does befalls both, and compares the medians.
func BenchmarkES256(b *testing.B) {
	i := newIssuer(b)
	token := benchToken(i)
	own, plain := authenticate(b, i.verifier(), call("Bearer "+token)), alone(b, i, token)
	var took [2][]time.Duration
	for b.Loop() {
		for n, f := range []func(){own, plain} {
			start := time.Now()
			f()
			took[n] = append(took[n], time.Since(start))
		}
	}
	b.ReportMetric(median(took[0]), "jwtauth-ns")
	b.ReportMetric(median(took[1]), "golang-jwt-ns")
	b.ReportMetric(median(took[0])/median(took[1]), "ratio")
}

func BenchmarkES256Alone(b *testing.B) {
	i := newIssuer(b)
	f := authenticate(b, i.verifier(), call("Bearer "+benchToken(i)))
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}

func BenchmarkGolangJWT(b *testing.B) {
	i := newIssuer(b)
	f := alone(b, i, benchToken(i))
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}

// BenchmarkRepeat is a token that was seen before: the median of batches, for the same reason.
func BenchmarkRepeat(b *testing.B) {
	const batch = 100
	i := newIssuer(b)
	server := newLoginServer(b, published(b, i.key))
	short, long := benchToken(i), i.token(good(`"exp":9999999999`, `"x":"`+strings.Repeat("x", 1380)+`"`))
	for name, c := range map[string]struct {
		keys  jwtauth.Keys
		token string
	}{"key": {i.key, short}, "JWKS": {server.keys(b), short}, "JWKS, 2 KB": {server.keys(b), long}} {
		b.Run(name, func(b *testing.B) {
			v := must(jwtauth.New[shop](c.keys, jwtauth.Issuer("login"), jwtauth.Audience("orders"), jwtauth.CacheTokens(1000)))(b)
			f := authenticate(b, v, call("Bearer "+c.token))
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				for range batch {
					f()
				}
				took = append(took, time.Since(start))
			}
			b.ReportMetric(median(took)/batch, "call-ns")
		})
	}
}

func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2])
}
