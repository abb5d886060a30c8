package apikeyauth_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	apikeyauth "github.com/ashlar-go/ashlar/auth/apikey"
)

func Example() {
	owner := auth.Principal{Subject: "billing", Scopes: []string{"orders:read"}}
	key, record, err := apikeyauth.Generate("shop", owner, 365*24*time.Hour)
	if err != nil {
		fmt.Println(err)
		return
	}
	stored := map[string]apikeyauth.Record{record.ID: record} // without the key, which its owner has
	byKey, err := apikeyauth.New("shop", func(_ context.Context, id string) (apikeyauth.Record, error) {
		r, ok := stored[id]
		if !ok {
			return r, apikeyauth.ErrUnknown
		}
		return r, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, err := byKey.Verify(context.Background(), key)
	fmt.Println(caller, caller.HasScope("orders:read"), err)
	// Output: billing true <nil>
}
