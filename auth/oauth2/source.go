package oauth2auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/ashlar-go/ashlar/auth"
)

// UnknownLifetime is for how long a token is taken to be good whose server does not say: 5 min. A shorter one is renewed, by
// auth.Credentials, when it is refused.
const UnknownLifetime = 5 * time.Minute

// TokenSource is an auth.Source of access tokens, for auth.NewCredentials, which remembers and renews them. It asks the token endpoint
// each time that it is asked, one at a time. It is safe for concurrent use.
type TokenSource struct {
	config sourceConfig
	client *http.Client
	grant  clientcredentials.Config
	turn   chan struct{} // has room for one, who may ask

	refreshing bool
	refresh    string // of the renewal that goes on

	mu       sync.Mutex
	renewing *renewal
}

// NewClientCredentials returns a source of tokens by the client credentials grant, RFC 6749, section 4.4: the program acts in its own name.
// The client proves itself by HTTP Basic; see SourceSecretInBody.
func NewClientCredentials(tokenURL, clientID, clientSecret string, opts ...SourceOption) (*TokenSource, error) {
	s, err := newSource(tokenURL, clientID, clientSecret, opts)
	switch {
	case err != nil:
	case clientSecret == "":
		err = errors.New("the secret of the client is empty")
	case s.config.onRefresh != nil:
		err = errors.New("SourceOnRefreshToken is for NewRefresh")
	}
	if err != nil {
		return nil, fmt.Errorf("oauth2auth: NewClientCredentials: %w", err)
	}
	return s, nil
}

// NewRefresh returns a source of tokens by a refresh token, RFC 6749, section 6: the program acts in the name of whoever gave it one. Where
// the server answers with another refresh token the source goes on with that; see SourceOnRefreshToken. A client without a secret, which
// is public, names itself in the body.
//
// A question that has begun goes on, for Timeout at most, when the context of who asked it ends, so that a refresh token that the server
// has put in the place of the one before is not lost. Whoever asks meanwhile gets the same token.
func NewRefresh(tokenURL, clientID, clientSecret, refreshToken string, opts ...SourceOption) (*TokenSource, error) {
	s, err := newSource(tokenURL, clientID, clientSecret, opts)
	if err == nil && refreshToken == "" {
		err = errors.New("the refresh token is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("oauth2auth: NewRefresh: %w", err)
	}
	s.refreshing, s.refresh = true, refreshToken
	return s, nil
}

func newSource(tokenURL, clientID, clientSecret string, opts []SourceOption) (*TokenSource, error) {
	s := &TokenSource{config: sourceConfig{web: web{timeout: DefaultTimeout}}, turn: make(chan struct{}, 1)}
	if err := apply(opts, func(o SourceOption) error { return o.source(&s.config) }); err != nil {
		return nil, err
	}
	if _, err := s.config.endpoint("the address of the token endpoint", tokenURL); err != nil {
		return nil, err
	}
	if clientID == "" {
		return nil, errors.New("the id of the client is empty")
	}
	style := oauth2.AuthStyleInHeader
	if s.config.inBody || clientSecret == "" {
		style = oauth2.AuthStyleInParams
	}
	s.client = s.config.bounded(false)
	s.grant = clientcredentials.Config{
		ClientID: clientID, ClientSecret: clientSecret, TokenURL: tokenURL, AuthStyle: style,
		Scopes: s.config.scopes, EndpointParams: s.config.params,
	}
	return s, nil
}

// Credential asks for a token. The error is an *EndpointError where the server says that it gives none, such as invalid_client, and
// invalid_grant for a refresh token that is good no longer.
func (s *TokenSource) Credential(ctx context.Context) (auth.Credential, error) {
	if s == nil || s.turn == nil {
		return auth.Credential{}, errors.New("oauth2auth: the TokenSource was not made by NewClientCredentials or NewRefresh")
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.timeout)
	defer cancel()
	if s.refreshing {
		token, err := s.renewed(ctx)
		if err != nil {
			return auth.Credential{}, fmt.Errorf("oauth2auth: asking for a token: %w", err)
		}
		return token, nil
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return auth.Credential{}, fmt.Errorf("oauth2auth: waiting for another who asks for a token: %w", ctx.Err())
	}
	defer func() { <-s.turn }()
	token, err := s.ask(ctx)
	if err != nil {
		return auth.Credential{}, fmt.Errorf("oauth2auth: asking for a token: %w", err)
	}
	return token, nil
}

func (s *TokenSource) ask(ctx context.Context) (auth.Credential, error) {
	grant := s.grant
	if s.refreshing {
		grant.EndpointParams = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.refresh}}
		maps.Copy(grant.EndpointParams, s.grant.EndpointParams)
	}
	token, err := grant.Token(context.WithValue(ctx, oauth2.HTTPClient, s.client))
	if err != nil {
		basic := url.QueryEscape(grant.ClientID) + ":" + url.QueryEscape(grant.ClientSecret)
		return auth.Credential{}, answered(err, basic, grant.ClientSecret, s.refresh)
	}
	if next := token.RefreshToken; s.refreshing && next != "" && next != s.refresh {
		s.refresh = next
		for _, told := range s.config.onRefresh {
			told(next)
		}
	}
	if err := checkBearer(token); err != nil {
		return auth.Credential{}, err
	}
	expires := expiryOf(token)
	switch now := time.Now(); {
	case expires.IsZero():
		expires = now.Add(UnknownLifetime)
	case !now.Before(expires):
		return auth.Credential{}, errors.New("the token has ended already by its expires_in")
	}
	return auth.Credential{Value: "Bearer " + token.AccessToken, Expires: expires}, nil
}

// expiryOf returns until when a token is good, the zero time where the server does not say. That of x/oauth2 is zero for 0 s, too.
func expiryOf(token *oauth2.Token) time.Time {
	if said := token.Extra("expires_in"); token.Expiry.IsZero() && said != nil && said != "" {
		return time.Now()
	}
	return token.Expiry
}

// checkBearer says why a token cannot be sent as one that needs nothing else.
func checkBearer(token *oauth2.Token) error {
	if !strings.EqualFold(token.TokenType, "Bearer") {
		return errors.New("the token_type is missing or another than Bearer")
	}
	return checkToken(token.AccessToken, auth.MaxCredentials-len("Bearer "))
}

// checkToken says why a token is none that a header field may have, RFC 6750, section 2.1, with nothing of it.
func checkToken(token string, most int) error {
	switch {
	case token == "":
		return errors.New("the token is empty")
	case len(token) > most:
		return fmt.Errorf("the token has %d bytes, more than %d", len(token), most)
	}
	for i := range len(token) {
		if c := token[i]; !isTokenByte(c) {
			return fmt.Errorf("the token has a byte at %d that no token has", i)
		}
	}
	return nil
}

func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~+/=", c) >= 0
}

// String returns whom it asks for whom, and no secret.
func (s *TokenSource) String() string {
	if s == nil || s.turn == nil {
		return "no TokenSource"
	}
	return "tokens for " + s.grant.ClientID + " from " + host(s.grant.TokenURL)
}

// Format writes the same by whatever verb.
func (s *TokenSource) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// LogValue is the same, for all handlers of slog.
func (s *TokenSource) LogValue() slog.Value { return slog.StringValue(s.String()) }

func host(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return ""
}

// SourceOption configures NewClientCredentials and NewRefresh. An HTTPOption is one.
type SourceOption interface{ source(c *sourceConfig) error }

type sourceConfig struct {
	web

	scopes    []string
	params    url.Values
	inBody    bool
	onRefresh []func(string)
}

type sourceOption func(*sourceConfig) error

func (o sourceOption) source(c *sourceConfig) error { return o(c) }

func (o HTTPOption) source(c *sourceConfig) error { return o(&c.web) }

// SourceScopes adds to what the tokens are asked for, such as "orders:write". Without it the server decides.
func SourceScopes(scopes ...string) SourceOption {
	return sourceOption(func(c *sourceConfig) error {
		c.scopes = append(c.scopes, scopes...)
		return refuseWords("SourceScopes", scopes)
	})
}

// SourceParam adds a parameter to the request, such as "audience" or "resource" for servers that ask for one.
func SourceParam(key string, values ...string) SourceOption {
	return sourceOption(func(c *sourceConfig) error {
		own := []string{"grant_type", "client_id", "client_secret", "scope", "refresh_token"}
		if key == "" || len(values) == 0 || slices.Contains(own, key) || c.params[key] != nil {
			return fmt.Errorf("SourceParam(%q) of %d values: want values of another parameter than those of the grant, once", key, len(values))
		}
		if c.params == nil {
			c.params = url.Values{}
		}
		c.params[key] = slices.Clone(values)
		return nil
	})
}

// SourceSecretInBody sends the id and the secret of the client in the body, for servers that do not take HTTP Basic.
func SourceSecretInBody() SourceOption {
	return sourceOption(func(c *sourceConfig) error {
		c.inBody = true
		return nil
	})
}

// SourceOnRefreshToken adds a function that is told each refresh token that takes the place of the one before, which the server may take no
// longer then: it is to be stored where the program finds it when it starts again. It is called before the access token is used,
// by one goroutine at a time; a panic of it is that of whoever waits for the token.
func SourceOnRefreshToken(f func(refreshToken string)) SourceOption {
	return sourceOption(func(c *sourceConfig) error {
		c.onRefresh = append(c.onRefresh, f)
		if f == nil {
			return errors.New("SourceOnRefreshToken(nil)")
		}
		return nil
	})
}
