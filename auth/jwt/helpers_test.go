package jwtauth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
	"github.com/ashlar-go/ashlar/transport"
)

// shop are the claims that most tests read.
type shop struct {
	Tenant string `json:"tenant"`
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	return must(ecdsa.GenerateKey(curve, rand.Reader))(t)
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	return must(rsa.GenerateKey(rand.Reader, 2048))(t)
}

func edKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return must(private, err)(t)
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// encoded is a part of a token.
func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// forge signs whatever it is given.
func forge(t testing.TB, method jwt.SigningMethod, key any, header, claims string) string {
	t.Helper()
	signed := encoded(header) + "." + encoded(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(must(method.Sign(signed, key))(t))
}

// good returns claims that are taken, with more of them, or others in their place, as in `"iss":"x"`.
func good(others ...string) string {
	now := time.Now()
	all := []string{`"iss":"login"`, `"sub":"ann"`, `"aud":"orders"`, fmt.Sprintf(`"exp":%d`, now.Add(time.Minute).Unix())}
	for _, other := range others {
		name, _, _ := strings.Cut(other, ":")
		replaced := false
		for i := range all {
			if strings.HasPrefix(all[i], name+":") {
				all[i], replaced = other, true
			}
		}
		if !replaced {
			all = append(all, other)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

// in returns a claim with the time that is d away.
func in(claim string, d time.Duration) string {
	return fmt.Sprintf("%q:%d", claim, time.Now().Add(d).Unix())
}

func call(values ...string) *transport.Info {
	return &transport.Info{Request: transport.HeaderMap{"Authorization": values}}
}

// issuer is an ES256 key with what it signs.
type issuer struct {
	t       testing.TB
	private *ecdsa.PrivateKey
	key     *jwtauth.Key
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	private := ecKey(t, elliptic.P256())
	return &issuer{t, private, must(jwtauth.NewKey("k1", "", &private.PublicKey))(t)}
}

func (i *issuer) token(claims string) string {
	i.t.Helper()
	return forge(i.t, jwt.SigningMethodES256, i.private, `{"alg":"ES256","kid":"k1"}`, claims)
}

func (i *issuer) verifier(opts ...jwtauth.Option) *jwtauth.Verifier[shop] {
	i.t.Helper()
	opts = append([]jwtauth.Option{jwtauth.Issuer("login"), jwtauth.Audience("orders")}, opts...)
	return must(jwtauth.New[shop](i.key, opts...))(i.t)
}
