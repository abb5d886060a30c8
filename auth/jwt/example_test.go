package jwtauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

// Customer is what the tokens of the login server say of a customer.
type Customer struct {
	Tenant string `json:"tenant"`
}

func Example() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}

	// The login server.
	signing, err := jwtauth.NewKey("2026-11", jwtauth.ES256, private)
	if err != nil {
		panic(err)
	}
	signer, err := jwtauth.NewSigner(signing, jwtauth.SignerIssuer("https://login.example"), jwtauth.SignerAudience("orders"))
	if err != nil {
		panic(err)
	}
	token, _, err := signer.Sign(map[string]any{"sub": "ann", "scope": "orders:write", "tenant": "north"})
	if err != nil {
		panic(err)
	}

	// The service; auth.Middleware(verifier) has it look at calls.
	key, err := jwtauth.NewKey("2026-11", jwtauth.ES256, &private.PublicKey)
	if err != nil {
		panic(err)
	}
	verifier, err := jwtauth.New[Customer](key, jwtauth.Issuer("https://login.example"), jwtauth.Audience("orders"))
	if err != nil {
		panic(err)
	}
	caller, err := verifier.Verify(context.Background(), token)
	if err != nil {
		panic(err)
	}
	customer, _ := auth.ClaimsOf[Customer](caller)
	fmt.Println(caller, caller.Scopes, customer.Tenant)
	// Output: ann@https://login.example [orders:write] north
}

func ExampleNewJWKS() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}

	// The login server publishes the public half of the key that it signs with.
	signing, err := jwtauth.NewKey("2026-11", jwtauth.ES256, private)
	if err != nil {
		panic(err)
	}
	handler, err := jwtauth.ServeJWKS(5*time.Minute, signing)
	if err != nil {
		panic(err)
	}
	login := httptest.NewTLSServer(handler)
	defer login.Close()
	signer, err := jwtauth.NewSigner(signing, jwtauth.SignerIssuer(login.URL), jwtauth.SignerAudience("orders"), jwtauth.SignerSubject("ann"))
	if err != nil {
		panic(err)
	}
	token, _, err := signer.Sign(nil)
	if err != nil {
		panic(err)
	}

	// The service fetches it; the client is only for the certificate of this example.
	keys, err := jwtauth.NewJWKS(login.URL, jwtauth.JWKSClient(login.Client()))
	if err != nil {
		panic(err)
	}
	defer keys.Close()
	verifier, err := jwtauth.New[struct{}](keys, jwtauth.Issuer(login.URL), jwtauth.Audience("orders"), jwtauth.CacheTokens(10_000))
	if err != nil {
		panic(err)
	}
	caller, err := verifier.Verify(context.Background(), token)
	if err != nil {
		panic(err)
	}
	fmt.Println(caller.Subject, keys.Status().KeyIDs)
	// Output: ann [2026-11]
}
