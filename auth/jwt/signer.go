package jwtauth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
)

// DefaultLifetime is how long the tokens of a Signer are good; see SignerLifetime.
const DefaultLifetime = 5 * time.Minute

type signerConfig struct {
	lifetime  time.Duration
	typ       string
	claims    map[string]any
	audiences []string
}

// SignerOption configures NewSigner.
type SignerOption func(*signerConfig) error

// SignerIssuer sets the iss of all tokens.
func SignerIssuer(name string) SignerOption { return signerClaim("SignerIssuer", "iss", name) }

// SignerSubject sets the sub of all tokens: who calls with them.
func SignerSubject(name string) SignerOption { return signerClaim("SignerSubject", "sub", name) }

func signerClaim(name, claim, value string) SignerOption {
	return func(c *signerConfig) error {
		if err := refuseEmpty(name, []string{value}); err != nil {
			return err
		}
		if err := add(c.claims, claim, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
}

// SignerAudience adds to the aud of all tokens: who they are for.
func SignerAudience(names ...string) SignerOption {
	return func(c *signerConfig) error {
		c.audiences = append(c.audiences, names...)
		return refuseEmpty("SignerAudience", names)
	}
}

// SignerClaims adds claims to all tokens: a struct or a map that is an object in JSON, and is read once. A claim that is set twice is an
// error, and so is one that each token has anew: exp, iat, jti.
func SignerClaims(claims any) SignerOption {
	return func(c *signerConfig) error {
		if err := merge(c.claims, claims); err != nil {
			return fmt.Errorf("SignerClaims: %w", err)
		}
		return nil
	}
}

// SignerLifetime sets how long a token is good, in whole seconds; 5 minutes if it is not given.
func SignerLifetime(d time.Duration) SignerOption {
	return func(c *signerConfig) error {
		c.lifetime = d
		if d%time.Second != 0 {
			return fmt.Errorf("SignerLifetime(%v): want whole seconds", d)
		}
		return option.Within("SignerLifetime", d, time.Second, 10*365*24*time.Hour)
	}
}

// SignerType sets the typ of the header, such as "at+jwt"; "JWT" if it is not given.
func SignerType(name string) SignerOption {
	return func(c *signerConfig) error {
		c.typ = name
		return refuseEmpty("SignerType", []string{name})
	}
}

// Signer makes tokens, each with its own exp, iat and jti. It is an auth.Source, so that auth.NewCredentials attaches its tokens to the
// calls of a client and makes the next one before the last expires. It is safe for concurrent use.
type Signer struct {
	key    *Key
	header string // encoded
	config signerConfig
}

// NewSigner returns a Signer with a private key, or a secret. A Verifier wants at least an issuer, a subject and an audience, by options or
// by what Sign is given.
func NewSigner(key *Key, opts ...SignerOption) (*Signer, error) {
	if key == nil || key.method == nil {
		return nil, fmt.Errorf("jwtauth: NewSigner: %w", errZeroKey)
	}
	if key.private == nil {
		return nil, fmt.Errorf("jwtauth: NewSigner: the %v is a public one", key)
	}
	s := &Signer{key: key, config: signerConfig{lifetime: DefaultLifetime, typ: "JWT", claims: make(map[string]any)}}
	err := option.Set(&s.config, opts)
	if err == nil && len(s.config.audiences) > 0 {
		err = add(s.config.claims, "aud", s.config.audiences)
	}
	if err != nil {
		return nil, fmt.Errorf("jwtauth: NewSigner: %w", err)
	}
	head := map[string]any{"alg": key.alg, "typ": s.config.typ}
	if key.id != "" {
		head["kid"] = key.id
	}
	if s.header, err = encode(head); err != nil {
		return nil, fmt.Errorf("jwtauth: NewSigner: the header: %w", err)
	}
	return s, nil
}

// Sign returns a token with these claims besides those of the options, and when it expires. They are a struct or a map that is an object
// in JSON, or nil for none. A claim that is set twice is an error, and so is one that each token has anew: exp, iat, jti.
func (s *Signer) Sign(claims any) (token string, expires time.Time, err error) {
	if s == nil || s.key == nil {
		return "", expires, errors.New("jwtauth: the Signer was not made by NewSigner")
	}
	all := make(map[string]any, len(s.config.claims)+8)
	maps.Copy(all, s.config.claims)
	if claims != nil {
		if err := merge(all, claims); err != nil {
			return "", expires, fmt.Errorf("jwtauth: Sign: %w", err)
		}
	}
	now := time.Now().Truncate(time.Second)
	expires = now.Add(s.config.lifetime)
	all["iat"], all["exp"], all["jti"] = now.Unix(), expires.Unix(), rand.Text()
	body, err := encode(all)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("jwtauth: Sign: %w", err)
	}
	signed := s.header + "." + body
	signature, err := s.key.sign(signed)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("jwtauth: Sign with the %v: %w", s.key, err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), expires, nil
}

// Credential returns a new token with the claims of the options, for Authorization.
func (s *Signer) Credential(context.Context) (auth.Credential, error) {
	token, expires, err := s.Sign(nil)
	if err != nil {
		return auth.Credential{}, err
	}
	return auth.Credential{Value: "Bearer " + token, Expires: expires}, nil
}

func encode(part map[string]any) (string, error) {
	text, err := json.Marshal(part, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// merge adds the members of an object to claims.
func merge(claims map[string]any, object any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	var all members
	if err := unmarshal(text, &all); err != nil {
		return fmt.Errorf("the %T: %w", object, err)
	}
	for name, value := range all {
		if err := add(claims, name, value); err != nil {
			return err
		}
	}
	return nil
}

func add(claims map[string]any, name string, value any) error {
	if name == "exp" || name == "iat" || name == "jti" {
		return fmt.Errorf("%s is new in each token", name)
	}
	if _, is := claims[name]; is {
		return fmt.Errorf("%s is set twice", name)
	}
	claims[name] = value
	return nil
}
