package oauth2auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/ashlar-go/ashlar/auth"
)

// Login logs people in by the authorization code flow of OpenID Connect, with PKCE (RFC 7636), state and nonce. Begin says where to send
// their browser, and Finish takes what it comes back with. The Claims of the Principal are a C, as those of a Verifier. It keeps nothing
// between the two, and is safe for concurrent use.
type Login[C any] struct {
	provider *Provider
	config   loginConfig
	client   oauth2.Config
}

// LoginOption configures NewLogin. A CheckOption is one, but for Audience and AnyAudience.
type LoginOption interface {
	login(c *loginConfig) error
}

type loginConfig struct {
	verifierConfig

	scopes []string
}

type loginOption func(*loginConfig) error

func (o loginOption) login(c *loginConfig) error { return o(c) }

func (o CheckOption) login(c *loginConfig) error { return o(&c.checks) }

// LoginScopes adds to what is asked for besides openid, such as "profile", "email", or "offline_access" for a refresh token.
func LoginScopes(scopes ...string) LoginOption {
	return loginOption(func(c *loginConfig) error {
		c.scopes = append(c.scopes, scopes...)
		return refuseWords("LoginScopes", scopes)
	})
}

// NewLogin returns a Login for a client of the provider, which sends people back to redirectURL. Without a secret the client is public.
// Where there are several providers each has a redirectURL of its own, and what comes back there goes to its Login alone, so that one of
// them cannot have the code of another sent to it (RFC 9700, section 4.4.2).
func NewLogin[C any](provider *Provider, clientID, clientSecret, redirectURL string, opts ...LoginOption) (*Login[C], error) {
	l := &Login[C]{
		provider: provider, config: loginConfig{verifierConfig: verifierConfig{checks: newChecks()}, scopes: []string{oidc.ScopeOpenID}},
	}
	err := apply(opts, func(o LoginOption) error { return o.login(&l.config) })
	switch {
	case err != nil:
	case provider == nil || provider.client == nil:
		err = errors.New("the Provider was not made by NewProvider")
	case clientID == "":
		err = errors.New("the id of the client is empty")
	case len(l.config.audiences) > 0 || l.config.anyAudience:
		err = errors.New("Audience and AnyAudience are not for a Login: it is the client")
	default:
		_, err = provider.config.endpoint("the address to come back to", redirectURL)
	}
	if err != nil {
		return nil, fmt.Errorf("oauth2auth: NewLogin: %w", err)
	}
	l.config.audiences = []string{clientID}
	l.client = oauth2.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURL, Scopes: l.config.scopes}
	return l, nil
}

// Format writes which client it is of, by whatever verb, and not its secret.
func (l *Login[C]) Format(f fmt.State, _ rune) {
	if l == nil || l.provider == nil {
		_, _ = fmt.Fprint(f, "no Login")
		return
	}
	_, _ = fmt.Fprintf(f, "login of client %q at %s", l.client.ClientID, host(l.provider.issuer))
}

// LogValue is the same, for all handlers of slog.
func (l *Login[C]) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(l)) }

// Attempt is a login that has begun. It is to be kept for the one browser that began it, as in a cookie that is encrypted or an entry of a
// session, and to be forgotten before Finish, so that it is used once, and after some minutes.
type Attempt struct {
	URL      string // where to send the browser
	State    string // that it comes back with
	Nonce    string // that the ID token has
	Verifier string // by which the one who began is known to the provider; a secret

	Issuer, ClientID, RedirectURL string // of the Login that began it, which alone finishes it
}

// Format writes nothing of it, by whatever verb.
func (a Attempt) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "an attempt to log in") }

// LogValue is the same, for all handlers of slog. The JSON of an Attempt has all of it, so that it can be kept.
func (a Attempt) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }

// Begin returns what a browser is to be sent to. The error has auth.ErrUnavailable where the provider does not answer.
func (l *Login[C]) Begin(ctx context.Context) (*Attempt, error) {
	if l == nil || l.provider == nil {
		return nil, errZeroLogin
	}
	s, err := l.provider.get(ctx)
	if err != nil {
		return nil, err
	}
	if s.endpoint.AuthURL == "" || s.endpoint.TokenURL == "" {
		return nil, errors.New("oauth2auth: Login: the provider has no endpoints for it")
	}
	client := l.client
	client.Endpoint = s.endpoint
	a := &Attempt{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Issuer: l.provider.issuer, ClientID: client.ClientID, RedirectURL: client.RedirectURL,
	}
	a.URL = client.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier))
	return a, nil
}

// Session is what a login ends with.
type Session struct {
	// Principal is who logged in, by the ID token.
	Principal *auth.Principal
	// AccessToken and RefreshToken are for calls in their name; the latter may be empty. See NewRefresh.
	AccessToken, RefreshToken string
	// IDToken is what the Principal was read from, for the logout at some providers.
	IDToken string
	// Expires is until when the AccessToken is good, the zero time where it is not known.
	Expires time.Time
}

// Format writes who it is, and nothing of the tokens.
func (s Session) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "session of %v", s.Principal) }

// LogValue is the same, for all handlers of slog. The JSON of a Session has all of it.
func (s Session) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }

// Finish takes the query that the browser comes back with, to the attempt that it began, and returns who it is. It is an *EndpointError
// where the provider says that they are not let in, such as access_denied.
func (l *Login[C]) Finish(ctx context.Context, attempt *Attempt, query url.Values) (*Session, error) {
	if l == nil || l.provider == nil {
		return nil, errZeroLogin
	}
	ctx, cancel := context.WithTimeout(ctx, l.provider.config.timeout)
	defer cancel()
	s, err := l.provider.get(ctx)
	if err == nil {
		err = l.cameBack(s, attempt, query)
	}
	if err != nil {
		return nil, err
	}
	client := l.client
	client.Endpoint = s.endpoint
	client.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if client.ClientSecret == "" {
		client.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	code := query.Get("code")
	token, err := client.Exchange(context.WithValue(ctx, oauth2.HTTPClient, l.provider.client), code, oauth2.VerifierOption(attempt.Verifier))
	if err != nil {
		basic := url.QueryEscape(client.ClientID) + ":" + url.QueryEscape(client.ClientSecret)
		return nil, fmt.Errorf("oauth2auth: Login: %w", answered(err, basic, client.ClientSecret, code, attempt.Verifier))
	}
	return l.session(ctx, attempt, token)
}

// cameBack says why a query is not what the attempt waits for.
func (l *Login[C]) cameBack(s *snapshot, attempt *Attempt, query url.Values) error {
	if attempt == nil || attempt.State == "" || attempt.Nonce == "" || attempt.Verifier == "" {
		return errors.New("oauth2auth: Login: the attempt was not made by Begin")
	}
	if attempt.Issuer != l.provider.issuer || attempt.ClientID != l.client.ClientID || attempt.RedirectURL != l.client.RedirectURL {
		return errors.New("oauth2auth: Login: the attempt was begun by a Login for another provider, client or address to come back to")
	}
	for _, name := range []string{"state", "code", "error", "iss"} {
		if len(query[name]) > 1 {
			return fmt.Errorf("oauth2auth: Login: %s came back more than once", name)
		}
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(attempt.State)) != 1:
		return errors.New("oauth2auth: Login: state is missing or another: it was begun by another browser, or is long ago")
	case (s.named || query.Has("iss")) && query.Get("iss") != l.provider.issuer:
		return errors.New("oauth2auth: Login: another provider than the one that was asked has sent the browser back")
	case query.Has("error"):
		return fmt.Errorf("oauth2auth: Login: %w", &EndpointError{
			Status: http.StatusFound, Code: legible(query.Get("error")), Description: legible(query.Get("error_description")),
		})
	case query.Get("code") == "":
		return errors.New("oauth2auth: Login: code is missing")
	}
	return nil
}

// session verifies what came for the code.
func (l *Login[C]) session(ctx context.Context, attempt *Attempt, token *oauth2.Token) (*Session, error) {
	if err := checkBearer(token); err != nil {
		return nil, fmt.Errorf("oauth2auth: Login: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("oauth2auth: Login: the ID token is missing")
	}
	v, err := l.provider.verify(ctx, raw, &l.config.verifierConfig)
	if err != nil {
		return nil, err
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(v.Nonce), []byte(attempt.Nonce)) != 1:
		return nil, errors.New("oauth2auth: Login: nonce is missing or another")
	case v.Authorized != l.client.ClientID && (v.Authorized != "" || len(v.Audience) > 1):
		return nil, errors.New("oauth2auth: Login: azp is missing or another: the token is of another client")
	case v.IssuedAt == nil:
		return nil, errors.New("oauth2auth: Login: iat is missing")
	case v.AtHash != "" && v.id.VerifyAccessToken(token.AccessToken) != nil:
		return nil, errors.New("oauth2auth: Login: at_hash is that of another access token")
	}
	p, err := principalOf[C](v, &l.config.checks)
	if err != nil {
		return nil, err
	}
	return &Session{
		Principal: p, AccessToken: token.AccessToken, RefreshToken: token.RefreshToken, IDToken: raw, Expires: expiryOf(token),
	}, nil
}

var errZeroLogin = errors.New("oauth2auth: the Login was not made by NewLogin")
