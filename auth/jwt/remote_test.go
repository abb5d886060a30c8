package jwtauth_test

import (
	"crypto"
	"crypto/elliptic"
	"errors"
	"io"
	"strings"
	"testing"

	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

// elsewhere is a key as a KMS would have it.
type elsewhere struct {
	crypto.Signer

	spoil func([]byte) ([]byte, error)
}

func (e elsewhere) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := e.Signer.Sign(random, digest, opts)
	if err == nil && e.spoil != nil {
		return e.spoil(signature)
	}
	return signature, err
}

func TestKeysElsewhereSign(t *testing.T) {
	t.Parallel()
	rsa := rsaKey(t)
	for alg, private := range map[jwtauth.Algorithm]crypto.Signer{
		jwtauth.RS256: rsa, jwtauth.RS512: rsa, jwtauth.PS256: rsa, jwtauth.PS384: rsa, jwtauth.EdDSA: edKey(t),
		jwtauth.ES256: ecKey(t, elliptic.P256()), jwtauth.ES384: ecKey(t, elliptic.P384()), jwtauth.ES512: ecKey(t, elliptic.P521()),
	} {
		signer := must(jwtauth.NewSigner(must(jwtauth.NewKey("k", alg, elsewhere{Signer: private}))(t)))(t)
		v := verifierOf(t, must(jwtauth.NewKey("k", alg, private.Public()))(t))
		for range 20 { // some have leading zeros
			token, _, err := signer.Sign(map[string]any{"iss": "login", "sub": "ann", "aud": "orders"})
			if err == nil {
				_, err = v.Verify(t.Context(), token)
			}
			if err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
		}
	}
}

func TestSignaturesFromElsewhereAreLookedAt(t *testing.T) {
	t.Parallel()
	private := ecKey(t, elliptic.P256())
	for name, spoil := range map[string]func([]byte) ([]byte, error){
		"an error":   func([]byte) ([]byte, error) { return nil, errors.New("the KMS is down") },
		"nothing":    func([]byte) ([]byte, error) { return nil, nil },
		"garbage":    func([]byte) ([]byte, error) { return []byte("garbage"), nil },
		"more after": func(s []byte) ([]byte, error) { return append(s, 0), nil },
		"zeros":      func([]byte) ([]byte, error) { return []byte{0x30, 6, 2, 1, 0, 2, 1, 0}, nil },
		"negative":   func([]byte) ([]byte, error) { return []byte{0x30, 6, 2, 1, 0xff, 2, 1, 0xff}, nil },
		"too long": func([]byte) ([]byte, error) {
			return append([]byte{0x30, 40, 2, 35, 1}, append(make([]byte, 34), 2, 1, 1)...), nil
		},
		"another one": func([]byte) ([]byte, error) { return []byte{0x30, 6, 2, 1, 1, 2, 1, 1}, nil },
	} {
		signer := must(jwtauth.NewSigner(must(jwtauth.NewKey("k", "", elsewhere{private, spoil}))(t)))(t)
		if token, _, err := signer.Sign(nil); err == nil || token != "" {
			t.Errorf("%s: have %q", name, token)
		}
	}
	for name, key := range map[string]any{"no public key": elsewhere{Signer: odd{}}, "itself": itself{}, "a secret": elsewhere{Signer: odd{[]byte(strings.Repeat("s", 32))}}} {
		if k, err := jwtauth.NewKey("k", "", key); err == nil {
			t.Errorf("%s: have %v", name, k)
		}
	}
	if k, err := jwtauth.NewKey("k", jwtauth.RS256, elsewhere{Signer: private}); err == nil {
		t.Errorf("another algorithm: have %v", k)
	}
}

// odd is a crypto.Signer with something else for a public key.
type odd struct{ public any }

func (o odd) Public() crypto.PublicKey { return o.public }

func (odd) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("it has no key")
}

// itself is its own public key.
type itself struct{ odd }

func (i itself) Public() crypto.PublicKey { return i }
