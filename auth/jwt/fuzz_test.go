package jwtauth_test

import (
	"crypto/elliptic"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

// FuzzToken holds that no token is taken that golang-jwt, held to the same algorithm, does not take.
func FuzzToken(f *testing.F) {
	secret := []byte(strings.Repeat("s", 32))
	for _, claims := range []string{good(), `{"iss":"login"}`, `null`, good(`"scope":["a b",""]`), good(`"exp":1e400`)} {
		f.Add(`{"alg":"HS256","kid":"k"}`, claims, true)
	}
	f.Add(`{"alg":"none"}`, good(), false)
	f.Add(`{"alg":"HS256","kid":"k","crit":["x"]}`, good(), true)
	f.Add("a.b.c", "", false)
	key, err := jwtauth.NewKey("", "", secret)
	if err != nil {
		f.Fatal(err)
	}
	v, err := jwtauth.New[map[string]any](key, jwtauth.Issuer("login"), jwtauth.Audience("orders"), jwtauth.Roles("roles"))
	if err != nil {
		f.Fatal(err)
	}
	plain := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("login"), jwt.WithAudience("orders"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(jwtauth.DefaultLeeway), jwt.WithStrictDecoding())
	f.Fuzz(func(t *testing.T, header, claims string, sign bool) {
		token := header
		if sign {
			token = forge(t, jwt.SigningMethodHS256, secret, header, claims)
		}
		p, err := v.Verify(t.Context(), token)
		if (p == nil) == (err == nil) {
			t.Fatalf("have %v, %v", p, err)
		}
		if err != nil {
			return
		}
		if _, err := plain.Parse(token, func(*jwt.Token) (any, error) { return secret, nil }); err != nil || p.Subject == "" {
			t.Errorf("taken as %v, and not by golang-jwt: %v", p, err)
		}
	})
}

// FuzzRawToken looks at tokens byte by byte.
func FuzzRawToken(f *testing.F) {
	private := ecKey(f, elliptic.P256())
	key := must(jwtauth.NewKey("k1", "", &private.PublicKey))(f)
	v := must(jwtauth.New[shop](key, jwtauth.AnyIssuer(), jwtauth.AnyAudience()))(f)
	f.Add(forge(f, jwt.SigningMethodES256, ecKey(f, elliptic.P256()), es256, good()))
	f.Add(encoded(`{"alg":"none"}`) + "." + encoded(good()) + ".")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if p, err := v.Verify(t.Context(), token); err == nil {
			t.Errorf("taken without the key: %v", p)
		}
	})
}

// FuzzJWKS looks at what a server may answer.
func FuzzJWKS(f *testing.F) {
	key, _ := signing(f, "k1")
	f.Add(must(jwtauth.MarshalJWKS(key))(f))
	f.Add([]byte(`{"keys":[{"kty":"oct","kid":"a","k":"AAAA"},{"kty":"RSA","kid":"b","e":"AQAB","n":"AQAB"},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`))
	f.Add([]byte(`{"keys":[]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		server := &http.Client{Transport: trip(func() *http.Response { return answered(string(answer)) })}
		j := must(jwtauth.NewJWKS("https://login.example", jwtauth.JWKSClient(server)))(t)
		defer j.Close()
		_, err := j.Key(t.Context(), "k1")
		s := j.Status()
		if err == nil && !slices.Contains(s.KeyIDs, "k1") {
			t.Errorf("a key that is not there: %+v", s)
		}
		for _, id := range s.KeyIDs {
			k := must(j.Key(t.Context(), id))(t)
			if k.ID() != id || !slices.Contains([]string{"RS", "PS", "ES", "Ed"}, string(k.Algorithm()[:2])) {
				t.Errorf("%q: have %v", id, k)
			}
		}
	})
}
