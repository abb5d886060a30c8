package authtest_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authtest"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// reader is an Authenticator of tokens in the way that a program does it which uses golang-jwt alone. Its fields are where it errs.
type reader struct {
	public   any
	header   func(*transport.Info) (string, error)
	keyfunc  jwt.Keyfunc
	options  []jwt.ParserOption
	explains bool
	logs     bool
	hangs    bool
	nobody   bool
}

const (
	id       = "2026-11"
	issuer   = "https://login.example"
	audience = "orders"
)

func sound(private crypto.Signer) *reader {
	r := &reader{public: private.Public()}
	r.header = func(call *transport.Info) (string, error) { return auth.Authorization(call, "Bearer") }
	r.keyfunc = func(t *jwt.Token) (any, error) {
		if t.Header["kid"] != id {
			return nil, errors.New("another kid")
		}
		if t.Header["crit"] != nil {
			return nil, errors.New("critical")
		}
		return r.public, nil
	}
	methods := map[string]string{"*rsa.PublicKey": "RS256", "*ecdsa.PublicKey": "ES256", "ed25519.PublicKey": "EdDSA"}
	r.options = []jwt.ParserOption{
		jwt.WithValidMethods([]string{methods[typeOf(r.public)]}), jwt.WithExpirationRequired(), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithStrictDecoding(), jwt.WithIssuedAt(),
	}
	return r
}

func typeOf(key any) string {
	switch key.(type) {
	case *rsa.PublicKey:
		return "*rsa.PublicKey"
	case *ecdsa.PublicKey:
		return "*ecdsa.PublicKey"
	}
	return "ed25519.PublicKey"
}

// errLong is what the reader that hangs finds of a field that is too long.
var errLong = errors.New("too long")

func (r *reader) Authenticate(ctx context.Context, call *transport.Info) (*auth.Principal, error) {
	text, err := r.header(call)
	if r.hangs && len(call.Request.Get("Authorization")) > auth.MaxCredentials {
		err = errLong
	}
	if errors.Is(err, auth.ErrNone) {
		return nil, err
	}
	claims := jwt.MapClaims{}
	if r.hangs && errors.Is(err, errLong) {
		<-ctx.Done()
	}
	if len(text) > 8<<10 || strings.ContainsAny(text, " \t") {
		err = errors.New("too long, or with a space")
	}
	if err == nil {
		_, err = jwt.NewParser(r.options...).ParseWithClaims(text, claims, r.keyfunc)
	}
	if err == nil {
		var subject string
		if subject, err = claims.GetSubject(); err == nil && (subject == "" || subject == "\ufffd") {
			err = errors.New("no subject")
		}
	}
	if err != nil {
		if r.logs {
			err = fmt.Errorf("%q: %w", text, err)
		}
		if r.explains {
			return nil, &auth.ChallengeError{Challenge: `Bearer error_description="` + strings.ReplaceAll(err.Error(), `"`, "") + `"`, Err: err}
		}
		return nil, &auth.ChallengeError{Challenge: "Bearer", Err: err}
	}
	if r.nobody {
		return nil, auth.ErrNone
	}
	return &auth.Principal{Subject: "ann"}, nil
}

func subject(private crypto.Signer, a auth.Authenticator) authtest.Subject {
	forged := authtest.Tokens{Key: private, KeyID: id, Issuer: issuer, Audience: audience}
	return authtest.Subject{Authenticator: a, Source: forged.Source(), Attacks: must(forged.Attacks())}
}

func TestASoundAuthenticatorStandsAllAttacks(t *testing.T) {
	t.Parallel()
	for name, private := range keys() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, harness(), subject(private, sound(private)))
		})
	}
}

func keys() map[string]crypto.Signer {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	return map[string]crypto.Signer{
		"RS256": must(rsa.GenerateKey(rand.Reader, 2048)), "ES256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), "EdDSA": must(ed, err),
	}
}

func TestEachMistakeIsFound(t *testing.T) {
	t.Parallel()
	private := must(rsa.GenerateKey(rand.Reader, 2048))
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&private.PublicKey))})
	without := func(r *reader, i int) { r.options = append(r.options[:i:i], r.options[i+1:]...) }
	for found, spoil := range map[string]func(*reader){
		"token: the HMAC by the public key, as HS256, PEM, unary": func(r *reader) {
			r.keyfunc = func(t *jwt.Token) (any, error) {
				if t.Method.Alg() == "HS256" {
					return block, nil
				}
				return r.public, nil
			}
			without(r, 0)
		},
		"token: alg none, unary": func(r *reader) {
			r.keyfunc = func(t *jwt.Token) (any, error) {
				if t.Method.Alg() == "none" {
					return jwt.UnsafeAllowNoneSignatureType, nil
				}
				return r.public, nil
			}
			without(r, 0)
		},
		"token: without exp, unary":          func(r *reader) { without(r, 1) },
		"token: another issuer, unary":       func(r *reader) { without(r, 2) },
		"token: no audience, bidirectional":  func(r *reader) { without(r, 3) },
		"token: expired, server stream":      func(r *reader) { r.options = []jwt.ParserOption{jwt.WithoutClaimsValidation()} },
		"token: critical and unknown, unary": func(r *reader) { r.keyfunc = func(*jwt.Token) (any, error) { return r.public, nil } },
		"a second that is bad, unary": func(r *reader) {
			r.header = func(call *transport.Info) (string, error) {
				value := call.Request.Get("Authorization")
				if value == "" {
					return "", auth.ErrNone
				}
				return value[len("Bearer "):], nil
			}
		},
		"the sound credentials, at first, unary: want the call to be served": func(r *reader) {
			r.header = func(call *transport.Info) (string, error) {
				token, has := strings.CutPrefix(call.Request.Get("Authorization"), "Bearer ")
				if !has {
					return "", auth.ErrNone
				}
				return token, nil
			}
		},
		"in Cookie, client stream": func(r *reader) {
			r.header = func(call *transport.Info) (string, error) {
				if cookie := call.Request.Get("Cookie"); cookie != "" {
					return cookie[len("Bearer "):], nil
				}
				return auth.Authorization(call, "Bearer")
			}
		},
		"the answer tells it from other attacks":                                     func(r *reader) { r.explains = true },
		"16 KiB and more, unary: the call was not refused: nothing happened":         func(r *reader) { r.hangs = true },
		"what the server may log has the credentials in it":                          func(r *reader) { r.logs = true },
		"after the attacks, unary: want the call to be served, have unauthenticated": func(r *reader) { r.nobody = true },
	} {
		r := sound(private)
		spoil(r)
		h := harness()
		if r.hangs {
			h.Patience = 100 * time.Millisecond
		}
		err := authtest.Test(t.Context(), h, subject(private, r))
		if err == nil || !strings.Contains(err.Error(), found) {
			t.Errorf("want %q found, have %.2000v", found, err)
		}
		if v, is := errors.AsType[*authtest.Violation](err); !is || v.Attack == "" || v.Kind == 0 {
			t.Errorf("want a Violation in the error, have %T", err)
		}
	}
}

func TestASubjectIsComplete(t *testing.T) {
	t.Parallel()
	private := must(rsa.GenerateKey(rand.Reader, 2048))
	whole := subject(private, sound(private))
	whole.Attacks = nil
	for want, change := range map[string]func(*authtest.Subject){
		"no Authenticator": func(s *authtest.Subject) { s.Authenticator = nil },
		"no Source":        func(s *authtest.Subject) { s.Source = nil },
		"the Source: auth": func(s *authtest.Subject) { s.Source = auth.Bearer("") },
		"empty Credential": func(s *authtest.Subject) {
			s.Source = auth.SourceFunc(func(context.Context) (auth.Credential, error) { return auth.Credential{Value: "Bearer "}, nil })
		},
		"has no name":     func(s *authtest.Subject) { s.Attacks = []authtest.Attack{{}} },
		"that of another": func(s *authtest.Subject) { s.Attacks = []authtest.Attack{{Name: "twice the same"}} },
	} {
		s := whole
		change(&s)
		if err := authtest.Test(t.Context(), harness(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if _, err := (authtest.Tokens{}).Attacks(); err == nil {
		t.Error("want Tokens without a key refused")
	}
	broken := transporttest.Harness{Open: func(...transporttest.Operation) (transporttest.Link, error) { return nil, errors.New("closed") }}
	if err := authtest.Test(t.Context(), broken, whole); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("want an error of the harness, have %v", err)
	}
}
