// Package accounts knows who the customers and the staff of the shop are, and gives out the tokens by which the other services know them.
package accounts

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

// issuer is who vouches for the accounts, and the audience of its tokens are the services of the shop.
const (
	issuer   = "https://accounts.shop.example"
	audience = "shop"
	keyID    = "1"
)

// Roles of accounts.
const (
	Customer = "customer"
	Staff    = "staff"
)

// Login asks for a session. Who asks has shown a password, which the server looks at before this.
type Login struct{}

// Session is a token that the other services take.
type Session struct {
	Token     string `json:"token"`
	ExpiresIn int    `json:"expiresIn"` // seconds
}

// Header keeps the token out of caches.
func (s *Session) Header() http.Header { return http.Header{"Cache-Control": {"no-store"}} }

// Service logs people in. It is safe for concurrent use.
type Service struct {
	signer *jwtauth.Signer
	tokens auth.Authenticator
}

// New returns a service with a key of its own: when it ends, so do the sessions.
func New() (*Service, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := jwtauth.NewKey(keyID, jwtauth.ES256, private)
	if err != nil {
		return nil, err
	}
	signer, err := jwtauth.NewSigner(key, jwtauth.SignerIssuer(issuer), jwtauth.SignerAudience(audience))
	if err != nil {
		return nil, err
	}
	tokens, err := jwtauth.New[struct{}](key,
		jwtauth.Issuer(issuer), jwtauth.Audience(audience), jwtauth.Roles("roles"), jwtauth.Realm(audience))
	if err != nil {
		return nil, err
	}
	return &Service{signer: signer, tokens: tokens}, nil
}

// Tokens returns what knows callers by the tokens of this service.
func (s *Service) Tokens() auth.Authenticator { return s.tokens }

// Login gives a token to the caller.
func (s *Service) Login(ctx context.Context, _ *Login) (*Session, error) {
	caller := auth.PrincipalOf(ctx)
	token, expires, err := s.signer.Sign(map[string]any{"sub": caller.Subject, "roles": caller.Roles})
	if err != nil {
		return nil, err
	}
	return &Session{Token: token, ExpiresIn: int(time.Until(expires).Seconds())}, nil
}
