package oauth2auth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
	"github.com/ashlar-go/ashlar/status"
)

func TestWhoATokenIsOf(t *testing.T) {
	t.Parallel()
	s := startSmall(t)
	key := s.addKey(t, "k1")
	v := verifier(t, s, oauth2auth.Roles("realm_access", "roles"), oauth2auth.Subject("client_id"), oauth2auth.VerifierType("at+jwt"), oauth2auth.Scopes("read"))
	token := sign(t, jose.ES256, key, "k1", s.claims(`"client_id":"cart"`, `"scope":"read write"`, `"realm_access":{"roles":["staff"]}`), "typ", "AT+JWT")
	p := must(v.Authenticate(t.Context(), call("Bearer "+token)))(t)
	if p.String() != "cart@"+s.URL || !p.HasRole("staff") || !p.HasScope("write") || p.Method != oauth2auth.MethodOIDC {
		t.Errorf("have %+v", p)
	}
	if left := time.Until(p.Expires); left < time.Minute+20*time.Second || left > time.Minute+oauth2auth.DefaultLeeway {
		t.Errorf("want the leeway in it, have %v", left)
	}
	if claims, ok := auth.ClaimsOf[all](p); !ok || claims["sub"] != "ann" {
		t.Errorf("have %v", p.Claims)
	}
	plain := sign(t, jose.ES256, key, "k1", s.claims(`"client_id":"cart"`, `"scope":"read write"`))
	if p, err := v.Verify(t.Context(), plain); err == nil {
		t.Errorf("want another typ refused, have %v", p)
	}
}

func TestAttacksOnTokensAreRefused(t *testing.T) {
	t.Parallel()
	s := startSmall(t)
	key, weak, curve := s.addKey(t, "k1"), must(rsa.GenerateKey(rand.Reader, 1024))(t), must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))(t)
	strong := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	secret := []byte("0123456789abcdef0123456789abcdef")
	s.keys = append(s.keys, jose.JSONWebKey{Key: weak.Public(), KeyID: "weak"}, jose.JSONWebKey{Key: secret, KeyID: "secret"},
		jose.JSONWebKey{Key: curve.Public(), KeyID: "enc", Use: "enc"}, jose.JSONWebKey{Key: strong.Public(), KeyID: "rsa", Algorithm: "RS256"})
	good := func(others ...string) string { return sign(t, jose.ES256, key, "k1", s.claims(others...)) }
	token := good()
	last := strings.LastIndexByte(token, '.')
	der := must(x509.MarshalPKIXPublicKey(key.Public()))(t)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	attacks := map[string]string{
		"none":             encoded(`{"alg":"none","kid":"k1"}`) + "." + encoded(s.claims()) + ".",
		"None":             encoded(`{"alg":"None","kid":"k1"}`) + token[strings.IndexByte(token, '.'):],
		"no alg":           encoded(`{"kid":"k1"}`) + token[strings.IndexByte(token, '.'):],
		"HS by the key":    sign(t, jose.HS256, der, "k1", s.claims()),
		"HS by a secret":   sign(t, jose.HS256, secret, "secret", s.claims()),
		"another's key":    sign(t, jose.ES256, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t), "k1", s.claims()),
		"its own key":      sign(t, jose.ES256, key, "k2", s.claims(), "jwk", jose.JSONWebKey{Key: key.Public()}),
		"jku":              sign(t, jose.ES256, key, "k2", s.claims(), "jku", s.URL+"/keys"),
		"kid is a path":    sign(t, jose.ES256, key, "../../k1", s.claims()),
		"kid is long":      sign(t, jose.ES256, key, strings.Repeat("k", 257), s.claims()),
		"weak key":         sign(t, jose.RS256, weak, "weak", s.claims()),
		"key for secrecy":  sign(t, jose.ES384, curve, "enc", s.claims()),
		"PS by an RS key":  sign(t, jose.PS256, strong, "rsa", s.claims()),
		"crit":             sign(t, jose.ES256, key, "k1", s.claims(), "crit", []string{"b64"}, "b64", true),
		"no signature":     token[:last+1],
		"another's claims": token[:strings.IndexByte(token, '.')+1] + encoded(s.claims(`"sub":"root"`)) + token[last:],
		"wrong audience":   good(`"aud":"payments"`),
		"no audience":      good(`"aud":`),
		"wrong issuer":     good(`"iss":"` + s.URL + `/"`),
		"no issuer":        good(`"iss":`),
		"no exp":           good(`"exp":`),
		"exp is null":      good(`"exp":null`),
		"expired":          good(in("exp", -time.Minute)),
		"not yet valid":    good(in("nbf", time.Minute)),
		"from the future":  good(in("iat", time.Minute)),
		"no subject":       good(`"sub":""`),
		"bound to a key":   good(`"cnf":{"jkt":"abc"}`),
		"sub twice":        good(`"x":1,"sub":"root"`),
		"EXP":              good(`"exp":null`, `"EXP":9999999999`),
		"deep":             good(`"x":` + deep),
		"claims are null":  sign(t, jose.ES256, key, "k1", `null`),
		"claims are text":  sign(t, jose.ES256, key, "k1", `abc`),
		"oversized":        good(`"x":"` + strings.Repeat("x", oauth2auth.DefaultMaxToken) + `"`),
		"two parts":        token[:last],
		"four parts":       token + ".",
		"only dots":        strings.Repeat(".", 8000),
		"padded":           token + "==",
		"garbage":          "!!!.???.###",
		"JSON":             `{"payload":"` + encoded(s.claims()) + `","signatures":[]}`,
		"header twice":     encoded(`{"alg":"none","alg":"ES256","kid":"k1"}`) + token[strings.IndexByte(token, '.'):],
		"header is deep":   encoded(`{"alg":"ES256","kid":"k1","x":`+deep+`}`) + token[strings.IndexByte(token, '.'):],
		"header is a list": encoded(`[]`) + token[strings.IndexByte(token, '.'):],
	}
	v := verifier(t, s, oauth2auth.Realm("shop"))
	must(v.Authenticate(t.Context(), call("Bearer "+token)))(t)
	for name, attack := range attacks {
		code, challenge, text, log := refusal(t, auth.Optional(auth.AnyOf(v, nobodyElse(t))), []string{"Bearer " + attack})
		if code != status.Unauthenticated || !slices.Equal(challenge, []string{`Bearer realm="shop", error="invalid_token"`}) {
			t.Errorf("%s: have %v, %q: %s", name, code, challenge, log)
		}
		if text != "the credentials are not valid" || len(log) > 1000 {
			t.Errorf("%s: the caller is told %q, the log %q", name, text, log)
		}
	}
	code, challenge, _, _ := refusal(t, v, nil)
	if code != status.Unauthenticated || !slices.Equal(challenge, []string{`Bearer realm="shop"`}) {
		t.Errorf("none: have %v, %q", code, challenge)
	}
}

func TestATokenHasOneForm(t *testing.T) {
	t.Parallel()
	s := startSmall(t)
	token := sign(t, jose.ES256, s.addKey(t, "k1"), "k1", s.claims())
	v := verifier(t, s)
	must(v.Verify(t.Context(), token))(t)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1 // it has two bits of the signature, and four that are zero
	for name, other := range map[string]string{
		"bits after the end": token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])+1]),
		"line feed":          token + "\n",
		"line feed within":   token[:last] + "\n" + token[last:],
		"carriage return":    "\r" + token,
		"padding":            token + "==",
		"space":              " " + token,
	} {
		if p, err := v.Verify(t.Context(), other); err == nil {
			t.Errorf("%s: have %v", name, p)
		}
	}
}

func TestAllAlgorithmsOfPublicKeys(t *testing.T) {
	t.Parallel()
	s := startSmall(t)
	large := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	keys := map[string]any{"rsa": large, "ed": must(edwards, err)(t)}
	for name, curve := range map[string]elliptic.Curve{"256": elliptic.P256(), "384": elliptic.P384(), "521": elliptic.P521()} {
		keys[name] = must(ecdsa.GenerateKey(curve, rand.Reader))(t)
	}
	for id, key := range keys {
		public := jose.JSONWebKey{Key: key}
		public = public.Public()
		public.KeyID = id
		s.keys = append(s.keys, public)
	}
	v := verifier(t, s)
	for alg, id := range map[jose.SignatureAlgorithm]string{
		jose.RS256: "rsa", jose.RS384: "rsa", jose.RS512: "rsa", jose.PS256: "rsa", jose.PS384: "rsa", jose.PS512: "rsa",
		jose.ES256: "256", jose.ES384: "384", jose.ES512: "521", jose.EdDSA: "ed",
	} {
		must(v.Verify(t.Context(), sign(t, alg, keys[id], id, s.claims())))(t)
		if alg != jose.RS256 && id != "rsa" { // the only key for it needs no name
			must(v.Verify(t.Context(), sign(t, alg, keys[id], "", s.claims())))(t)
		}
	}
	second := s.addKey(t, "another")
	fresh := verifier(t, s)
	if p, err := fresh.Verify(t.Context(), sign(t, jose.ES256, second, "", s.claims())); err == nil {
		t.Errorf("want a token refused that does not say by which of two keys, have %v", p)
	}
}

func TestProvidersThatAreWrongAreUnavailable(t *testing.T) {
	t.Parallel()
	const configuration = "/.well-known/openid-configuration"
	text := func(said string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, said) }
	}
	huge := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(bytes.Repeat([]byte(" "), 64<<10))
		}
	}
	const key = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, spoil := range map[string]func(s *small){
		"another issuer":   func(s *small) { s.metadata["issuer"] = "https://evil.example" },
		"issuer and slash": func(s *small) { s.metadata["issuer"] = s.URL + "/" },
		"no issuer":        func(s *small) { s.metadata["issuer"] = nil },
		"no keys":          func(s *small) { s.metadata["jwks_uri"] = nil },
		"keys by http":     func(s *small) { s.metadata["jwks_uri"] = "http://evil.example/keys" },
		"keys by file":     func(s *small) { s.metadata["jwks_uri"] = "file:///etc/passwd" },
		"tokens by http":   func(s *small) { s.metadata["token_endpoint"] = "http://evil.example/token" },
		"login by http":    func(s *small) { s.metadata["authorization_endpoint"] = "http://evil.example/login" },
		"garbage":          func(s *small) { s.answers[configuration] = text(`}{`) },
		"deep":             func(s *small) { s.answers[configuration] = text(strings.Repeat(`{"a":`, 20_000)) },
		"huge":             func(s *small) { s.answers[configuration] = huge },
		"slow":             func(s *small) { s.answers[configuration] = slow },
		"500": func(s *small) {
			s.answers[configuration] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
		},
		"redirect": func(s *small) {
			s.answers[configuration] = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, s.URL+"/elsewhere/.well-known/openid-configuration", http.StatusFound)
			}
			s.answers["/elsewhere"+configuration] = text(`{"issuer":"` + s.URL + `","jwks_uri":"` + s.URL + `/keys"}`)
		},
		"keys are garbage": func(s *small) { s.answers["/keys"] = text(`}{`) },
		"keys are none":    func(s *small) { s.answers["/keys"] = text(`{"keys":[]}`) },
		"keys are secrets": func(s *small) {
			s.answers["/keys"] = text(`{"keys":[{"kty":"oct","kid":"k1","k":"MDEyMzQ1Njc4OWFiY2RlZg"}]}`)
		},
		"keys are many": func(s *small) { s.answers["/keys"] = text(`{"keys":[` + strings.Repeat(key+",", 64) + key + `]}`) },
		"keys are deep": func(s *small) {
			s.answers["/keys"] = text(`{"keys":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`)
		},
		"keys are huge": func(s *small) { s.answers["/keys"] = huge },
		"keys are slow": func(s *small) { s.answers["/keys"] = slow },
		"keys elsewhere": func(s *small) {
			s.answers["/keys"] = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, s.URL+"/other", http.StatusFound) }
		},
		"keys are gone": func(s *small) { s.answers["/keys"] = http.NotFound },
		"keys with 500": func(s *small) {
			keys := s.keys
			s.answers["/keys"] = func(w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, http.StatusInternalServerError, string(must(json.Marshal(jose.JSONWebKeySet{Keys: keys}))(t)))
			}
		},
	} {
		s := startSmall(t)
		token := sign(t, jose.ES256, s.addKey(t, "k1"), "k1", s.claims())
		s.set(func() { spoil(s) })
		p := provider(t, s.URL, oauth2auth.Timeout(250*time.Millisecond), oauth2auth.ProviderPause(250*time.Millisecond))
		if err := p.Discover(t.Context()); !errors.Is(err, auth.ErrUnavailable) || len(err.Error()) > 1000 {
			t.Errorf("%s: want ErrUnavailable, have %v", name, err)
		}
		v := must(oauth2auth.NewVerifier[all](p, oauth2auth.Audience("orders")))(t)
		code, _, said, log := refusal(t, auth.Optional(v), []string{"Bearer " + token})
		if code != status.Unavailable || said != "the credentials cannot be checked now" {
			t.Errorf("%s: have %v, %q: %s", name, code, said, log)
		}
	}
}

func TestATypeMayHaveApplicationBeforeIt(t *testing.T) {
	t.Parallel()
	s := startSmall(t)
	key := s.addKey(t, "k1")
	for _, want := range []string{"at+jwt", "application/at+jwt"} {
		v := verifier(t, s, oauth2auth.VerifierType(want))
		for typ, good := range map[string]bool{
			"at+jwt": true, "application/at+jwt": true, "Application/AT+JWT": true,
			"JWT": false, "": false, "application/": false, "text/at+jwt": false, "application/application/at+jwt": false,
		} {
			p, err := v.Verify(t.Context(), sign(t, jose.ES256, key, "k1", s.claims(), "typ", typ))
			if (err == nil) != good {
				t.Errorf("%s for %s: have %v, %v", typ, want, p, err)
			}
		}
	}
}
