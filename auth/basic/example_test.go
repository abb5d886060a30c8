package basicauth_test

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/auth"
	basicauth "github.com/ashlar-go/ashlar/auth/basic"
	"github.com/ashlar-go/ashlar/transport"
)

func Example() {
	hash, err := basicauth.NewHash("open, granite", basicauth.Default()) // what the store has of ann
	if err != nil {
		fmt.Println(err)
		return
	}
	byPassword, err := basicauth.New(func(_ context.Context, user string) (basicauth.User, error) {
		if user != "ann" {
			return basicauth.User{}, basicauth.ErrUnknown
		}
		return basicauth.User{Hash: hash, Principal: auth.Principal{Roles: []string{"mason"}}}, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := basicauth.NewSource("ann", "open, granite") // what her client has
	if err != nil {
		fmt.Println(err)
		return
	}
	credential, _ := source.Credential(context.Background())
	call := &transport.Info{Request: transport.HeaderMap{"Authorization": {credential.Value}}}
	caller, err := byPassword.Authenticate(context.Background(), call)
	fmt.Println(caller, caller.HasRole("mason"), err)
	// Output: ann true <nil>
}
