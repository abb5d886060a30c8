package oauth2auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

// small is a provider that conforms and does little: discovery, keys, and a token endpoint that gives out what the test says. It is for
// what the real one of internal/testserver cannot do: sign what is wrong, have several keys or another than RSA, and be wrong itself.
type small struct {
	*httptest.Server

	discoveries, fetches atomic.Int32

	mu       sync.Mutex
	keys     []jose.JSONWebKey
	metadata map[string]any // in place of what discovery says
	answers  map[string]http.HandlerFunc
}

func startSmall(t testing.TB) *small {
	t.Helper()
	s := &small{metadata: map[string]any{}, answers: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *small) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	handler := s.answers[r.URL.Path]
	keys := jose.JSONWebKeySet{Keys: s.keys}
	metadata := map[string]any{
		"issuer": s.URL, "jwks_uri": s.URL + "/keys", "token_endpoint": s.URL + "/token", "authorization_endpoint": s.URL + "/authorize",
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}
	maps.Copy(metadata, s.metadata)
	s.mu.Unlock()
	switch {
	case r.URL.Path == "/keys":
		s.fetches.Add(1)
	case strings.HasPrefix(r.URL.Path, "/.well-known/"):
		s.discoveries.Add(1)
	}
	switch {
	case handler != nil:
		handler(w, r)
	case r.URL.Path == "/keys":
		writeValue(w, keys)
	case r.URL.Path == "/.well-known/openid-configuration":
		writeValue(w, metadata)
	default:
		http.NotFound(w, r)
	}
}

func writeValue(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	writeJSON(w, http.StatusOK, string(text))
}

func (s *small) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// addKey has the provider sign with another key of ES256.
func (s *small) addKey(t testing.TB, id string) *ecdsa.PrivateKey {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	s.set(func() { s.keys = append(s.keys, jose.JSONWebKey{Key: key.Public(), KeyID: id, Use: "sig"}) })
	return key
}

// sign signs whatever it is given, by the algorithm of the key.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key crypto.PrivateKey, id, claims string, extra ...any) string {
	t.Helper()
	opts := &jose.SignerOptions{}
	for n := 0; n+1 < len(extra); n += 2 {
		opts = opts.WithHeader(jose.HeaderKey(fmt.Sprint(extra[n])), extra[n+1])
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, opts))(t)
	return must(must(signer.Sign([]byte(claims)))(t).CompactSerialize())(t)
}

// claims returns those of a token that is good, with more of them, or others in their place, as in `"iss":"x"`, or without one, as in
// `"iss":`.
func (s *small) claims(others ...string) string {
	all := []string{`"iss":"` + s.URL + `"`, `"sub":"ann"`, `"aud":"orders"`, in("exp", time.Minute), in("iat", 0)}
	for _, other := range others {
		name, _, _ := strings.Cut(other, ":")
		replaced := false
		for i := range all {
			if strings.HasPrefix(all[i], name+":") {
				all[i], replaced = other, true
			}
		}
		if !replaced {
			all = append(all, other)
		}
	}
	all = slices.DeleteFunc(all, func(claim string) bool { return strings.HasSuffix(claim, ":") })
	return "{" + strings.Join(all, ",") + "}"
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func verifier(t testing.TB, s *small, opts ...oauth2auth.VerifierOption) *oauth2auth.Verifier[all] {
	t.Helper()
	p := provider(t, s.URL, oauth2auth.ProviderPause(10*time.Millisecond))
	return must(oauth2auth.NewVerifier[all](p, append(opts, oauth2auth.Audience("orders"))...))(t)
}
