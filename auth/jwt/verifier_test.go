package jwtauth_test

import (
	"context"
	"crypto/elliptic"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

func TestATokenTellsWhoCalls(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := i.verifier(jwtauth.Roles("realm_access", "roles"))
	claims := good(`"scope":"read write"`, `"scp":["write","admin"]`, `"tenant":"north"`, `"realm_access":{"roles":["staff"]}`, `"aud":["x","orders"]`)
	p, err := v.Authenticate(t.Context(), call("bearer "+i.token(claims)))
	if err != nil {
		t.Fatal(err)
	}
	if p.Subject != "ann" || p.Issuer != "login" || p.Method != "jwt" || !slices.Equal(p.Roles, []string{"staff"}) {
		t.Errorf("have %+v", p)
	}
	if want := []string{"read", "write", "admin"}; !slices.Equal(want, p.Scopes) {
		t.Errorf("scopes: want %v, have %v", want, p.Scopes)
	}
	if own, ok := auth.ClaimsOf[shop](p); !ok || own.Tenant != "north" {
		t.Errorf("claims: have %+v", p.Claims)
	}
	if left := time.Until(p.Expires); left < time.Minute || left > 90*time.Second {
		t.Errorf("want it to expire after its exp and the leeway, have %v", left)
	}
}

func TestEachAlgorithmVerifiesAndIsNoOther(t *testing.T) {
	t.Parallel()
	rsa, secret := rsaKey(t), []byte(strings.Repeat("s", 64))
	keys := map[jwtauth.Algorithm]any{
		jwtauth.HS256: secret, jwtauth.HS384: secret, jwtauth.HS512: secret,
		jwtauth.RS256: rsa, jwtauth.RS384: rsa, jwtauth.RS512: rsa, jwtauth.PS256: rsa, jwtauth.PS384: rsa, jwtauth.PS512: rsa,
		jwtauth.ES256: ecKey(t, elliptic.P256()), jwtauth.ES384: ecKey(t, elliptic.P384()), jwtauth.ES512: ecKey(t, elliptic.P521()),
		jwtauth.EdDSA: edKey(t),
	}
	tokens := make(map[jwtauth.Algorithm]string)
	for alg, key := range keys {
		signer := must(jwtauth.NewSigner(must(jwtauth.NewKey("k", alg, key))(t)))(t)
		tokens[alg], _, _ = signer.Sign(map[string]any{"iss": "login", "sub": "ann", "aud": "orders"})
	}
	for alg, key := range keys {
		v := must(jwtauth.New[struct{}](must(jwtauth.NewKey("k", alg, key))(t), jwtauth.Issuer("login"), jwtauth.Audience("orders")))(t)
		for of, token := range tokens {
			if _, err := v.Verify(t.Context(), token); (err == nil) != (alg == of) {
				t.Errorf("a key for %s, a token by %s: have %v", alg, of, err)
			}
		}
	}
}

func TestTimesHaveLeeway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t)
		for _, c := range []struct {
			claim string
			opts  []jwtauth.Option
			ok    bool
		}{
			{in("exp", -29*time.Second), nil, true},
			{in("exp", -30*time.Second), nil, false},
			{in("exp", 0), []jwtauth.Option{jwtauth.Leeway(0)}, false},
			{in("exp", time.Second), []jwtauth.Option{jwtauth.Leeway(0)}, true},
			{in("nbf", 30*time.Second), nil, true},
			{in("nbf", 31*time.Second), nil, false},
			{in("iat", 30*time.Second), nil, true},
			{in("iat", 31*time.Second), nil, false},
			{in("iat", -89*time.Second), []jwtauth.Option{jwtauth.MaxAge(time.Minute)}, true},
			{in("iat", -90*time.Second), []jwtauth.Option{jwtauth.MaxAge(time.Minute)}, false},
			{`"x":1`, []jwtauth.Option{jwtauth.MaxAge(time.Minute)}, false},
			{`"exp":null`, nil, false},
			{`"exp":null`, []jwtauth.Option{jwtauth.NoExpiry()}, true},
			{`"exp":1`, []jwtauth.Option{jwtauth.NoExpiry()}, false},
			{`"exp":1e308`, nil, false},
			{`"exp":-1`, nil, false},
			{`"exp":3e11`, nil, false},
			{`"nbf":-1`, nil, false},
			{`"iat":-1`, nil, false},
			{`"exp":"9999999999"`, nil, false},
		} {
			if _, err := i.verifier(c.opts...).Verify(t.Context(), i.token(good(c.claim))); (err == nil) != c.ok {
				t.Errorf("%s: want %v, have %v", c.claim, c.ok, err)
			}
		}
	})
}

func TestClaimsThatOptionsAskFor(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for _, c := range []struct {
		claim string
		opt   jwtauth.Option
		ok    bool
	}{
		{`"x":1`, jwtauth.Require("x"), true},
		{`"x":null`, jwtauth.Require("x"), false},
		{`"X":1`, jwtauth.Require("x"), false},
		{`"sub":""`, jwtauth.Leeway(0), false},
		{`"client_id":"c"`, jwtauth.Subject("client_id"), true},
		{`"client_id":1`, jwtauth.Subject("client_id"), false},
		{`"x":1`, jwtauth.Subject("client_id"), false},
		{`"roles":"one"`, jwtauth.Roles("roles"), true},
		{`"x":1`, jwtauth.Roles("roles"), true},
		{`"roles":{"a":1}`, jwtauth.Roles("roles"), false},
		{`"roles":[1]`, jwtauth.Roles("roles"), false},
		{`"realm":"x"`, jwtauth.Roles("realm", "roles"), false},
		{`"tenant":1`, jwtauth.Leeway(0), false},
		{`"scope":7`, jwtauth.Leeway(0), false},
		{`"x":1`, jwtauth.Type("at+jwt"), false},
		{`"iss":"other"`, jwtauth.Issuer("another"), false},
		{`"iss":"another"`, jwtauth.Issuer("another"), true},
		{`"aud":["a","b"]`, jwtauth.Audience("b"), true},
		{`"aud":[]`, jwtauth.Audience("b"), false},
	} {
		if _, err := i.verifier(c.opt).Verify(t.Context(), i.token(good(c.claim))); (err == nil) != c.ok {
			t.Errorf("%s: want %v, have %v", c.claim, c.ok, err)
		}
	}
	for typ, ok := range map[string]bool{"AT+JWT": true, "application/at+jwt": true, "application/": false, "text/at+jwt": false, "JWT": false} {
		typed := forge(t, jwt.SigningMethodES256, i.private, `{"alg":"ES256","kid":"k1","typ":"`+typ+`"}`, good())
		if _, err := i.verifier(jwtauth.Type("at+jwt")).Verify(t.Context(), typed); (err == nil) != ok {
			t.Errorf("%s: have %v", typ, err)
		}
	}
}

// secretive is a type of claims whose decoding fails with what it was given.
type secretive struct {
	Text   loud      `json:"text"`
	Number int8      `json:"number"`
	Time   time.Time `json:"time"`
}

type loud string

func (loud) UnmarshalText(text []byte) error { return errors.New("have " + string(text)) }

func TestErrorsHaveNoValuesOfClaims(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := must(jwtauth.New[secretive](i.key, jwtauth.Issuer("login"), jwtauth.Audience("orders"), jwtauth.Roles("roles"), jwtauth.Subject("sub2")))(t)
	for _, claim := range []string{
		`"text":"918273"`, `"number":918273`, `"time":"918273"`, `"scope":918273`, `"scope":["a",918273]`, `"exp":"918273"`, `"exp":9182739182731`,
		`"roles":918273`, `"sub2":918273`, `"iss":"918273"`, `"aud":"918273"`, `"iss":918273`,
	} {
		_, err := v.Verify(t.Context(), i.token(good(`"sub2":"ann"`, claim)))
		if err == nil || strings.Contains(err.Error(), "918273") {
			t.Errorf("%s: have %v", claim, err)
		}
	}
}

func TestAnyIssuerAndAnyAudience(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := must(jwtauth.New[map[string]any](i.key, jwtauth.AnyIssuer(), jwtauth.AnyAudience()))(t)
	p, err := v.Verify(t.Context(), i.token(good(`"iss":null`, `"aud":null`)))
	if own, _ := auth.ClaimsOf[map[string]any](p); err != nil || p.Issuer != "" || own["sub"] != "ann" {
		t.Errorf("have %+v, %v", p, err)
	}
}

func TestRevocationIsAskedAndFailsClosed(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	var told jwtauth.Token
	var is bool
	var fails error
	v := i.verifier(jwtauth.Revoked(func(_ context.Context, token jwtauth.Token) (bool, error) {
		told = token
		return is, fails
	}))
	token := i.token(good(`"jti":"t1"`, in("iat", -time.Second)))
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if told.ID != "t1" || told.KeyID != "k1" || told.Subject != "ann" || told.Issuer != "login" || told.IssuedAt.IsZero() || told.Expires.IsZero() {
		t.Errorf("told %+v", told)
	}
	is = true
	if _, err := v.Verify(t.Context(), token); err == nil || errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("revoked: have %v", err)
	}
	is, fails = false, auth.ErrNone
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, auth.ErrUnavailable) || errors.Is(err, auth.ErrNone) {
		t.Errorf("failed: have %v", err)
	}
	told = jwtauth.Token{}
	if _, err := v.Verify(t.Context(), i.token(good(`"jti":"t2"`, `"exp":1`))); err == nil || told.ID != "" {
		t.Errorf("want it not asked about a token that has expired, have %+v, %v", told, err)
	}
}

// keysFunc is a function as Keys.
type keysFunc func(id string) (*jwtauth.Key, error)

func (f keysFunc) Key(_ context.Context, id string) (*jwtauth.Key, error) { return f(id) }

func TestKeysCannotMakeACallOneWithoutAToken(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for _, c := range []struct {
		key         *jwtauth.Key
		err         error
		unavailable bool
	}{{nil, auth.ErrNone, false}, {nil, auth.ErrUnavailable, true}, {nil, nil, false}, {&jwtauth.Key{}, nil, false}} {
		v := must(jwtauth.New[shop](keysFunc(func(string) (*jwtauth.Key, error) { return c.key, c.err }), jwtauth.AnyIssuer(), jwtauth.AnyAudience()))(t)
		_, err := v.Authenticate(t.Context(), call("Bearer "+i.token(good())))
		if err == nil || errors.Is(err, auth.ErrNone) || errors.Is(err, auth.ErrUnavailable) != c.unavailable {
			t.Errorf("%v, %v: have %v", c.key, c.err, err)
		}
	}
}
