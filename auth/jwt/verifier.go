package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// Verifier is an auth.Authenticator for calls with a token in the header field Authorization: Bearer. The Claims of its Principals are a C,
// which auth.ClaimsOf reads: a struct with the claims that matter, map[string]any for all, or struct{} for none. They are decoded by
// version 2 of JSON for Go, so that names are compared with regard to case, and a claim that is there twice is an error.
//
// The Method is "jwt", and Expires is the exp, or the end of MaxAge, plus Leeway. It is safe for concurrent use where its Keys are.
type Verifier[C any] struct {
	keys    Keys
	config  config
	cache   *cache // nil without CacheTokens
	missing string // the challenge for a call without a token
	invalid string // and for one with a bad one
}

// New returns a Verifier of tokens that are signed by one of the keys. Issuer and Audience are required, or AnyIssuer and AnyAudience.
func New[C any](keys Keys, opts ...Option) (*Verifier[C], error) {
	if keys == nil {
		return nil, errors.New("jwtauth: New: the Keys are nil")
	}
	if err := refuseZero(keys); err != nil {
		return nil, fmt.Errorf("jwtauth: New: %w", err)
	}
	v := &Verifier[C]{keys: keys, config: config{leeway: DefaultLeeway, maxToken: DefaultMaxToken, realm: DefaultRealm, subject: "sub"}}
	err := option.Set(&v.config, opts)
	if err == nil {
		err = v.config.check()
	}
	if err != nil {
		return nil, fmt.Errorf("jwtauth: New: %w", err)
	}
	if n := v.config.remember; n > 0 {
		v.cache = newCache(n)
	}
	v.missing = fmt.Sprintf("Bearer realm=%q", v.config.realm)
	v.invalid = v.missing + `, error="invalid_token"`
	return v, nil
}

// refuseZero says that Keys of this package were not made by it.
func refuseZero(keys Keys) error {
	switch k := keys.(type) {
	case *Key:
		if k == nil || k.method == nil {
			return errZeroKey
		}
	case *JWKS:
		if k == nil || k.ask == nil {
			return errZeroJWKS
		}
	}
	return nil
}

// Authenticate verifies the token of a call. The error is auth.ErrNone for one that has none, or another scheme.
func (v *Verifier[C]) Authenticate(ctx context.Context, call *transport.Info) (*auth.Principal, error) {
	if v == nil || v.keys == nil {
		return nil, errZero
	}
	token, err := auth.Authorization(call, "Bearer")
	if errors.Is(err, auth.ErrNone) {
		return nil, &auth.ChallengeError{Challenge: v.missing, Err: err}
	}
	var p *auth.Principal
	if err == nil {
		p, err = v.Verify(ctx, token)
	}
	if err != nil {
		return nil, &auth.ChallengeError{Challenge: v.invalid, Err: err}
	}
	return p, nil
}

// Verify verifies a token that came in another way than Authenticate looks at. Nothing of the token is in the error, but names of claims
// and of types.
func (v *Verifier[C]) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	if v == nil || v.keys == nil {
		return nil, errZero
	}
	known := v.cache.find(ctx, token, v.keys)
	if known == nil {
		var err error
		if known, err = v.verify(ctx, token); err != nil {
			return nil, fmt.Errorf("jwtauth: %w", err)
		}
		v.cache.add(token, known)
	}
	for _, revoked := range v.config.revoked {
		is, err := revoked(ctx, known.token)
		if err != nil {
			return nil, fmt.Errorf("jwtauth: is it revoked: %w: %v", auth.ErrUnavailable, err) //nolint:errorlint // see foreign
		}
		if is {
			return nil, errors.New("jwtauth: the token is revoked")
		}
	}
	return known.principal, nil
}

// verify does all but ask whether the token is revoked.
func (v *Verifier[C]) verify(ctx context.Context, token string) (*seen, error) {
	p, err := split(token, v.config.maxToken)
	if err != nil {
		return nil, err
	}
	key, err := v.key(ctx, &p)
	if err != nil {
		return nil, err
	}
	if err := key.method.Verify(p.signed, p.signature, key.public); err != nil {
		return nil, fmt.Errorf("the signature by %v: %w", key, err)
	}
	principal, known, err := v.claims(p.claims)
	if err != nil {
		return nil, fmt.Errorf("the claims: %w", err)
	}
	known.KeyID = key.id
	return &seen{id: p.header.KeyID, key: key, principal: principal, token: known}, nil
}

// key finds the key of a token, and holds the token to its algorithm.
func (v *Verifier[C]) key(ctx context.Context, p *parts) (*Key, error) {
	key, err := v.keys.Key(ctx, p.header.KeyID)
	switch {
	case err != nil:
		return nil, foreign("finding the key", err)
	case key == nil || key.method == nil:
		return nil, errZeroKey
	case p.header.Algorithm != key.alg:
		return nil, fmt.Errorf("the algorithm is not that of %v", key)
	case len(v.config.types) > 0 && !slices.ContainsFunc(v.config.types, p.header.is):
		return nil, errors.New("the typ is missing or another")
	}
	return key, nil
}

// claims reads those of a token whose signature is good.
func (v *Verifier[C]) claims(part string) (*auth.Principal, Token, error) {
	text, err := decode(part)
	if err != nil {
		return nil, Token{}, err
	}
	var r registered
	if err := unmarshal(text, &r); err != nil {
		return nil, Token{}, err
	}
	var roles words
	if c := &v.config; len(c.required) > 0 || c.roles != nil || c.subject != "sub" {
		if roles, err = r.others(c, text); err != nil {
			return nil, Token{}, err
		}
	}
	if r.Subject == "" {
		return nil, Token{}, fmt.Errorf("%s is missing", v.config.subject)
	}
	p, known, err := r.verify(&v.config, time.Now())
	if err != nil {
		return nil, Token{}, err
	}
	var own C
	if err := unmarshal(text, &own); err != nil {
		return nil, Token{}, fmt.Errorf("for the type of the Verifier: %w", err)
	}
	p.Claims, p.Roles = own, roles
	return p, known, nil
}

// others looks at the claims that options name: it sets the subject, and returns the roles.
func (r *registered) others(c *config, text []byte) (words, error) {
	var all members
	if err := unmarshal(text, &all); err != nil {
		return nil, err
	}
	for _, claim := range c.required {
		if !all.has(claim) {
			return nil, fmt.Errorf("%s is missing", claim)
		}
	}
	var err error
	if r.Subject, err = all.subject(c.subject); err != nil {
		return nil, err
	}
	return all.roles(c.roles)
}

// foreign wraps an error of code that is not ours for its text only, so that it cannot claim that there was no token, and be let
// through by auth.Optional. That nothing can be said now, it may claim.
func foreign(what string, err error) error {
	if errors.Is(err, auth.ErrUnavailable) {
		return fmt.Errorf("%s: %w: %v", what, auth.ErrUnavailable, err) //nolint:errorlint // as said above
	}
	return fmt.Errorf("%s: %v", what, err) //nolint:errorlint // as said above
}

var errZero = errors.New("jwtauth: the Verifier was not made by New")
