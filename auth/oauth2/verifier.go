package oauth2auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/transport"
)

// Verifier is an auth.Authenticator for calls with a token of a Provider in the header field Authorization: Bearer that is a JSON Web
// Token: an access token, or an ID token where Audience is the id of the client. The Claims of its Principals are a C, which auth.ClaimsOf
// reads: a struct with the claims that matter, map[string]any for all, or struct{} for none. They are decoded by version 2 of JSON for Go,
// so that names are compared with regard to case, and a claim that is there twice is an error. It is safe for concurrent use.
type Verifier[C any] struct {
	provider *Provider
	config   verifierConfig
	missing  string
	invalid  string
}

// VerifierOption configures NewVerifier. A CheckOption is one.
type VerifierOption interface {
	verifier(c *verifierConfig) error
}

type verifierConfig struct {
	checks

	types []string
}

type verifierOption func(*verifierConfig) error

func (o verifierOption) verifier(c *verifierConfig) error { return o(c) }

func (o CheckOption) verifier(c *verifierConfig) error { return o(&c.checks) }

// VerifierType takes only tokens with one of these for the typ of their header, without regard to case, and to application/ before
// it (RFC 7515, section 4.1.9): "at+jwt" is that of access tokens by RFC 9068. Without it typ is not looked at, and
// it is the audience alone that tells access tokens from ID tokens.
func VerifierType(names ...string) VerifierOption {
	return verifierOption(func(c *verifierConfig) error {
		c.types = append(c.types, names...)
		return refuseEmpty("VerifierType", names)
	})
}

// NewVerifier returns a Verifier of the tokens of a provider. Audience is required, or AnyAudience.
func NewVerifier[C any](provider *Provider, opts ...VerifierOption) (*Verifier[C], error) {
	v := &Verifier[C]{provider: provider, config: verifierConfig{checks: newChecks()}}
	err := apply(opts, func(o VerifierOption) error { return o.verifier(&v.config) })
	if err == nil {
		err = v.config.check()
	}
	if err == nil && (provider == nil || provider.client == nil) {
		err = errors.New("the Provider was not made by NewProvider")
	}
	if err != nil {
		return nil, fmt.Errorf("oauth2auth: NewVerifier: %w", err)
	}
	v.missing, v.invalid = v.config.missing(), v.config.invalid()
	return v, nil
}

// Authenticate verifies the token of a call. The error is auth.ErrNone for one that has none, or another scheme.
func (v *Verifier[C]) Authenticate(ctx context.Context, call *transport.Info) (*auth.Principal, error) {
	if v == nil || v.provider == nil {
		return nil, errZeroVerifier
	}
	return authenticate(call, v.missing, v.invalid, func(token string) (*auth.Principal, error) { return v.Verify(ctx, token) })
}

// Verify verifies a token that came in another way than Authenticate looks at. Nothing of the token is in the error but names of claims and
// of types.
func (v *Verifier[C]) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	if v == nil || v.provider == nil {
		return nil, errZeroVerifier
	}
	t, err := v.provider.verify(ctx, token, &v.config)
	if err != nil {
		return nil, err
	}
	return principalOf[C](t, &v.config.checks)
}

// principalOf returns whose token it is that was verified.
func principalOf[C any](t *verified, c *checks) (*auth.Principal, error) {
	p, err := c.principal(t.text, &t.claims, MethodOIDC, time.Now())
	if err != nil {
		return nil, fmt.Errorf("oauth2auth: the claims: %w", err)
	}
	var own C
	if err := unmarshal(t.text, &own); err != nil {
		return nil, foreign("oauth2auth: for the type of the claims", err)
	}
	p.Claims = own
	return p, nil
}

// verified is a token that the provider has signed.
type verified struct {
	claims

	text []byte
	id   *oidc.IDToken
}

// verify proves that the provider has signed a token, that it names it, and that it expires.
func (p *Provider) verify(ctx context.Context, token string, c *verifierConfig) (*verified, error) {
	if len(token) > c.maxToken {
		return nil, fmt.Errorf("oauth2auth: the token has %d bytes, more than %d", len(token), c.maxToken)
	}
	h, err := headerOf(token)
	if err != nil {
		return nil, fmt.Errorf("oauth2auth: %w", err)
	}
	same := func(name string) bool { return strings.EqualFold(shortType(name), shortType(h.Type)) }
	if len(c.types) > 0 && !slices.ContainsFunc(c.types, same) {
		return nil, errors.New("oauth2auth: the typ is missing or another")
	}
	if algorithmsUnknown(h.Algorithm) {
		return nil, errors.New("oauth2auth: the algorithm is none of those of public keys")
	}
	v, err := p.signed(ctx, token, &h)
	if err != nil {
		return nil, err
	}
	if err := unmarshal(v.text, &v.claims); err != nil {
		return nil, foreign("oauth2auth: the claims", err)
	}
	switch {
	case v.Issuer != p.issuer:
		return nil, errors.New("oauth2auth: iss is missing or another")
	case v.Expires == nil:
		return nil, errors.New("oauth2auth: exp is missing")
	}
	return v, nil
}

// shortType returns a typ without what can be left out of it: application/, where no other slash is in it.
func shortType(name string) string {
	const prefix = "application/"
	if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) && !strings.Contains(name[len(prefix):], "/") {
		return name[len(prefix):]
	}
	return name
}

// signed looks for the key, once more where the provider may have a new one.
func (p *Provider) signed(ctx context.Context, token string, h *header) (*verified, error) {
	s, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	v, wrong := s.verify(ctx, p.issuer, token, h)
	if wrong == nil {
		return v, nil
	}
	again, err := p.newer(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%w; by what was known before: %w", err, wrong)
	}
	if again == s {
		return nil, wrong
	}
	return again.verify(ctx, p.issuer, token, h)
}

// verify has go-oidc verify the signature by the keys that may have made it. The claims are looked at by the caller: by their names
// exactly, none of them twice, and with a leeway.
func (s *snapshot) verify(ctx context.Context, issuer, token string, h *header) (*verified, error) {
	public := s.choose(h)
	if len(public) == 0 {
		return nil, errNoKey
	}
	keys := &keeping{StaticKeySet: oidc.StaticKeySet{PublicKeys: public}}
	id, err := oidc.NewVerifier(issuer, keys, &oidc.Config{
		SupportedSigningAlgs: []string{h.Algorithm}, SkipClientIDCheck: true, SkipExpiryCheck: true, SkipIssuerCheck: true,
	}).Verify(ctx, token)
	if err != nil {
		return nil, foreign("oauth2auth: the token", err)
	}
	return &verified{text: keys.payload, id: id}, nil
}

// keeping is a set of keys that keeps what was signed.
type keeping struct {
	oidc.StaticKeySet

	payload []byte
}

// VerifySignature is called once.
func (k *keeping) VerifySignature(ctx context.Context, token string) (payload []byte, err error) {
	k.payload, err = k.StaticKeySet.VerifySignature(ctx, token)
	return k.payload, err
}

func algorithmsUnknown(name string) bool {
	switch name {
	case oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA:
		return false
	}
	return true
}

var (
	errZeroVerifier = errors.New("oauth2auth: the Verifier was not made by NewVerifier")
	errNoKey        = errors.New("oauth2auth: the provider has no such key, or it is for another algorithm")
)
