package jwtauth_test

import (
	"context"
	"crypto/elliptic"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

// same reports whether a token is looked up: then its Principal is the one that it had before.
func same(t *testing.T, v *jwtauth.Verifier[struct{}], token string, before *auth.Principal) bool {
	t.Helper()
	return must(v.Verify(t.Context(), token))(t) == before
}

func TestATokenIsVerifiedOnce(t *testing.T) {
	t.Parallel()
	key, signer := signing(t, "k1")
	one, two := signed(t, signer), signed(t, signer)
	v := verifierOf(t, key, jwtauth.CacheTokens(10))
	first := must(v.Verify(t.Context(), one))(t)
	if !same(t, v, one, first) || same(t, v, two, first) {
		t.Error("want a token looked up by itself, and no other")
	}
	if plain := verifierOf(t, key); same(t, plain, one, must(plain.Verify(t.Context(), one))(t)) {
		t.Error("want nothing remembered without the option")
	}
	for _, other := range []string{one[:len(one)-4] + "AAAA", one + "A", one[:len(one)-1], "x" + one, "", strings.Repeat("x", 1<<20)} {
		if p, err := v.Verify(t.Context(), other); err == nil {
			t.Errorf("have %v", p)
		}
	}
}

func TestWhatIsRememberedEndsWithTheToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, signer := signing(t, "k1")
		for limit, opt := range map[time.Duration]jwtauth.Option{5 * time.Minute: jwtauth.Leeway(0), time.Minute + 30*time.Second: jwtauth.MaxAge(time.Minute)} {
			v := verifierOf(t, key, jwtauth.CacheTokens(10), opt)
			token := signed(t, signer)
			first := must(v.Verify(t.Context(), token))(t)
			time.Sleep(limit - time.Second)
			if !same(t, v, token, first) {
				t.Errorf("%v: want it looked up until its end", limit)
			}
			time.Sleep(time.Second)
			if p, err := v.Verify(t.Context(), token); err == nil {
				t.Errorf("%v: have %v after its end", limit, p)
			}
		}
	})
}

func TestWhatIsRememberedEndsWithTheKey(t *testing.T) {
	t.Parallel()
	key, signer := signing(t, "k1")
	other := must(jwtauth.NewKey("k1", "", ecKey(t, elliptic.P256())))(t)
	token := signed(t, signer)
	answer, fails := key, error(nil)
	v := verifierOf(t, keysFunc(func(string) (*jwtauth.Key, error) { return answer, fails }), jwtauth.CacheTokens(10))
	first := must(v.Verify(t.Context(), token))(t)
	for name, set := range map[string]func(){
		"another key": func() { answer, fails = other, nil },
		"no key":      func() { answer, fails = nil, errors.New("gone") },
		"neither":     func() { answer, fails = nil, nil },
		"zero":        func() { answer, fails = &jwtauth.Key{}, nil },
		"with error":  func() { answer, fails = key, auth.ErrUnavailable },
	} {
		set()
		if p, err := v.Verify(t.Context(), token); err == nil {
			t.Errorf("%s: have %v", name, p)
		}
	}
	if answer, fails = key, nil; !same(t, v, token, first) {
		t.Error("want it looked up again")
	}
}

func TestARememberedTokenStandsWhenKeysAreFetchedAgain(t *testing.T) {
	t.Parallel()
	key, signer := signing(t, "k1")
	replaced, _ := signing(t, "k1")
	server := newLoginServer(t, published(t, key))
	j := server.keys(t, jwtauth.JWKSPause(time.Millisecond))
	v := verifierOf(t, j, jwtauth.CacheTokens(10))
	token := signed(t, signer)
	first := must(v.Verify(t.Context(), token))(t)
	eventually(t, func() bool {
		_, err := j.Key(t.Context(), "another")
		return err != nil && server.asked.Load() > 3
	})
	if !same(t, v, token, first) {
		t.Error("want it looked up as long as the key is the same")
	}
	server.answer(published(t, replaced))
	eventually(t, func() bool {
		_, _ = j.Key(t.Context(), "another")
		_, err := v.Verify(t.Context(), token)
		return err != nil
	})
}

func TestRememberedTokensAreRevoked(t *testing.T) {
	t.Parallel()
	key, signer := signing(t, "k1")
	var asked []string
	var is bool
	v := verifierOf(t, key, jwtauth.CacheTokens(10), jwtauth.Revoked(func(_ context.Context, token jwtauth.Token) (bool, error) {
		asked = append(asked, token.ID+token.KeyID+token.Subject)
		return is, nil
	}))
	token := signed(t, signer)
	first := must(v.Verify(t.Context(), token))(t)
	if !same(t, v, token, first) || len(asked) != 2 || asked[0] != asked[1] || len(asked[0]) < 20 {
		t.Errorf("asked %q", asked)
	}
	is = true
	if _, err := v.Verify(t.Context(), token); err == nil {
		t.Error("want it refused")
	}
	is = false
	if !same(t, v, token, first) {
		t.Error("want it taken again")
	}
}

func TestRefusedTokensAreNotRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t)
		v := verifierOf(t, i.key, jwtauth.CacheTokens(1))
		early := i.token(good(in("nbf", 40*time.Second)))
		if p, err := v.Verify(t.Context(), early); err == nil {
			t.Errorf("have %v", p)
		}
		kept := i.token(good())
		first := must(v.Verify(t.Context(), kept))(t)
		for n := range 1000 { // which displace nobody
			if p, err := v.Verify(t.Context(), forge(t, jwt.SigningMethodHS256, []byte("x"), `{"alg":"HS256","kid":"k1"}`, fmt.Sprint(n))); err == nil {
				t.Errorf("have %v", p)
			}
		}
		if !same(t, v, kept, first) {
			t.Error("bad tokens displace good ones")
		}
		time.Sleep(15 * time.Second)
		if _, err := v.Verify(t.Context(), early); err != nil {
			t.Errorf("want it taken when its time has come, have %v", err)
		}
	})
}

func TestNoMoreTokensAreRemembered(t *testing.T) {
	t.Parallel()
	key, signer := signing(t, "k1")
	v := verifierOf(t, key, jwtauth.CacheTokens(10))
	var tokens []string
	var principals []*auth.Principal
	var work sync.WaitGroup
	for range 200 {
		token := signed(t, signer)
		tokens, principals = append(tokens, token), append(principals, must(v.Verify(t.Context(), token))(t))
		work.Go(func() { _, _ = v.Verify(t.Context(), token) })
	}
	work.Wait()
	remembered := 0
	for n, token := range slices.Backward(tokens) { // the last ones first, so that they are not displaced by this
		if same(t, v, token, principals[n]) {
			remembered++
		}
	}
	if remembered > 15 {
		t.Errorf("%d are remembered", remembered)
	}
}

// TestWhatIsOverMakesRoom holds that tokens that have expired go before others, though they were used last.
func TestWhatIsOverMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, long := signing(t, "k1")
		short := must(jwtauth.NewSigner(key, jwtauth.SignerIssuer("login"), jwtauth.SignerAudience("orders"), jwtauth.SignerSubject("ann"),
			jwtauth.SignerLifetime(time.Second)))(t)
		v := verifierOf(t, key, jwtauth.CacheTokens(10), jwtauth.Leeway(0))
		tokens := make(map[string]*auth.Principal)
		add := func(s *jwtauth.Signer) string {
			token := signed(t, s)
			tokens[token] = must(v.Verify(t.Context(), token))(t)
			return token
		}
		var kept []string
		for range 5 {
			kept = append(kept, add(long))
		}
		for range 5 {
			token := add(short)
			_ = same(t, v, token, tokens[token])
		}
		time.Sleep(2 * time.Second)
		for range 5 {
			kept = append(kept, add(long))
		}
		for _, token := range kept {
			if !same(t, v, token, tokens[token]) {
				t.Error("a good token is displaced while there are some that have expired")
			}
		}
	})
}
