package jwtauth_test

import (
	"strings"
	"testing"
	"time"

	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

func TestBadOptionsAreErrorsThatNameThem(t *testing.T) {
	t.Parallel()
	key := newIssuer(t).key
	for name, opt := range map[string]jwtauth.Option{
		"Issuer(":                jwtauth.Issuer(),
		"Issuer([\"\"])":         jwtauth.Issuer(""),
		"Audience(":              jwtauth.Audience("a", ""),
		"AnyIssuer contradict":   jwtauth.AnyIssuer(),
		"AnyAudience contradict": jwtauth.AnyAudience(),
		"Leeway(-1ns)":           jwtauth.Leeway(-1),
		"Leeway(1h0m0s)":         jwtauth.Leeway(time.Hour),
		"MaxAge(0s)":             jwtauth.MaxAge(0),
		"Require(":               jwtauth.Require(),
		"Subject(":               jwtauth.Subject(""),
		"Roles(":                 jwtauth.Roles(),
		"Type(":                  jwtauth.Type(""),
		"Revoked: function 0":    jwtauth.Revoked(nil),
		"CacheTokens(0)":         jwtauth.CacheTokens(0),
		"CacheTokens(99999999)":  jwtauth.CacheTokens(99999999),
		"MaxToken(0)":            jwtauth.MaxToken(0),
		"MaxToken(99999)":        jwtauth.MaxToken(99999),
		"Realm(\"\")":            jwtauth.Realm(""),
		"Realm(\"a\\\"\")":       jwtauth.Realm(`a"`),
		"Realm(\"a\\n\")":        jwtauth.Realm("a\n"),
		"the list of options":    nil,
	} {
		_, err := jwtauth.New[shop](key, jwtauth.Issuer("a"), jwtauth.Audience("b"), opt)
		if err == nil || !strings.HasPrefix(err.Error(), "jwtauth: New: ") || !strings.Contains(strings.ReplaceAll(err.Error(), " and ", " "), strings.TrimSpace(name)) {
			t.Errorf("%s: have %v", name, err)
		}
	}
	if _, err := jwtauth.New[shop](key, jwtauth.Issuer("a"), jwtauth.Audience("b"), jwtauth.Roles("a"), jwtauth.Roles("b")); err == nil {
		t.Error("want Roles refused that is given twice")
	}
}

func TestWhatIsRequired(t *testing.T) {
	t.Parallel()
	key := newIssuer(t).key
	if _, err := jwtauth.New[shop](key, jwtauth.Audience("a")); err == nil {
		t.Error("want Issuer asked for")
	}
	if _, err := jwtauth.New[shop](key, jwtauth.Issuer("a")); err == nil {
		t.Error("want Audience asked for")
	}
	for _, keys := range []jwtauth.Keys{nil, (*jwtauth.Key)(nil), &jwtauth.Key{}} {
		if _, err := jwtauth.New[shop](keys, jwtauth.Issuer("a"), jwtauth.Audience("b")); err == nil {
			t.Errorf("%T: want it refused", keys)
		}
	}
}

func TestZeroValuesRefuse(t *testing.T) {
	t.Parallel()
	for _, v := range []*jwtauth.Verifier[shop]{nil, {}} {
		if _, err := v.Authenticate(t.Context(), call("Bearer a.b.c")); err == nil {
			t.Error("Authenticate: want an error")
		}
		if _, err := v.Verify(t.Context(), "a.b.c"); err == nil {
			t.Error("Verify: want an error")
		}
	}
	for _, s := range []*jwtauth.Signer{nil, {}} {
		if _, _, err := s.Sign(nil); err == nil {
			t.Error("Sign: want an error")
		}
		if _, err := s.Credential(t.Context()); err == nil {
			t.Error("Credential: want an error")
		}
	}
	for _, k := range []*jwtauth.Key{nil, {}} {
		if _, err := k.Key(t.Context(), ""); err == nil {
			t.Error("Key: want an error")
		}
	}
}
