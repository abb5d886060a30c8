package jwtauth

import "github.com/golang-jwt/jwt/v5"

// Algorithm is how a token is signed, by its name in RFC 7518 and RFC 8037.
type Algorithm string

// The algorithms. There is no "none".
const (
	HS256 Algorithm = "HS256" // HMAC with SHA-256; a secret of 32 bytes or more.
	HS384 Algorithm = "HS384" // HMAC with SHA-384; a secret of 48 bytes or more.
	HS512 Algorithm = "HS512" // HMAC with SHA-512; a secret of 64 bytes or more.
	RS256 Algorithm = "RS256" // RSA, PKCS #1 v1.5, with SHA-256; 2048 bits or more, as for all of RSA.
	RS384 Algorithm = "RS384" // RSA, PKCS #1 v1.5, with SHA-384.
	RS512 Algorithm = "RS512" // RSA, PKCS #1 v1.5, with SHA-512.
	PS256 Algorithm = "PS256" // RSA, PSS, with SHA-256.
	PS384 Algorithm = "PS384" // RSA, PSS, with SHA-384.
	PS512 Algorithm = "PS512" // RSA, PSS, with SHA-512.
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256.
	ES384 Algorithm = "ES384" // ECDSA on P-384 with SHA-384.
	ES512 Algorithm = "ES512" // ECDSA on P-521 with SHA-512.
	EdDSA Algorithm = "EdDSA" // Ed25519.
)

// method returns the implementation of the algorithm, nil for one that is unknown. It does not ask the registry of golang-jwt, which
// anybody in the process can add to.
func (a Algorithm) method() jwt.SigningMethod {
	switch a {
	case HS256:
		return jwt.SigningMethodHS256
	case HS384:
		return jwt.SigningMethodHS384
	case HS512:
		return jwt.SigningMethodHS512
	case RS256:
		return jwt.SigningMethodRS256
	case RS384:
		return jwt.SigningMethodRS384
	case RS512:
		return jwt.SigningMethodRS512
	case PS256:
		return jwt.SigningMethodPS256
	case PS384:
		return jwt.SigningMethodPS384
	case PS512:
		return jwt.SigningMethodPS512
	case ES256:
		return jwt.SigningMethodES256
	case ES384:
		return jwt.SigningMethodES384
	case ES512:
		return jwt.SigningMethodES512
	case EdDSA:
		return jwt.SigningMethodEdDSA
	}
	return nil
}
