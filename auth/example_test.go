package auth_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func Example() {
	// A server that knows one token. The packages below auth have Authenticators that know more.
	tokens := auth.Func(func(_ context.Context, call *transport.Info) (*auth.Principal, error) {
		token, err := auth.Authorization(call, "Bearer")
		if err == nil && token != "chisel" {
			err = errors.New("the token is not known")
		}
		if err != nil {
			return nil, &auth.ChallengeError{Challenge: `Bearer realm="orders"`, Err: err}
		}
		return &auth.Principal{Subject: "ann", Method: "example"}, nil
	})
	spec := endpoint.Spec{Service: "orders", Method: "Whose"}
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, func(ctx context.Context, order int) (string, error) {
		return fmt.Sprintf("order %d is of %v", order, auth.PrincipalOf(ctx)), nil
	}, inproc.ServerMiddleware(auth.Middleware(tokens))))

	// A client without credentials, and one with.
	bare, err := inproc.NewClient[int, string](spec.Client(), &mux)
	if err != nil {
		fmt.Println(err)
		return
	}
	credentials, err := auth.NewCredentials(auth.Bearer("chisel"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer credentials.Close()
	ann := endpoint.New(spec.Client(), bare, credentials.Middleware)

	fmt.Println(ann(context.Background(), 7))
	ctx, call := transport.Observe(context.Background())
	_, err = bare(ctx, 7)
	fmt.Println(status.CodeOf(err), status.As(err).Reason, call.Info().Response.Get("WWW-Authenticate"))
	// Output:
	// order 7 is of ann <nil>
	// unauthenticated CREDENTIALS_MISSING Bearer realm="orders"
}
