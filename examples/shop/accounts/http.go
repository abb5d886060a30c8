package accounts

import (
	"context"
	"net/http"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

const loginRoute = "POST /login"

func loginSpec() endpoint.Spec {
	return endpoint.Spec{Service: "accounts", Method: "Login", Idempotent: true}
}

// Handle serves s over HTTP, decorated with mw and set up by opts, to those who have a password in the directory.
func Handle(mux *http.ServeMux, s *Service, passwords auth.Authenticator, mw endpoint.Middleware, opts ...httptransport.ServerOption) {
	opts = append(opts, httptransport.ServerMiddleware(auth.Middleware(passwords)))
	mux.Handle(loginRoute, httptransport.NewServer(loginSpec(), endpoint.New(loginSpec(), s.Login, mw), opts...))
}

// NewSource returns the credentials of somebody who logs in over conn with a password, which proof gives.
func NewSource(conn *httptransport.Conn, proof *auth.Credentials) (auth.Source, error) {
	call, err := httptransport.NewClient[*Login, *Session](loginSpec(), conn, loginRoute)
	if err != nil {
		return nil, err
	}
	login := endpoint.New(loginSpec().Client(), call, proof.Middleware)
	return auth.SourceFunc(func(ctx context.Context) (auth.Credential, error) {
		session, err := login(ctx, &Login{})
		if err != nil {
			return auth.Credential{}, err
		}
		expires := time.Now().Add(time.Duration(session.ExpiresIn) * time.Second)
		return auth.Credential{Value: "Bearer " + session.Token, Expires: expires}, nil
	}), nil
}
