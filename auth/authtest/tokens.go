package authtest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/ashlar-go/ashlar/auth"
)

// Tokens forges JSON Web Tokens for an Authenticator that takes those of an issuer.
type Tokens struct {
	// Key is that of the issuer: *rsa.PrivateKey, *ecdsa.PrivateKey on P-256 or ed25519.PrivateKey, for RS256, ES256 or EdDSA.
	Key crypto.Signer
	// KeyID is its kid.
	KeyID string
	// Issuer and Audience are the iss and one aud that are taken.
	Issuer, Audience string
}

// claims and header fields of a token.
type members map[string]any

// Source returns one that gives out a good token each time, of the Subject "ann", for ten minutes.
func (t Tokens) Source() auth.Source {
	return auth.SourceFunc(func(context.Context) (auth.Credential, error) {
		f, err := t.forger()
		if err != nil {
			return auth.Credential{}, err
		}
		return auth.Credential{Value: "Bearer " + f.token(nil, nil)}, nil
	})
}

// Attacks returns those that are known: of the algorithm, of the key, of the claims and of the form. A leeway of five minutes may be
// given to clocks.
func (t Tokens) Attacks() ([]Attack, error) {
	f, err := t.forger()
	if err != nil {
		return nil, err
	}
	var attacks []Attack
	for _, tokens := range []map[string]string{f.algorithms(), f.keys(), f.times(), f.names(), f.forms()} {
		for name, token := range tokens {
			attacks = append(attacks, Attack{Name: "token: " + name, Header: field("Authorization", "Bearer "+token)})
		}
	}
	return attacks, nil
}

// forger makes tokens.
type forger struct {
	Tokens

	method jwt.SigningMethod
	public []byte        // the public half as PKIX
	other  crypto.Signer // a key of the same kind that nobody knows
}

func (t Tokens) forger() (*forger, error) {
	f := &forger{Tokens: t}
	var err error
	switch t.Key.(type) {
	case *rsa.PrivateKey:
		f.method = jwt.SigningMethodRS256
		f.other, err = rsa.GenerateKey(rand.Reader, 2048) //nolint:mnd // the least that is taken
	case *ecdsa.PrivateKey:
		f.method = jwt.SigningMethodES256
		f.other, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ed25519.PrivateKey:
		f.method = jwt.SigningMethodEdDSA
		_, f.other, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("the Key is a %T", t.Key)
	}
	if err == nil {
		f.public, err = x509.MarshalPKIXPublicKey(t.Key.Public())
	}
	if err == nil { // else the forgeries would fail for another reason than the one that they are made for
		_, err = f.method.Sign("", t.Key)
	}
	if err != nil {
		return nil, fmt.Errorf("authtest: Tokens: %w", err)
	}
	return f, nil
}

// token returns one with the header fields and claims of a good token, changed by these; those that are nil are left out.
func (f *forger) token(header, claims members) string {
	return f.by(f.method, f.Key, f.header(header), f.claims(claims))
}

func (f *forger) header(changed members) string {
	return text(members{"typ": "JWT", "alg": f.method.Alg(), "kid": f.KeyID}, changed)
}

func (f *forger) claims(changed members) string {
	now := time.Now()
	return text(members{
		"iss": f.Issuer, "aud": f.Audience, "sub": "ann", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}, changed)
}

func text(all, changed members) string {
	maps.Copy(all, changed)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // they are of this file
	}
	return string(b)
}

// by returns a token of this header and these claims.
func (*forger) by(method jwt.SigningMethod, key any, header, claims string) string {
	signed := encoded(header) + "." + encoded(claims)
	signature, err := method.Sign(signed, key)
	if err != nil {
		panic(err) // the keys were tried by forger
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encoded(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// algorithms have the token choose what it is verified with.
func (f *forger) algorithms() map[string]string {
	tokens := map[string]string{
		"no alg":            f.token(members{"alg": nil}, nil),
		"alg is a number":   f.token(members{"alg": 1}, nil),
		"another alg":       f.token(members{"alg": "PS384"}, nil),
		"alg of encryption": f.token(members{"alg": "RSA-OAEP", "enc": "A256GCM"}, nil),
	}
	for _, none := range []string{"none", "None", "NONE", "nOnE", ""} {
		unsigned := encoded(f.header(members{"alg": none})) + "." + encoded(f.claims(nil)) + "."
		tokens["alg "+none] = unsigned
		tokens["alg "+none+", signed"] = f.token(members{"alg": none}, nil)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: f.public})
	secrets := map[string][]byte{
		"PEM": block, "PEM without a line feed": []byte(strings.TrimSpace(string(block))), "DER": f.public,
		"nothing": {}, "secret": []byte("secret"),
	}
	if key, ok := f.Key.Public().(*rsa.PublicKey); ok {
		secrets["PKCS 1"] = x509.MarshalPKCS1PublicKey(key)
		secrets["PKCS 1 as PEM"] = pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: secrets["PKCS 1"]})
	}
	for name, secret := range secrets {
		for _, alg := range []string{"HS256", f.method.Alg()} {
			signed := encoded(f.header(members{"alg": alg})) + "." + encoded(f.claims(nil))
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(signed))
			tokens["the HMAC by the public key, as "+alg+", "+name] = signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}
	}
	return tokens
}

// keys have the token choose the key.
func (f *forger) keys() map[string]string {
	foreign := func(header members) string { return f.by(f.method, f.other, f.header(header), f.claims(nil)) }
	good := f.token(nil, nil)
	body := good[:strings.LastIndexByte(good, '.')]
	zeros := make([]byte, 64) //nolint:mnd // r and s of ES256, both 0
	return map[string]string{
		"another's key":               foreign(nil),
		"another's key, without kid":  foreign(members{"kid": nil}),
		"another's key, as jwk":       foreign(members{"jwk": members{"kty": "oct", "k": encoded("secret")}}),
		"another's key, by jku":       foreign(members{"jku": "http://127.0.0.1:1/keys"}),
		"another's key, by x5u":       foreign(members{"x5u": "http://127.0.0.1:1/keys"}),
		"another's key, as x5c":       foreign(members{"x5c": []string{encoded("certificate")}}),
		"an unknown kid":              foreign(members{"kid": "unknown"}),
		"a kid that is a path":        foreign(members{"kid": "../../../../../../dev/null"}),
		"a kid that is a URL":         foreign(members{"kid": "http://127.0.0.1:1/key"}),
		"a kid that is SQL":           foreign(members{"kid": "x' UNION SELECT 'secret"}),
		"a kid that is a command":     foreign(members{"kid": "|sleep 100"}),
		"a kid with a NUL":            foreign(members{"kid": f.KeyID + "\x00"}),
		"a kid that is a number":      foreign(members{"kid": 1}),
		"a kid of 4 KiB":              foreign(members{"kid": strings.Repeat("k", 4<<10)}),
		"without a signature":         body + ".",
		"a signature of zeros":        body + "." + base64.RawURLEncoding.EncodeToString(zeros),
		"another's claims":            encoded(f.header(nil)) + "." + encoded(f.claims(members{"sub": "root"})) + good[len(body):],
		"a signature of half as many": good[:len(good)-(len(good)-len(body))/2],
	}
}

// times are not now.
func (f *forger) times() map[string]string {
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	return map[string]string{
		"expired":                     f.token(nil, members{"exp": in(-6 * time.Minute)}),
		"expired long ago":            f.token(nil, members{"exp": 1}),
		"exp is negative":             f.token(nil, members{"exp": -1}),
		"without exp":                 f.token(nil, members{"exp": nil}),
		"exp is a string":             f.token(nil, members{"exp": "tomorrow"}),
		"exp is an object":            f.token(nil, members{"exp": members{}}),
		"not yet valid":               f.token(nil, members{"nbf": in(6 * time.Minute)}),
		"nbf is a string":             f.token(nil, members{"nbf": "yesterday"}),
		"expired, and is of tomorrow": f.token(nil, members{"exp": in(-6 * time.Minute), "iat": in(24 * time.Hour)}),
	}
}

// names are for another service, or of nobody.
func (f *forger) names() map[string]string {
	return map[string]string{
		"another audience":      f.token(nil, members{"aud": "another"}),
		"other audiences":       f.token(nil, members{"aud": []string{"another", f.Audience + "x"}}),
		"no audience":           f.token(nil, members{"aud": nil}),
		"an empty audience":     f.token(nil, members{"aud": []string{}}),
		"audience in a list":    f.token(nil, members{"aud": f.Audience + " another"}),
		"audience is an object": f.token(nil, members{"aud": members{f.Audience: true}}),
		"another issuer":        f.token(nil, members{"iss": "https://another.example"}),
		"no issuer":             f.token(nil, members{"iss": nil}),
		"a longer issuer":       f.token(nil, members{"iss": f.Issuer + "/"}),
		"issuers":               f.token(nil, members{"iss": []string{f.Issuer}}),
		"no subject":            f.token(nil, members{"sub": nil}),
		"subject is a number":   f.token(nil, members{"sub": 1}),
	}
}

// forms are none of a token.
func (f *forger) forms() map[string]string {
	good := f.token(nil, nil)
	nested := strings.Repeat("[", 3000) + strings.Repeat("]", 3000)
	as := func(header, claims string) string { return f.by(f.method, f.Key, header, claims) }
	header, claims := f.header(nil), f.claims(nil)
	return map[string]string{
		"one part":                strings.ReplaceAll(good, ".", ""),
		"two parts":               good[:strings.LastIndexByte(good, '.')],
		"four parts":              good + ".",
		"five parts":              good + ".x.y",
		"empty parts":             "..",
		"many dots":               strings.Repeat(".", 8000),
		"padded":                  good + "==",
		"a space in it":           strings.Replace(good, ".", ". ", 1),
		"critical":                f.token(members{"crit": []string{"b64"}, "b64": false}, nil),
		"critical and unknown":    f.token(members{"crit": []string{"http://example.com/x"}, "http://example.com/x": true}, nil),
		"header is no JSON":       as("alg", claims),
		"header is null":          as("null", claims),
		"claims are no JSON":      as(header, "sub=ann"),
		"claims are null":         as(header, "null"),
		"claims are a list":       as(header, "["+claims+"]"),
		"claims are nothing":      as(header, ""),
		"claims and more":         as(header, claims+"{}"),
		"claims end early":        as(header, claims[:len(claims)-1]),
		"claims are 3000 deep":    as(header, strings.Replace(claims, "{", `{"x":`+nested+",", 1)),
		"claims have 12 KiB":      f.token(nil, members{"x": strings.Repeat("x", 12<<10)}),
		"claims are not in UTF-8": as(header, strings.Replace(claims, "ann", "\xff", 1)),
		"a token in a token":      as(header, good),
	}
}
