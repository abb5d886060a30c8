package oauth2auth_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

const opaque = "v2.local.0123456789abcdef0123456789abcdef0123456789abcdef" // as long as many are

// BenchmarkIntrospector has an answer that is remembered, by one goroutine and by several.
func BenchmarkIntrospector(b *testing.B) {
	i := introspector(b, introspection, by(answering(`{"active":true,`+ann()+`}`)), oauth2auth.CacheTTL(time.Hour))
	info := call("Bearer " + opaque)
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := i.Authenticate(b.Context(), info); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("remembered, parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := i.Authenticate(b.Context(), info); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkES256 has go-oidc alone beside what an Authenticator does, with keys that are known.
func BenchmarkES256(b *testing.B) {
	n := newNear()
	token := sign(b, jose.ES256, n.addKey(b, "k1"), "k1", n.claims(in("exp", time.Hour), `"scope":"orders:read orders:write"`, `"tenant":"north"`))
	b.Run("oauth2auth", func(b *testing.B) {
		type claims struct {
			Tenant string `json:"tenant"`
		}
		p := must(oauth2auth.NewProvider(n.URL, by(n)))(b)
		defer p.Close()
		v := must(oauth2auth.NewVerifier[claims](p, oauth2auth.Audience("orders")))(b)
		info := call("Bearer " + token)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Authenticate(b.Context(), info); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("go-oidc", func(b *testing.B) {
		var claims struct {
			Scope  string `json:"scope"`
			Tenant string `json:"tenant"`
		}
		keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &http.Client{Transport: n}), n.URL+"/keys")
		v := oidc.NewVerifier(n.URL, keys, &oidc.Config{ClientID: "orders", SupportedSigningAlgs: []string{"ES256"}})
		b.ReportAllocs()
		for b.Loop() {
			id, err := v.Verify(b.Context(), token)
			if err == nil {
				err = id.Claims(&claims)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestWhatARememberedAnswerCosts holds the budget of the call path.
func TestWhatARememberedAnswerCosts(t *testing.T) { //nolint:paralleltest // others would allocate meanwhile
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	i := introspector(t, introspection, by(answering(`{"active":true,`+ann()+`}`)), oauth2auth.CacheTTL(time.Hour))
	info := call("Bearer " + opaque)
	have := testing.AllocsPerRun(1000, func() {
		if _, err := i.Authenticate(t.Context(), info); err != nil {
			t.Error(err)
		}
	})
	if have > 0 {
		t.Errorf("want no allocation, have %v", have)
	}
}
