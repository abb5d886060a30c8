package basicauth_test

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	basicauth "github.com/ashlar-go/ashlar/auth/basic"
	"github.com/ashlar-go/ashlar/transport"
)

const password = "open, granite 7: ü"

// quick are parameters for tests that do not wait for OWASP's.
func quick() basicauth.Parameters { return basicauth.Parameters{Memory: 64, Passes: 1, Lanes: 1} }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// users knows ann by Argon2id, bob by bcrypt, and others with hashes that are none.
func users() basicauth.Find {
	all := map[string]basicauth.User{
		"ann":   {Hash: must(basicauth.NewHash(password, quick())), Principal: auth.Principal{Roles: []string{"mason"}, Issuer: "quarry"}},
		"bob":   {Hash: must(basicauth.NewHash(password, basicauth.Bcrypt(4))), Principal: auth.Principal{Subject: "robert", Method: "magic"}},
		"empty": {},
		"huge":  {Hash: "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Ng"},
	}
	return func(_ context.Context, user string) (basicauth.User, error) {
		u, ok := all[user]
		if !ok {
			return u, basicauth.ErrUnknown
		}
		return u, nil
	}
}

func call(values ...string) *transport.Info {
	return &transport.Info{Request: transport.HeaderMap{"Authorization": values}}
}

func as(user, password string) *transport.Info {
	return call("Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

func newAuthenticator(t testing.TB, find basicauth.Find, opts ...basicauth.Option) *basicauth.Authenticator {
	t.Helper()
	a, err := basicauth.New(find, append([]basicauth.Option{basicauth.Want(quick())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
