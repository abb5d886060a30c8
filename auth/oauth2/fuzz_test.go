package oauth2auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

// FuzzAnswer holds that nobody is known by an answer of an introspection endpoint of which the standard library does not read that the
// token is active, and for this service.
func FuzzAnswer(f *testing.F) {
	for _, said := range []string{
		`{"active":true,"sub":"ann","aud":"orders"}`, `{"active":false}`, `{"active":true,"active":false,"sub":"ann","aud":["orders"]}`, `null`, `}{`, ``,
		`{"active":true,"sub":"ann","aud":["a","orders"],"exp":99999999999,"nbf":1,"scope":"a b","token_type":"Bearer"}`,
	} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		i := introspector(t, introspection, by(answering(said)), oauth2auth.Roles("roles", "orders"))
		p, err := i.Introspect(t.Context(), "t")
		if (p == nil) == (err == nil) {
			t.Fatalf("have %v, %v", p, err)
		}
		if err != nil {
			return
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(said), &plain); err != nil {
			t.Fatalf("taken as %v: %v", p, err)
		}
		aud, _ := plain["aud"].([]any)
		if plain["active"] != true || plain["sub"] != p.Subject || p.Subject == "" || plain["aud"] != "orders" && !slices.Contains(aud, any("orders")) {
			t.Errorf("taken as %v: %s", p, said)
		}
	})
}

// FuzzToken holds that no token is taken that go-oidc, with the same keys, does not take.
func FuzzToken(f *testing.F) {
	n := newNear()
	key := n.addKey(f, "k1")
	p := must(oauth2auth.NewProvider(n.URL, by(n), oauth2auth.ProviderPause(time.Minute)))(f)
	f.Cleanup(func() { _ = p.Close() })
	v := must(oauth2auth.NewVerifier[all](p, oauth2auth.Audience("orders")))(f)
	plain := oidc.NewVerifier(n.URL, oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &http.Client{Transport: n}), n.URL+"/keys"), &oidc.Config{
		ClientID: "orders", SupportedSigningAlgs: []string{"ES256"}, Now: func() time.Time { return time.Now().Add(-oauth2auth.DefaultLeeway) },
	})
	for _, claims := range []string{n.claims(), `null`, n.claims(`"exp":1e400`), n.claims(`"aud":["orders"]`), n.claims(`"sub":1`)} {
		f.Add(`{"alg":"ES256","kid":"k1"}`, claims, true)
	}
	f.Add(`{"alg":"none"}`, n.claims(), true)
	f.Add(`{"alg":"ES256","kid":"k1","crit":["x"]}`, n.claims(), true)
	f.Add("a.b.c", "", false)
	f.Add(sign(f, jose.ES256, key, "k1", n.claims()), "", false)
	f.Fuzz(func(t *testing.T, header, claims string, signed bool) {
		token := header
		if signed {
			token = forge(t, key, header, claims)
		}
		p, err := v.Verify(t.Context(), token)
		if (p == nil) == (err == nil) || errors.Is(err, auth.ErrNone) {
			t.Fatalf("have %v, %v", p, err)
		}
		if err != nil {
			return
		}
		if _, err := plain.Verify(t.Context(), token); err != nil || p.Subject == "" {
			t.Errorf("taken as %v, and not by go-oidc: %v", p, err)
		}
	})
}

// forge signs whatever header it is given.
func forge(t testing.TB, key *ecdsa.PrivateKey, header, claims string) string {
	t.Helper()
	signed := encoded(header) + "." + encoded(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// FuzzProvider has a provider say of itself what it likes.
func FuzzProvider(f *testing.F) {
	f.Add(`{"issuer":"https://login.example","jwks_uri":"https://login.example/keys"}`, `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	f.Add(`{"issuer":"https://evil.example","jwks_uri":"https://login.example/keys"}`, `{"keys":[]}`)
	f.Add(`}{`, `}{`)
	f.Fuzz(func(t *testing.T, metadata, keys string) {
		p := provider(t, "https://login.example", by(roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "" || r.URL.Scheme != "https" {
				t.Errorf("asked for %v", r.URL)
			}
			if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
				return answer(metadata), nil
			}
			return answer(keys), nil
		})))
		err := p.Discover(t.Context())
		if err != nil && !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("have %v", err)
		}
		var plain struct{ Issuer string }
		if err == nil && (json.Unmarshal([]byte(metadata), &plain) != nil || plain.Issuer != "https://login.example") {
			t.Errorf("taken: %s", metadata)
		}
	})
}
