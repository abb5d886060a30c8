package jwtauth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// MaxKeyID is the most bytes that the id of a key has: 256. A token that names a longer one is refused.
const MaxKeyID = 256

const (
	minRSA = 2048
	maxRSA = 16384 // to verify with a longer one takes so long that it is an attack
)

// Key is a key with the one algorithm that it is for. As Keys it is the only one there is: without an id it is for all tokens, whatever
// key they name; with an id for those that name it.
type Key struct {
	id      string
	alg     Algorithm
	method  jwt.SigningMethod
	public  any
	private any // nil for a key that only verifies
}

// NewKey returns a key with its id, the kid of tokens, which may be empty. It is a secret of HMAC as []byte, *rsa.PublicKey,
// *ecdsa.PublicKey or ed25519.PublicKey, or the private key that belongs to one of these, which signs and verifies: itself, or a
// crypto.Signer that has it elsewhere, as in a KMS. Without an algorithm it is HS256, RS256, that of the curve, or EdDSA. A key that is too
// weak for its algorithm is refused, and so is the text of a PEM file as a secret, since a public key that is taken for a secret lets
// anybody sign.
func NewKey(id string, algorithm Algorithm, key any) (*Key, error) {
	k := &Key{id: id}
	byDefault, err := k.hold(key)
	if err == nil {
		err = checkKeyID(id)
	}
	if err != nil {
		return nil, fmt.Errorf("jwtauth: NewKey: %w", err)
	}
	if k.alg = algorithm; algorithm == "" {
		k.alg = byDefault
	}
	if k.method = k.alg.method(); k.method == nil {
		return nil, fmt.Errorf("jwtauth: NewKey: unknown algorithm %q", algorithm)
	}
	if err := k.fits(); err != nil {
		return nil, fmt.Errorf("jwtauth: NewKey: %w", err)
	}
	return k, nil
}

// hold sets the halves of k, and returns the algorithm for such a key where none is chosen.
func (k *Key) hold(key any) (Algorithm, error) {
	switch key := key.(type) {
	case []byte:
		secret := slices.Clone(key)
		k.public, k.private = secret, secret
		return HS256, nil
	case *rsa.PublicKey:
		if key != nil && key.N != nil {
			k.public = key
			return RS256, nil
		}
	case *rsa.PrivateKey:
		if key != nil && key.N != nil && key.D != nil {
			k.public, k.private = &key.PublicKey, key
			return RS256, nil
		}
	case *ecdsa.PublicKey:
		if key != nil && key.Curve != nil && key.X != nil && key.Y != nil { //nolint:staticcheck // set or not is all that is asked
			k.public = key
			return ofCurve(key), nil
		}
	case *ecdsa.PrivateKey:
		if key != nil && key.Curve != nil && key.X != nil && key.Y != nil && key.D != nil { //nolint:staticcheck // as above
			k.public, k.private = &key.PublicKey, key
			return ofCurve(&key.PublicKey), nil
		}
	case ed25519.PublicKey:
		if len(key) == ed25519.PublicKeySize {
			k.public = slices.Clone(key)
			return EdDSA, nil
		}
	case ed25519.PrivateKey:
		if len(key) == ed25519.PrivateKeySize {
			private := slices.Clone(key)
			k.public, k.private = private.Public(), private
			return EdDSA, nil
		}
	case crypto.Signer:
		public := key.Public()
		switch public.(type) {
		case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
			k.private = remote{key}
			return k.hold(public)
		}
		return "", fmt.Errorf("the public half of the %T is a %T, which is no key", key, public)
	default:
		return "", fmt.Errorf("a %T is no key", key)
	}
	return "", fmt.Errorf("the %T is nil or not complete", key)
}

func ofCurve(key *ecdsa.PublicKey) Algorithm {
	switch key.Curve.Params().BitSize {
	case 384:
		return ES384
	case 521:
		return ES512
	}
	return ES256
}

// fits says why the key is not for its algorithm.
func (k *Key) fits() error {
	switch method := k.method.(type) {
	case *jwt.SigningMethodHMAC:
		secret, ok := k.public.([]byte)
		if !ok {
			break
		}
		if bytes.Contains(secret, []byte("-----BEGIN ")) {
			return errors.New("a PEM file is no secret")
		}
		if least := method.Hash.Size(); len(secret) < least {
			return fmt.Errorf("the secret has %d bytes, and %s needs %d", len(secret), k.alg, least)
		}
		return nil
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		if public, ok := k.public.(*rsa.PublicKey); ok {
			return fitsRSA(public)
		}
	case *jwt.SigningMethodECDSA:
		public, ok := k.public.(*ecdsa.PublicKey)
		if !ok {
			break
		}
		if bits := public.Curve.Params().BitSize; bits != method.CurveBits {
			return fmt.Errorf("the curve has %d bits, and %s is for %d", bits, k.alg, method.CurveBits)
		}
		if _, err := public.ECDH(); err != nil {
			return fmt.Errorf("the key is not on its curve: %w", err)
		}
		return nil
	case *jwt.SigningMethodEd25519:
		if _, ok := k.public.(ed25519.PublicKey); ok {
			return nil
		}
	}
	return fmt.Errorf("a %T is not for %s", k.public, k.alg)
}

func fitsRSA(public *rsa.PublicKey) error {
	if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
		return fmt.Errorf("the RSA key has %d bits, want %d to %d", bits, minRSA, maxRSA)
	}
	if public.E < 3 || public.E > math.MaxInt32 || public.E%2 == 0 { // the standard library verifies with no other
		return fmt.Errorf("the RSA key has the exponent %d", public.E)
	}
	if public.N.Bit(0) == 0 {
		return errors.New("the RSA key has an even modulus")
	}
	return nil
}

func checkKeyID(id string) error {
	if len(id) > MaxKeyID {
		return fmt.Errorf("the id of the key has %d bytes, more than %d", len(id), MaxKeyID)
	}
	for i := range len(id) {
		if c := id[i]; c < ' ' || c > '~' {
			return errors.New("the id of the key has a byte that is no visible character of ASCII")
		}
	}
	return nil
}

// same reports whether other is the same public key, for the same algorithm and with the same id.
func (k *Key) same(other *Key) bool {
	public, is := k.public.(interface{ Equal(x crypto.PublicKey) bool })
	return is && k.id == other.id && k.alg == other.alg && public.Equal(other.public)
}

// ID returns the id.
func (k *Key) ID() string { return k.id }

// Algorithm returns the algorithm.
func (k *Key) Algorithm() Algorithm { return k.alg }

// Key returns k itself, for the tokens that it is for.
func (k *Key) Key(_ context.Context, id string) (*Key, error) {
	if k == nil || k.method == nil {
		return nil, errZeroKey
	}
	if k.id != "" && k.id != id {
		return nil, errUnknownKey
	}
	return k, nil
}

// Format writes the algorithm and the id, by whatever verb, and nothing of the key.
func (k *Key) Format(f fmt.State, _ rune) {
	if k == nil || k.method == nil {
		_, _ = fmt.Fprint(f, "no key")
		return
	}
	_, _ = fmt.Fprintf(f, "%s key %q", k.alg, k.id)
}

var (
	errZeroKey    = errors.New("the key was not made by NewKey")
	errUnknownKey = errors.New("there is no key of that id")
)
