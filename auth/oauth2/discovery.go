package oauth2auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// snapshot is what a provider said of itself at one time. It does not change.
type snapshot struct {
	asked    time.Time
	endpoint oauth2.Endpoint
	named    bool // it names itself when it sends people back, RFC 9207
	keys     []key
}

// discover asks for all of it.
func (p *Provider) discover(ctx context.Context) (*snapshot, error) {
	s := &snapshot{asked: time.Now()}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery: %s", legible(bare(err).Error()))
	}
	var more struct {
		Keys  string `json:"jwks_uri"`                                       //nolint:tagliatelle // as discovery has it
		Named bool   `json:"authorization_response_iss_parameter_supported"` //nolint:tagliatelle // as RFC 9207 has it
	}
	if err := found.Claims(&more); err != nil {
		return nil, fmt.Errorf("discovery: %s", legible(err.Error()))
	}
	s.endpoint, s.named = found.Endpoint(), more.Named
	for name, address := range map[string]string{
		"jwks_uri": more.Keys, "token_endpoint": s.endpoint.TokenURL, "authorization_endpoint": s.endpoint.AuthURL,
	} {
		if err := p.sameSafety(name, address); err != nil {
			return nil, fmt.Errorf("discovery: %w", err)
		}
	}
	text, err := get(ctx, p.client, more.Keys)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if s.keys, err = readKeys(text); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return s, nil
}

// sameSafety refuses addresses that are less safe than that of the issuer. One that may be missing is.
func (p *Provider) sameSafety(name, address string) error {
	if address == "" && name != "jwks_uri" {
		return nil // there are providers without it
	}
	u, err := p.config.endpoint(name, address)
	if err != nil {
		return err
	}
	if issuer, err := url.Parse(p.issuer); err != nil || issuer.Scheme == "https" && u.Scheme != "https" {
		return errors.New(name + " has http, and the issuer https")
	}
	return nil
}
