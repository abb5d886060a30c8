package jwtauth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

func TestKeysHaveTheirAlgorithm(t *testing.T) {
	t.Parallel()
	ec := ecKey(t, elliptic.P384())
	for _, c := range []struct {
		key  any
		want jwtauth.Algorithm
	}{
		{make([]byte, 32), jwtauth.HS256}, {rsaKey(t), jwtauth.RS256}, {ecKey(t, elliptic.P256()), jwtauth.ES256},
		{ec, jwtauth.ES384}, {&ec.PublicKey, jwtauth.ES384}, {ecKey(t, elliptic.P521()), jwtauth.ES512}, {edKey(t), jwtauth.EdDSA},
	} {
		if k := must(jwtauth.NewKey("", "", c.key))(t); k.Algorithm() != c.want {
			t.Errorf("%T: want %s, have %s", c.key, c.want, k.Algorithm())
		}
	}
}

func TestBadKeysAreRefused(t *testing.T) {
	t.Parallel()
	weak := must(rsa.GenerateKey(rand.Reader, 1024))(t)
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)} //nolint:staticcheck // no function makes one that is off
	for name, c := range map[string]struct {
		id  string
		alg jwtauth.Algorithm
		key any
	}{
		"nil":             {"", "", nil},
		"nil RSA":         {"", "", (*rsa.PublicKey)(nil)},
		"nil EC":          {"", "", (*ecdsa.PrivateKey)(nil)},
		"zero RSA":        {"", "", &rsa.PublicKey{}},
		"zero EC":         {"", "", &ecdsa.PublicKey{}},
		"zero private EC": {"", "", &ecdsa.PrivateKey{}},
		"empty Ed25519":   {"", "", ed25519.PublicKey{}},
		"string":          {"", "", "secret"},
		"short secret":    {"", "", make([]byte, 31)},
		"short for 512":   {"", jwtauth.HS512, make([]byte, 63)},
		"weak RSA":        {"", "", &weak.PublicKey},
		"huge RSA":        {"", "", &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 20000), E: 65537}},
		"exponent 1":      {"", "", &rsa.PublicKey{N: rsaKey(t).N, E: 1}},
		"off the curve":   {"", "", off},
		"P-224":           {"", "", ecKey(t, elliptic.P224())},
		"wrong curve":     {"", jwtauth.ES384, ecKey(t, elliptic.P256())},
		"RSA for EC":      {"", jwtauth.ES256, rsaKey(t)},
		"EC for RSA":      {"", jwtauth.PS256, ecKey(t, elliptic.P256())},
		"EC for EdDSA":    {"", jwtauth.EdDSA, ecKey(t, elliptic.P256())},
		"none":            {"", "none", make([]byte, 64)},
		"unknown":         {"", "HS1", make([]byte, 64)},
		"long id":         {strings.Repeat("k", 257), "", make([]byte, 64)},
		"bad id":          {"k\n", "", make([]byte, 64)},
	} {
		if k, err := jwtauth.NewKey(c.id, c.alg, c.key); err == nil {
			t.Errorf("%s: have %v", name, k)
		}
	}
}

func TestAKeyShowsNothing(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("secret", 8)
	k := must(jwtauth.NewKey("a", "", []byte(secret)))(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		if want, have := `HS256 key "a"`, fmt.Sprintf(verb, k); want != have {
			t.Errorf("%s: want %s, have %s", verb, want, have)
		}
	}
	if have := fmt.Sprint((*jwtauth.Key)(nil), &jwtauth.Key{}); have != "no key no key" {
		t.Errorf("have %q", have)
	}
}

func TestASecretIsCopied(t *testing.T) {
	t.Parallel()
	secret := []byte(strings.Repeat("s", 32))
	v := must(jwtauth.New[shop](must(jwtauth.NewKey("", "", secret))(t), jwtauth.Issuer("login"), jwtauth.Audience("orders")))(t)
	token := forge(t, jwt.SigningMethodHS256, secret, `{"alg":"HS256","kid":"whatever"}`, good())
	clear(secret)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("a key without an id is for all tokens: %v", err)
	}
}

func TestASetIsOfKeysWithIDs(t *testing.T) {
	t.Parallel()
	a, none := must(jwtauth.NewKey("a", "", make([]byte, 32)))(t), must(jwtauth.NewKey("", "", make([]byte, 32)))(t)
	for name, keys := range map[string][]*jwtauth.Key{"no keys": nil, "nil": {nil}, "zero": {{}}, "no id": {a, none}, "twice": {a, a}} {
		if _, err := jwtauth.Set(keys...); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	s := must(jwtauth.Set(a))(t)
	if k, err := s.Key(t.Context(), "a"); err != nil || k != a {
		t.Errorf("have %v, %v", k, err)
	}
}
