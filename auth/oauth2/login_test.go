package oauth2auth_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

// begun is a login that waits for a browser to come back.
type begun struct {
	*small

	key     *ecdsa.PrivateKey
	login   *oauth2auth.Login[all]
	attempt *oauth2auth.Attempt
}

func begin(t *testing.T) *begun {
	t.Helper()
	s := startSmall(t)
	b := &begun{small: s, key: s.addKey(t, "k1")}
	b.login = must(oauth2auth.NewLogin[all](provider(t, s.URL), "shop", "top-secret", "http://127.0.0.1/back", oauth2auth.LoginScopes("profile")))(t)
	b.attempt = must(b.login.Begin(t.Context()))(t)
	return b
}

// id is an ID token for the login.
func (b *begun) id(t *testing.T, others ...string) string {
	t.Helper()
	sum := sha256.Sum256([]byte("access"))
	claims := append([]string{`"aud":"shop"`, `"nonce":"` + b.attempt.Nonce + `"`, `"at_hash":"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`}, others...)
	return sign(t, jose.ES256, b.key, "k1", b.claims(claims...))
}

// gives has the token endpoint give out what it says, and remembers what it was asked.
func (b *begun) gives(said string) (asked *url.Values) {
	asked = new(url.Values)
	b.set(func() {
		b.answers["/token"] = func(w http.ResponseWriter, r *http.Request) {
			*asked = r.PostForm
			writeJSON(w, http.StatusOK, said)
		}
	})
	return asked
}

func answerOf(id string) string {
	return `{"access_token":"access","token_type":"Bearer","expires_in":60,"refresh_token":"refresh","id_token":"` + id + `"}`
}

func (b *begun) back() url.Values {
	return url.Values{"state": {b.attempt.State}, "code": {"the-code"}}
}

func TestALoginIsThatOfTheSpecifications(t *testing.T) {
	t.Parallel()
	b := begin(t)
	q := must(url.Parse(b.attempt.URL))(t).Query()
	sum := sha256.Sum256([]byte(b.attempt.Verifier))
	for key, want := range map[string]string{
		"response_type": "code", "client_id": "shop", "redirect_uri": "http://127.0.0.1/back", "scope": "openid profile", "state": b.attempt.State,
		"nonce": b.attempt.Nonce, "code_challenge_method": "S256", "code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]),
	} {
		if have := q.Get(key); have != want || want == "" {
			t.Errorf("%s: want %q, have %q", key, want, have)
		}
	}
	if strings.Contains(b.attempt.URL, "top-secret") || strings.Contains(b.attempt.URL, b.attempt.Verifier) {
		t.Errorf("have %s", b.attempt.URL)
	}
	other := must(b.login.Begin(t.Context()))(t)
	if other.State == b.attempt.State || other.Nonce == b.attempt.Nonce || other.Verifier == b.attempt.Verifier || len(other.State) < 26 {
		t.Error("want each attempt to have its own")
	}
	asked := b.gives(answerOf(b.id(t)))
	session := must(b.login.Finish(t.Context(), b.attempt, b.back()))(t)
	if session.Principal.Subject != "ann" || session.AccessToken != "access" || session.RefreshToken != "refresh" || session.IDToken == "" || session.Expires.IsZero() {
		t.Errorf("have %+v", session)
	}
	if asked.Get("code_verifier") != b.attempt.Verifier || asked.Get("code") != "the-code" || asked.Get("grant_type") != "authorization_code" {
		t.Errorf("have %v", *asked)
	}
	b.gives(answerOf(b.id(t, `"aud":["shop","payments"]`, `"azp":"shop"`, `"at_hash":null`)))
	must(b.login.Finish(t.Context(), b.attempt, b.back()))(t)
	b.gives(answerOf(b.id(t)))
	named := b.back()
	named.Set("iss", b.URL)
	must(b.login.Finish(t.Context(), b.attempt, named))(t)
}

func TestAttacksOnALoginAreRefused(t *testing.T) {
	t.Parallel()
	b := begin(t)
	other := must(b.login.Begin(t.Context()))(t)
	for name, said := range map[string]string{
		"no ID token":           `{"access_token":"access","token_type":"Bearer"}`,
		"ID token is a number":  `{"access_token":"access","token_type":"Bearer","id_token":1}`,
		"mac":                   strings.Replace(answerOf(b.id(t)), "Bearer", "mac", 1),
		"another access token":  strings.Replace(answerOf(b.id(t)), `"access"`, `"stolen"`, 1),
		"another nonce":         answerOf(b.id(t, `"nonce":"`+other.Nonce+`"`)),
		"no nonce":              answerOf(b.id(t, `"nonce":`)),
		"of another client":     answerOf(b.id(t, `"aud":"payments"`)),
		"for another client":    answerOf(b.id(t, `"aud":["shop","payments"]`, `"azp":"payments"`)),
		"azp alone":             answerOf(b.id(t, `"azp":"payments"`)),
		"for several":           answerOf(b.id(t, `"aud":["shop","payments"]`)),
		"of another provider":   answerOf(b.id(t, `"iss":"https://evil.example"`)),
		"no iat":                answerOf(b.id(t, `"iat":`)),
		"expired":               answerOf(b.id(t, `"exp":1000000000`)),
		"none":                  answerOf(encoded(`{"alg":"none"}`) + "." + encoded(b.claims(`"aud":"shop"`, `"nonce":"`+b.attempt.Nonce+`"`)) + "."),
		"an error":              `{"error":"invalid_grant","error_description":"the-code top-secret ` + b.attempt.Verifier + `"}`,
		"huge":                  strings.Repeat(" ", oauth2auth.MaxAnswer) + answerOf(b.id(t)),
		"access token too long": strings.Replace(answerOf(b.id(t)), `"access"`, `"`+strings.Repeat("x", 20_000)+`"`, 1),
	} {
		b.gives(said)
		session, err := b.login.Finish(t.Context(), b.attempt, b.back())
		if err == nil || session != nil {
			t.Errorf("%s: have %v", name, session)
			continue
		}
		for _, secret := range []string{"top-secret", "the-code", b.attempt.Verifier, b.attempt.Nonce} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: have %v", name, err)
			}
		}
	}
}

func TestABrowserThatComesBackWithSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	b := begin(t)
	good := answerOf(b.id(t))
	other := must(b.login.Begin(t.Context()))(t)
	with := func(key string, values ...string) url.Values {
		q := b.back()
		q[key] = values
		return q
	}
	for name, query := range map[string]url.Values{
		"nothing":          nil,
		"no state":         with("state"),
		"another's state":  with("state", other.State),
		"two states":       with("state", b.attempt.State, b.attempt.State),
		"no code":          with("code"),
		"two codes":        with("code", "the-code", "another"),
		"another provider": with("iss", "https://evil.example"),
		"no provider":      with("iss", ""),
	} {
		asked := b.gives(good)
		if session, err := b.login.Finish(t.Context(), b.attempt, query); err == nil || len(*asked) > 0 {
			t.Errorf("%s: have %v, asked %v", name, session, *asked)
		}
	}
	_, err := b.login.Finish(t.Context(), b.attempt, url.Values{
		"state": {b.attempt.State}, "error": {"access_denied"}, "error_description": {"no\nway"},
	})
	if e, ok := errors.AsType[*oauth2auth.EndpointError](err); !ok || e.Code != "access_denied" || e.Description != "no?way" {
		t.Errorf("have %v", err)
	}
	for _, attempt := range []*oauth2auth.Attempt{nil, {}, {State: b.attempt.State}, {State: b.attempt.State, Nonce: b.attempt.Nonce}} {
		if session, err := b.login.Finish(t.Context(), attempt, b.back()); err == nil {
			t.Errorf("%v: have %v", attempt, session)
		}
	}
}

func TestAnAttemptIsFinishedByWhoBeganIt(t *testing.T) {
	t.Parallel()
	b, other := begin(t), begin(t)
	p := provider(t, b.URL)
	asked, askedOther := b.gives(answerOf(b.id(t))), other.gives(answerOf(b.id(t)))
	for name, login := range map[string]*oauth2auth.Login[all]{
		"another provider": other.login,
		"another client":   must(oauth2auth.NewLogin[all](p, "cart", "top-secret", "http://127.0.0.1/back"))(t),
		"another address":  must(oauth2auth.NewLogin[all](p, "shop", "top-secret", "http://127.0.0.1/other"))(t),
	} {
		if session, err := login.Finish(t.Context(), b.attempt, b.back()); err == nil || len(*asked)+len(*askedOther) > 0 {
			t.Errorf("%s: have %v, asked %v, %v", name, session, *asked, *askedOther)
		}
	}
}

func TestAProviderThatNamesItselfHasTo(t *testing.T) {
	t.Parallel()
	b := begin(t)
	b.metadata["authorization_response_iss_parameter_supported"] = true
	login := must(oauth2auth.NewLogin[all](provider(t, b.URL), "shop", "top-secret", "http://127.0.0.1/back"))(t)
	b.gives(answerOf(b.id(t)))
	if session, err := login.Finish(t.Context(), b.attempt, b.back()); err == nil {
		t.Errorf("have %v", session)
	}
	named := b.back()
	named.Set("iss", b.URL)
	must(login.Finish(t.Context(), b.attempt, named))(t)
}

func TestAProviderWithoutALoginHasNone(t *testing.T) {
	t.Parallel()
	s := startSmall(t)
	s.addKey(t, "k1")
	s.metadata["authorization_endpoint"] = nil
	login := must(oauth2auth.NewLogin[all](provider(t, s.URL), "shop", "top-secret", "http://127.0.0.1/back"))(t)
	if attempt, err := login.Begin(t.Context()); err == nil {
		t.Errorf("have %v", attempt)
	}
}
