package transporttest_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authtest"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// TestAttacks attacks the verifier of tokens, in each way in which calls are carried and for each shape. As RS256 and as ES256: what is
// an attack on one may be nothing to the other.
//
//nolint:paralleltest // as TestMatrix
func TestAttacks(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	subjects := map[string]authtest.Subject{"RS256": tokens(t, rsaKey), "ES256": tokens(t, ecKey), "fetched keys": fetched(t, ecKey), "broken": broken()}
	for _, h := range harnesses(testserver.StartNATS(t).URL) {
		t.Run(h.Name, func(t *testing.T) {
			for name, subject := range subjects {
				t.Run(name, func(t *testing.T) { authtest.Run(t, h, subject) })
			}
		})
	}
}

const issuer, audience, keyID = "https://login.example", "orders", "2026-11"

func tokens(t *testing.T, private crypto.Signer) authtest.Subject {
	t.Helper()
	key, err := jwtauth.NewKey(keyID, "", private)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jwtauth.New[struct{}](key, jwtauth.Issuer(issuer), jwtauth.Audience(audience))
	if err != nil {
		t.Fatal(err)
	}
	return attacked(t, private, verifier)
}

// fetched has the verifier fetch its key, and remember the tokens that it took.
func fetched(t *testing.T, private crypto.Signer) authtest.Subject {
	t.Helper()
	key, err := jwtauth.NewKey(keyID, "", private)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := jwtauth.ServeJWKS(time.Minute, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	keys, err := jwtauth.NewJWKS(server.URL, jwtauth.JWKSClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	verifier, err := jwtauth.New[struct{}](keys, jwtauth.Issuer(issuer), jwtauth.Audience(audience), jwtauth.CacheTokens(1000))
	if err != nil {
		t.Fatal(err)
	}
	return attacked(t, private, verifier)
}

func attacked(t *testing.T, private crypto.Signer, verifier auth.Authenticator) authtest.Subject {
	t.Helper()
	forged := authtest.Tokens{Key: private, KeyID: keyID, Issuer: issuer, Audience: audience}
	attacks, err := forged.Attacks()
	if err != nil {
		t.Fatal(err)
	}
	return authtest.Subject{Authenticator: verifier, Source: forged.Source(), Attacks: attacks}
}

var errBroken = errors.New("the reason that nobody is to be told")

// broken is an Authenticator that does what one must not. Whatever it does refuses the call.
func broken() authtest.Subject {
	const header = "X-Broken"
	how := func(name string) transport.HeaderMap {
		h := transport.HeaderMap{}
		h.Set(header, name)
		return h
	}
	return authtest.Subject{
		Authenticator: auth.Func(func(_ context.Context, call *transport.Info) (*auth.Principal, error) {
			switch call.Request.Get(header) {
			case "panics":
				panic(errBroken)
			case "panics with nil":
				var p *auth.Principal
				_ = *p
			case "knows nobody":
				return nil, nil
			case "is late":
				return nil, context.DeadlineExceeded
			case "cannot say":
				return nil, errors.Join(auth.ErrUnavailable, errBroken)
			case "has an error of another code":
				return nil, status.New(status.NotFound, errBroken.Error()).WithReason("NO_USER")
			case "has both":
				return &auth.Principal{Subject: "ann"}, errBroken
			}
			value, err := auth.Authorization(call, "Bearer")
			if err != nil {
				return nil, err
			}
			if value != "0123456789" {
				return nil, errBroken
			}
			return &auth.Principal{Subject: "ann"}, nil
		}),
		Source: auth.Bearer("0123456789"),
		Attacks: []authtest.Attack{
			{Name: "panics", Header: how("panics"), Code: status.Internal},
			{Name: "panics with nil", Header: how("panics with nil"), Code: status.Internal},
			{Name: "knows nobody", Header: how("knows nobody")},
			{Name: "is late", Header: how("is late")},
			{Name: "cannot say", Header: how("cannot say"), Code: status.Unavailable, Reason: auth.ReasonUnavailable},
			{Name: "has an error of another code", Header: how("has an error of another code")},
			{Name: "has both", Header: how("has both")},
		},
	}
}
