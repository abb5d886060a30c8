package jwtauth_test

import (
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

const es256 = `{"alg":"ES256","kid":"k1"}`

func TestAttacksOnTheTokenAreRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	forged := func(header, claims string) []string {
		return []string{"Bearer " + forge(t, jwt.SigningMethodES256, i.private, header, claims)}
	}
	token := i.token(good())
	body, signature := token[:strings.LastIndexByte(token, '.')], token[strings.LastIndexByte(token, '.')+1:]
	deep := strings.Repeat("[", 3000) + strings.Repeat("]", 3000)
	attacks := map[string][]string{
		"none":             {"Bearer " + encoded(`{"alg":"none","kid":"k1"}`) + "." + encoded(good()) + "."},
		"None, signed":     forged(`{"alg":"None","kid":"k1"}`, good()),
		"no alg":           forged(`{"kid":"k1"}`, good()),
		"alg in lower":     forged(`{"alg":"es256","kid":"k1"}`, good()),
		"alg twice":        forged(`{"alg":"none","alg":"ES256","kid":"k1"}`, good()),
		"no signature":     {"Bearer " + body + "."},
		"another's claims": {"Bearer " + encoded(es256) + "." + encoded(good(`"sub":"root"`)) + "." + signature},
		"another's key":    {"Bearer " + forge(t, jwt.SigningMethodES256, ecKey(t, elliptic.P256()), es256, good())},
		"no kid":           forged(`{"alg":"ES256"}`, good()),
		"wrong kid":        forged(`{"alg":"ES256","kid":"k2"}`, good()),
		"kid is a path":    forged(`{"alg":"ES256","kid":"../../../../dev/null"}`, good()),
		"kid is SQL":       forged(`{"alg":"ES256","kid":"k1' OR '1'='1"}`, good()),
		"kid with NUL":     forged(`{"alg":"ES256","kid":"k1\u0000"}`, good()),
		"kid is long":      forged(`{"alg":"ES256","kid":"`+strings.Repeat("k", 257)+`"}`, good()),
		"kid is a number":  forged(`{"alg":"ES256","kid":1}`, good()),
		"crit":             forged(`{"alg":"ES256","kid":"k1","crit":["b64"],"b64":false}`, good()),
		"crit is null":     forged(`{"alg":"ES256","kid":"k1","crit":null}`, good()),
		"crit is empty":    forged(`{"alg":"ES256","kid":"k1","crit":[]}`, good()),
		"deep header":      forged(`{"alg":"ES256","kid":"k1","x":`+deep[2000:4000]+`}`, good()),
		"header too deep":  forged(`{"alg":"ES256","kid":"k1","x":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+`}`, good()),
		"deep claims":      forged(es256, good(`"x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000))),
		"header is null":   forged(`null`, good()),
		"header is a list": forged(`[]`, good()),
		"claims are null":  forged(es256, `null`),
		"claims are empty": forged(es256, ``),
		"claims and more":  forged(es256, good()+`{}`),
		"not UTF-8":        forged(es256, good("\"x\":\"\xff\"")),
		"sub twice":        forged(es256, strings.Replace(good(), `"sub"`, `"sub":"root","sub"`, 1)),
		"twice within":     forged(es256, good(`"x":{"a":1,"a":2}`)),
		"exp twice":        forged(es256, good(in("exp", -time.Hour), `"x":1,`+in("exp", time.Hour))),
		"EXP":              forged(es256, good(`"exp":null`, `"EXP":9999999999`)),
		"expired":          forged(es256, good(in("exp", -time.Minute))),
		"not yet valid":    forged(es256, good(in("nbf", time.Minute))),
		"from the future":  forged(es256, good(in("iat", time.Minute))),
		"wrong audience":   forged(es256, good(`"aud":"payments"`)),
		"part of audience": forged(es256, good(`"aud":"orders payments"`)),
		"no audience":      forged(es256, good(`"aud":null`)),
		"wrong issuer":     forged(es256, good(`"iss":"login/"`)),
		"twice":            {"Bearer " + token, "Bearer " + token},
		"two in one":       {"Bearer " + token + ", Bearer " + token},
		"oversized":        forged(es256, good(`"x":"`+strings.Repeat("x", 8<<10)+`"`)),
		"huge":             {"Bearer " + strings.Repeat("x", 1<<20)},
		"only dots":        {"Bearer " + strings.Repeat(".", 8000)},
		"two parts":        {"Bearer " + body},
		"four parts":       {"Bearer " + token + "."},
		"five, as in JWE":  {"Bearer " + token + ".a.b"},
		"garbage":          {"Bearer !!!.???.###"},
		"empty parts":      {"Bearer .."},
		"padded":           {"Bearer " + token + "=="},
		"standard base64":  {"Bearer " + body + "." + strings.Repeat("+/", 43)},
		"space inside":     {"Bearer " + body + " ." + signature},
		"no token":         {"Bearer "},
		"line break":       {"Bearer " + body + ".\n" + signature},
	}
	other := must(jwtauth.NewKey("k9", "", ecKey(t, elliptic.P256())))(t)
	keys := must(jwtauth.Set(other, i.key))(t)
	v := must(jwtauth.New[shop](keys, jwtauth.Issuer("login"), jwtauth.Audience("orders"), jwtauth.Realm("shop")))(t)
	if _, err := v.Authenticate(t.Context(), call("Bearer "+token)); err != nil {
		t.Fatal(err)
	}
	for name, values := range attacks {
		code, challenge, text := refusal(t, auth.Optional(auth.AnyOf(v, nobodyElse(t))), values)
		if code != status.Unauthenticated || !slices.Equal(challenge, []string{`Bearer realm="shop", error="invalid_token"`}) {
			t.Errorf("%s: have %v, %q", name, code, challenge)
		}
		if text != "the credentials are not valid" {
			t.Errorf("%s: the caller is told %q", name, text)
		}
	}
}

// nobodyElse fails the test when it is asked.
func nobodyElse(t *testing.T) auth.Authenticator {
	t.Helper()
	return auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) {
		t.Error("a bad token is made up for by other credentials")
		return nil, auth.ErrNone
	})
}

// refusal returns what a caller sees of an error.
func refusal(t *testing.T, a auth.Authenticator, values []string) (code status.Code, challenge []string, text string) {
	t.Helper()
	info := call(values...)
	info.Response = transport.HeaderMap{}
	ctx, served := transport.NewServerContext(t.Context(), *info)
	handler := auth.Middleware(a)(endpoint.Spec{Service: "S", Method: "M", Side: endpoint.Server}, func(context.Context, any) (any, error) {
		t.Error("the call went through")
		return struct{}{}, nil
	})
	_, err := handler(ctx, nil)
	if s, ok := errors.AsType[*status.Error](err); ok {
		text = s.Message
	}
	return status.CodeOf(err), served.Response.Values("WWW-Authenticate"), text
}

func TestTheHMACOfAPublicKeyIsNoSignature(t *testing.T) {
	t.Parallel()
	private := rsaKey(t)
	der := must(x509.MarshalPKIXPublicKey(&private.PublicKey))(t)
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	v := must(jwtauth.New[shop](must(jwtauth.NewKey("k1", "", &private.PublicKey))(t), jwtauth.Issuer("login"), jwtauth.Audience("orders")))(t)
	for _, secret := range [][]byte{text, der, x509.MarshalPKCS1PublicKey(&private.PublicKey), []byte(strings.TrimSpace(string(text)))} {
		for _, alg := range []string{"HS256", "RS256"} {
			token := forge(t, jwt.SigningMethodHS256, secret, `{"alg":"`+alg+`","kid":"k1"}`, good())
			if p, err := v.Verify(t.Context(), token); err == nil {
				t.Errorf("%s: have %v", alg, p)
			}
		}
	}
	if _, err := jwtauth.NewKey("k1", jwtauth.HS256, text); err == nil {
		t.Error("want a PEM file refused as a secret")
	}
	if _, err := jwtauth.NewKey("k1", jwtauth.HS256, &private.PublicKey); err == nil {
		t.Error("want a public key refused as a secret")
	}
}

func TestACallWithoutATokenIsToldWhatIsMissing(t *testing.T) {
	t.Parallel()
	v := newIssuer(t).verifier()
	for _, values := range [][]string{nil, {"Basic YTpi"}} {
		code, challenge, _ := refusal(t, v, values)
		if code != status.Unauthenticated || !slices.Equal(challenge, []string{`Bearer realm="api"`}) {
			t.Errorf("%q: have %v, %q", values, code, challenge)
		}
	}
}

func TestATokenHasOneForm(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v, token := i.verifier(), i.token(good())
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1 // it has two bits of the signature, and four that are zero
	for name, other := range map[string]string{
		"bits after the end": token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])+1]),
		"line feed":          token + "\n",
		"line feed within":   token[:last] + "\n" + token[last:],
		"carriage return":    "\r" + token,
		"padding":            token + "==",
	} {
		if p, err := v.Verify(t.Context(), other); err == nil {
			t.Errorf("%s: have %v", name, p)
		}
	}
}

func TestKeysAreNotAskedForWhatIsNoID(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	var asked []string
	keys := keysFunc(func(id string) (*jwtauth.Key, error) {
		asked = append(asked, id)
		return i.key, nil
	})
	v := must(jwtauth.New[shop](keys, jwtauth.Issuer("login"), jwtauth.Audience("orders")))(t)
	for _, id := range []string{strings.Repeat("k", 257), `k\u0000`, `k\n`, "schl\u00fcssel"} {
		token := forge(t, jwt.SigningMethodES256, i.private, `{"alg":"ES256","kid":"`+id+`"}`, good())
		if p, err := v.Verify(t.Context(), token); err == nil {
			t.Errorf("%q: have %v", id, p)
		}
	}
	if len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
}

func TestAKeyWithAnIDIsForItsTokensOnly(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for _, header := range []string{`{"alg":"ES256"}`, `{"alg":"ES256","kid":"k2"}`} {
		if p, err := i.verifier().Verify(t.Context(), forge(t, jwt.SigningMethodES256, i.private, header, good())); err == nil {
			t.Errorf("%s: have %v", header, p)
		}
	}
}
