package transporttest_test

import (
	"crypto"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authtest"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// provider answers what is asked of an authorization server, without a network: by path, after what it is told of a token.
type provider func(path, token string) any

func (p provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(p(r.URL.Path, r.PostForm.Get("token")))
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(text))),
	}, nil
}

// openID is a Verifier of the tokens of a provider, under the attacks on tokens.
func openID(t *testing.T, private crypto.Signer) authtest.Subject {
	t.Helper()
	const issuer, audience, id = "https://login.example", "orders", "2026-11"
	client := &http.Client{Transport: provider(func(path, _ string) any {
		if path == "/keys" {
			return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: id}}}
		}
		return map[string]any{"issuer": issuer, "jwks_uri": issuer + "/keys"}
	})}
	p, err := oauth2auth.NewProvider(issuer, oauth2auth.HTTPClient(client))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	verifier, err := oauth2auth.NewVerifier[struct{}](p, oauth2auth.Audience(audience))
	if err != nil {
		t.Fatal(err)
	}
	forged := authtest.Tokens{Key: private, KeyID: id, Issuer: issuer, Audience: audience}
	attacks, err := forged.Attacks()
	if err != nil {
		t.Fatal(err)
	}
	return authtest.Subject{Authenticator: verifier, Source: forged.Source(), Attacks: attacks}
}

// introspected is an Introspector that asks a server which knows one token.
func introspected(t *testing.T) authtest.Subject {
	t.Helper()
	const known = "0123456789abcdef"
	client := &http.Client{Transport: provider(func(_, token string) any {
		switch token {
		case known:
			return map[string]any{"active": true, "sub": "ann", "aud": "orders"}
		case "other-service":
			return map[string]any{"active": true, "sub": "ann", "aud": "payments"}
		case "of-yesterday":
			return map[string]any{"active": true, "sub": "ann", "aud": "orders", "exp": 1}
		case "of-nobody":
			return "active"
		}
		return map[string]any{"active": false}
	})}
	i, err := oauth2auth.NewIntrospector[struct{}]("https://login.example/introspect", oauth2auth.ClientBasic("orders", "secret"),
		oauth2auth.HTTPClient(client), oauth2auth.Audience("orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	bearer := func(token string) transport.HeaderMap {
		h := transport.HeaderMap{}
		h.Set("Authorization", "Bearer "+token)
		return h
	}
	return authtest.Subject{Authenticator: i, Source: auth.Bearer(known), Attacks: []authtest.Attack{
		{Name: "for another service", Header: bearer("other-service")},
		{Name: "expired", Header: bearer("of-yesterday")},
		{Name: "not active", Header: bearer("revoked")},
		{Name: "the server cannot say", Header: bearer("of-nobody"), Code: status.Unavailable, Reason: auth.ReasonUnavailable},
	}}
}
