package oauth2auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
	"github.com/ashlar-go/ashlar/internal/testserver"
)

func TestClientCredentialsAreIntrospected(t *testing.T) {
	t.Parallel()
	s := testserver.StartOIDC(t)
	source := must(oauth2auth.NewClientCredentials(s.Issuer+"/oauth/token", "cart", "cart-secret", oauth2auth.SourceScopes("openid", "profile")))(t)
	credentials := must(auth.NewCredentials(source))(t)
	defer credentials.Close()
	c := must(credentials.Credential(t.Context()))(t)
	if left := time.Until(c.Expires); left < time.Minute || left > 10*time.Minute {
		t.Errorf("want it to expire in 5 min, have %v", left)
	}
	// The answer of this server has no aud: it tells each client of the tokens that are for it only.
	i := must(oauth2auth.NewIntrospector[all](s.Issuer+"/oauth/introspect", oauth2auth.ClientBasic("orders", "orders-secret"), oauth2auth.AnyAudience(),
		oauth2auth.Scopes("openid")))(t)
	defer i.Close()
	p := must(i.Authenticate(t.Context(), call(c.Value)))(t)
	if p.Subject != "cart" || !p.HasScope("profile") || p.Method != oauth2auth.Method || p.Expires.Before(c.Expires) {
		t.Errorf("have %v, %q, until %v", p, p.Scopes, p.Expires)
	}
	if claims, ok := auth.ClaimsOf[all](p); !ok || claims["username"] != "cart" {
		t.Errorf("have %v", p.Claims)
	}
	for name, token := range map[string]string{"made up": "Bearer abc", "changed": changed(c.Value)} {
		if p, err := i.Authenticate(t.Context(), call(token)); err == nil || errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: have %v, %v", name, p, err)
		}
	}
	other := must(oauth2auth.NewIntrospector[all](s.Issuer+"/oauth/introspect", oauth2auth.ClientBasic("web", "web-secret"), oauth2auth.AnyAudience()))(t)
	defer other.Close()
	if p, err := other.Authenticate(t.Context(), call(c.Value)); err == nil {
		t.Errorf("want a token for another service refused, have %v", p)
	}
}

// changed returns a token with another character near its end.
func changed(token string) string {
	at := len(token) - 5
	other := "A"
	if token[at] == 'A' {
		other = "B"
	}
	return token[:at] + other + token[at+1:]
}

func TestAWrongSecretIsToldWithoutIt(t *testing.T) {
	t.Parallel()
	s := testserver.StartOIDC(t)
	source := must(oauth2auth.NewClientCredentials(s.Issuer+"/oauth/token", "cart", "not-the-secret"))(t)
	_, err := source.Credential(t.Context())
	if e, ok := errors.AsType[*oauth2auth.EndpointError](err); !ok || e.Code != "invalid_client" {
		t.Errorf("want invalid_client, have %v", err)
	}
	i := must(oauth2auth.NewIntrospector[all](s.Issuer+"/oauth/introspect", oauth2auth.ClientBasic("orders", "not-the-secret"), oauth2auth.AnyAudience()))(t)
	defer i.Close()
	_, unavailable := i.Introspect(t.Context(), "abc")
	if e, ok := errors.AsType[*oauth2auth.EndpointError](unavailable); !ok || e.Status != http.StatusUnauthorized || !errors.Is(unavailable, auth.ErrUnavailable) {
		t.Errorf("want 401 and ErrUnavailable, have %v", unavailable)
	}
	if text := fmt.Sprint(err, unavailable); strings.Contains(text, "not-the-secret") {
		t.Errorf("the secret is in %s", text)
	}
}

func TestPeopleLogInAndTheirTokensAreRefreshedAndRevoked(t *testing.T) {
	t.Parallel()
	s := testserver.StartOIDC(t)
	p := provider(t, s.Issuer)
	for _, client := range [][2]string{{"web", "web-secret"}, {"native", ""}} {
		login := must(oauth2auth.NewLogin[all](p, client[0], client[1], s.Redirect, oauth2auth.LoginScopes("profile", "offline_access")))(t)
		attempt := must(login.Begin(t.Context()))(t)
		query := logIn(t, s, attempt.URL)
		session := must(login.Finish(t.Context(), attempt, query))(t)
		if who := session.Principal; who.Subject != s.Subject || who.Issuer != s.Issuer || who.Method != oauth2auth.MethodOIDC {
			t.Errorf("have %v by %s", who, who.Method)
		}
		if again, err := login.Finish(t.Context(), attempt, query); err == nil {
			t.Errorf("want a code to be good once, have %v", again)
		}
		var stored []string
		source := must(oauth2auth.NewRefresh(s.Issuer+"/oauth/token", client[0], client[1], session.RefreshToken,
			oauth2auth.SourceOnRefreshToken(func(token string) { stored = append(stored, token) })))(t)
		before := session.AccessToken
		for n := range 3 {
			c := must(source.Credential(t.Context()))(t)
			if c.Value == "Bearer "+before || len(stored) != n+1 || slices.Contains(stored, session.RefreshToken) {
				t.Errorf("want another token of each kind, have %v, %d", c, len(stored))
			}
			before = strings.TrimPrefix(c.Value, "Bearer ")
		}
		old := must(oauth2auth.NewRefresh(s.Issuer+"/oauth/token", client[0], client[1], session.RefreshToken))(t)
		if c, err := old.Credential(t.Context()); err == nil {
			t.Errorf("want the first refresh token refused, have %v", c)
		}
		if client[1] != "" {
			revocation(t, s, client, before)
		}
	}
}

// revocation has a token taken, revoked, taken for as long as it is remembered, and refused.
func revocation(t *testing.T, s *testserver.OIDC, client [2]string, token string) {
	t.Helper()
	with := func(ttl time.Duration) *oauth2auth.Introspector[all] {
		i := must(oauth2auth.NewIntrospector[all](s.Issuer+"/oauth/introspect", oauth2auth.ClientBasic(client[0], client[1]), oauth2auth.AnyAudience(),
			oauth2auth.CacheTTL(ttl)))(t)
		t.Cleanup(func() { _ = i.Close() })
		return i
	}
	remembers, asks := with(time.Hour), with(0)
	for _, i := range []*oauth2auth.Introspector[all]{remembers, asks} {
		must(i.Introspect(t.Context(), token))(t)
	}
	request := must(http.NewRequestWithContext(t.Context(), http.MethodPost, s.Issuer+"/revoke",
		strings.NewReader(url.Values{"token": {token}}.Encode())))(t)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(client[0], client[1])
	if code, _ := do(t, request); code != http.StatusOK {
		t.Fatalf("revoking: HTTP %d", code)
	}
	if p, err := asks.Introspect(t.Context(), token); err == nil {
		t.Errorf("want it refused, have %v", p)
	}
	must(remembers.Introspect(t.Context(), token))(t)
}

// logIn does what somebody does in a browser, and returns what it comes back with.
func logIn(t *testing.T, s *testserver.OIDC, begin string) url.Values {
	t.Helper()
	get := func(address string) *url.URL {
		request := must(http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody))(t)
		_, to := do(t, request)
		return must(url.Parse(to))(t)
	}
	page := get(begin)
	form := url.Values{"id": {page.Query().Get("authRequestID")}, "username": {s.User}, "password": {s.Password}}
	request := must(http.NewRequestWithContext(t.Context(), http.MethodPost, s.Issuer+"/login/username", strings.NewReader(form.Encode())))(t)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, to := do(t, request)
	back := get(must(must(url.Parse(s.Issuer))(t).Parse(to))(t).String())
	if !strings.HasPrefix(back.String(), s.Redirect+"?") {
		t.Fatalf("the browser is sent to %v", back)
	}
	return back.Query()
}

// do sends a request, and returns what it is answered, and where it is sent; it follows nobody.
func do(t *testing.T, request *http.Request) (code int, location string) {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("Location")
}

func TestAccessTokensAreVerifiedThroughRotationAndOutage(t *testing.T) {
	t.Parallel()
	s := testserver.StartOIDC(t)
	p := provider(t, s.Issuer, oauth2auth.ProviderPause(10*time.Millisecond))
	v := must(oauth2auth.NewVerifier[all](p, oauth2auth.Audience("orders")))(t)
	token := func() string {
		source := must(oauth2auth.NewClientCredentials(s.Issuer+"/oauth/token", "mail", "mail-secret"))(t)
		return must(source.Credential(t.Context()))(t).Value
	}
	first := token()
	if who := must(v.Authenticate(t.Context(), call(first)))(t); who.Subject != "mail" || who.Issuer != s.Issuer {
		t.Errorf("have %v", who)
	}
	other := must(oauth2auth.NewVerifier[all](p, oauth2auth.Audience("payments")))(t)
	if who, err := other.Authenticate(t.Context(), call(first)); err == nil {
		t.Errorf("want a token for another service refused, have %v", who)
	}

	s.Stop()
	must(v.Authenticate(t.Context(), call(first)))(t) // by the keys that are known
	s.Start()                                         // with another key
	second := token()
	eventually(t, func(ctx context.Context) error {
		_, err := v.Authenticate(ctx, call(second))
		return err
	})
	if who, err := v.Authenticate(t.Context(), call(first)); err == nil {
		t.Errorf("want a token by the key of before refused, have %v", who)
	}
}

func TestAProviderMayComeLater(t *testing.T) {
	t.Parallel()
	s := testserver.StartOIDC(t)
	token := must(must(oauth2auth.NewClientCredentials(s.Issuer+"/oauth/token", "mail", "mail-secret"))(t).Credential(t.Context()))(t).Value
	s.Suspend()
	p := provider(t, s.Issuer, oauth2auth.Timeout(50*time.Millisecond), oauth2auth.ProviderPause(10*time.Millisecond))
	if err := p.Discover(t.Context()); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("want ErrUnavailable, have %v", err)
	}
	v := must(oauth2auth.NewVerifier[all](p, oauth2auth.Audience("orders")))(t)
	if _, err := v.Authenticate(t.Context(), call(token)); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("want ErrUnavailable, have %v", err)
	}
	s.Resume()
	eventually(t, func(ctx context.Context) error {
		_, err := v.Authenticate(ctx, call(token))
		return err
	})
}

func TestIntrospectionComesBackAfterAnOutage(t *testing.T) {
	t.Parallel()
	s := testserver.StartOIDC(t)
	i := must(oauth2auth.NewIntrospector[all](s.Issuer+"/oauth/introspect", oauth2auth.ClientBasic("orders", "orders-secret"), oauth2auth.AnyAudience(),
		oauth2auth.CacheTTL(0), oauth2auth.Timeout(200*time.Millisecond)))(t)
	defer i.Close()
	token := must(must(oauth2auth.NewClientCredentials(s.Issuer+"/oauth/token", "cart", "cart-secret", oauth2auth.SourceScopes("openid")))(t).
		Credential(t.Context()))(t).Value
	must(i.Authenticate(t.Context(), call(token)))(t)
	s.Suspend()
	if _, err := i.Authenticate(t.Context(), call(token)); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("hangs: want ErrUnavailable, have %v", err)
	}
	s.Resume()
	eventually(t, func(ctx context.Context) error {
		_, err := i.Authenticate(ctx, call(token))
		return err
	})
	s.Kill()
	if _, err := i.Authenticate(t.Context(), call(token)); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("gone: want ErrUnavailable, have %v", err)
	}
}

// eventually tries again and again.
func eventually(t *testing.T, try func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
