// Package jwtauth proves callers by JSON Web Tokens (RFC 7519), and signs such tokens for those who are called. The cryptography is that of
// github.com/golang-jwt/jwt.
//
//	key, err := jwtauth.NewKey("2026-11", jwtauth.ES256, public)
//	verifier, err := jwtauth.New[Claims](key, jwtauth.Issuer("https://login.example"), jwtauth.Audience("orders"))
//	authenticated := auth.Middleware(verifier)
//
// The algorithm is that of the key, whatever a token says: a token that names another is refused, and "none" is no algorithm. The claims
// are not read before the signature is found good.
//
// The keys of an issuer that publishes them are fetched, and kept:
//
//	keys, err := jwtauth.NewJWKS("https://login.example/.well-known/jwks.json")
//	verifier, err := jwtauth.New[Claims](keys, ...)
//
// A service signs the calls that it makes, too:
//
//	signer, err := jwtauth.NewSigner(private, jwtauth.SignerIssuer("shop"), jwtauth.SignerSubject("cart"), jwtauth.SignerAudience("orders"))
//	credentials, err := auth.NewCredentials(signer)
package jwtauth
