package jwtauth_test

import (
	"context"
	"crypto/elliptic"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

func TestEachTokenIsNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := must(jwtauth.NewKey("k1", "", ecKey(t, elliptic.P256())))(t)
		signer := must(jwtauth.NewSigner(key, jwtauth.SignerIssuer("shop"), jwtauth.SignerSubject("cart"), jwtauth.SignerAudience("orders", "x"),
			jwtauth.SignerClaims(shop{Tenant: "north"}), jwtauth.SignerLifetime(time.Minute), jwtauth.SignerType("at+jwt")))(t)
		type claims struct {
			Tenant  string   `json:"tenant"`
			Aud     []string `json:"aud"`
			ID      string   `json:"jti"`
			Issued  int64    `json:"iat"`
			Expires int64    `json:"exp"`
		}
		v := must(jwtauth.New[claims](key, jwtauth.Issuer("shop"), jwtauth.Audience("orders"), jwtauth.Leeway(0), jwtauth.Type("at+jwt"), jwtauth.Require("jti")))(t)
		verify := func() claims {
			c := must(signer.Credential(t.Context()))(t)
			if !c.Expires.Equal(time.Now().Truncate(time.Second).Add(time.Minute)) {
				t.Errorf("it expires at %v", c.Expires)
			}
			p := must(v.Authenticate(t.Context(), call(c.Value)))(t)
			own, _ := auth.ClaimsOf[claims](p)
			return own
		}
		one := verify()
		time.Sleep(10 * time.Second)
		two := verify()
		if two.Expires != one.Expires+10 || two.Issued != one.Issued+10 || two.Expires != two.Issued+60 || one.ID == two.ID || len(one.ID) < 20 {
			t.Errorf("have %+v, then %+v", one, two)
		}
		if one.Tenant != "north" || !slices.Equal(one.Aud, []string{"orders", "x"}) {
			t.Errorf("have %+v", one)
		}
	})
}

func TestCredentialsRenewTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := must(jwtauth.NewKey("", "", make([]byte, 32)))(t)
		signer := must(jwtauth.NewSigner(key, jwtauth.SignerIssuer("login"), jwtauth.SignerSubject("cart"), jwtauth.SignerAudience("orders")))(t)
		v := must(jwtauth.New[struct{}](key, jwtauth.Issuer("login"), jwtauth.Audience("orders"), jwtauth.Leeway(0)))(t)
		credentials := must(auth.NewCredentials(signer))(t)
		defer credentials.Close()
		seen := make(map[string]bool)
		next := credentials.Middleware(endpoint.Spec{Service: "S", Method: "M", Side: endpoint.Client}, func(ctx context.Context, _ any) (any, error) {
			sent := transport.HeaderMap{}
			transport.SetOutgoing(ctx, sent)
			value := sent.Get("Authorization")
			seen[value] = true
			return v.Authenticate(ctx, call(value))
		})
		for range 60 {
			if _, err := next(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second)
		}
		if len(seen) < 6 || len(seen) > 9 {
			t.Errorf("want a token every four minutes or so of thirty, have %d", len(seen))
		}
	})
}

func TestASignerRefusesWhatContradicts(t *testing.T) {
	t.Parallel()
	private := ecKey(t, elliptic.P256())
	key := must(jwtauth.NewKey("", "", private))(t)
	for name, opts := range map[string][]jwtauth.SignerOption{
		"SignerIssuer":     {jwtauth.SignerIssuer("")},
		"SignerSubject":    {jwtauth.SignerSubject("a"), jwtauth.SignerSubject("b")},
		"SignerAudience":   {jwtauth.SignerAudience()},
		"aud":              {jwtauth.SignerAudience("a"), jwtauth.SignerClaims(map[string]any{"aud": "b"})},
		"sub":              {jwtauth.SignerSubject("a"), jwtauth.SignerClaims(map[string]any{"sub": "b"})},
		"exp":              {jwtauth.SignerClaims(map[string]any{"exp": 1})},
		"iat":              {jwtauth.SignerClaims(map[string]any{"iat": 1})},
		"jti":              {jwtauth.SignerClaims(map[string]any{"jti": "x"})},
		"SignerClaims":     {jwtauth.SignerClaims(nil)},
		"no object":        {jwtauth.SignerClaims([]int{1})},
		"SignerLifetime(0": {jwtauth.SignerLifetime(0)},
		"whole seconds":    {jwtauth.SignerLifetime(1500 * time.Millisecond)},
		"SignerType":       {jwtauth.SignerType("")},
		"list of options":  {nil},
	} {
		if _, err := jwtauth.NewSigner(key, opts...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: have %v", name, err)
		}
	}
	for _, k := range []*jwtauth.Key{nil, {}, must(jwtauth.NewKey("", "", &private.PublicKey))(t)} {
		if _, err := jwtauth.NewSigner(k); err == nil {
			t.Errorf("%v: want it refused", k)
		}
	}
	signer := must(jwtauth.NewSigner(key, jwtauth.SignerIssuer("a")))(t)
	for _, claims := range []any{map[string]any{"iss": "b"}, map[string]any{"exp": 1}, []int{}, make(chan int), "x"} {
		if token, _, err := signer.Sign(claims); err == nil || token != "" {
			t.Errorf("%v: have %v", claims, err)
		}
	}
}
