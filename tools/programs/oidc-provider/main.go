// Oidc-provider is the OpenID Connect provider of the example of github.com/zitadel/oidc, on a port of loopback, with clients for tests. It
// makes its key when it starts, and forgets all else when it ends.
//
// Besides the clients of the example, "web" and "native", it has "orders", which may introspect the tokens that are for it, and two that
// get tokens for "orders" by the client credentials grant: "cart" opaque ones, and "mail" JSON Web Tokens.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	service = "orders"
	opaque  = "cart"
	signed  = "mail"
)

// store is the storage of the example with other services.
type store struct{ *storage.Storage }

// ClientCredentials knows a service by its secret, which is its name with "-secret".
func (s store) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	if id != opaque && id != signed || secret != id+"-secret" {
		return nil, oidc.ErrInvalidClient().WithDescription("the client is unknown, or its secret is another")
	}
	example, err := s.Storage.ClientCredentials(ctx, "sid1", "verysecret")
	return machine{example, id}, err
}

// ClientCredentialsTokenRequest says what the token is for.
func (s store) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	return &oidc.JWTTokenRequest{Subject: id, Audience: []string{service}, Scopes: scopes}, nil
}

// machine is a client that is a service.
type machine struct {
	op.Client

	id string
}

func (m machine) GetID() string { return m.id }

func (m machine) AccessTokenType() op.AccessTokenType {
	if m.id == signed {
		return op.AccessTokenTypeJWT
	}
	return op.AccessTokenTypeBearer
}

// users are those of the example, and the services.
type users struct{ storage.UserStore }

func (u users) GetUserByID(id string) *storage.User {
	if id == opaque || id == signed {
		return &storage.User{ID: id, Username: id}
	}
	return u.UserStore.GetUserByID(id)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	address, redirect := os.Getenv("ADDRESS"), os.Getenv("REDIRECT")
	if address == "" || redirect == "" {
		return errors.New("oidc-provider: ADDRESS and REDIRECT are wanted in the environment")
	}
	issuer := "http://" + address
	storage.RegisterClients(
		storage.WebClient("web", "web-secret", redirect),
		storage.WebClient(service, service+"-secret", redirect),
		storage.NativeClient("native", redirect),
	)
	s := store{storage.NewStorage(users{storage.NewUserStore(issuer)})}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	server := &http.Server{Addr: address, Handler: exampleop.SetupServer(issuer, s, logger, false), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}
