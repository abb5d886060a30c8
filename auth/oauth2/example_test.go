package oauth2auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

// Claims are what the authorization server says of a caller besides.
type Claims struct {
	Tenant string `json:"tenant"`
}

func Example() {
	// An authorization server, which is somewhere else.
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token":"opaque","token_type":"Bearer","expires_in":300}`)
	})
	mux.HandleFunc("POST /introspect", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		active := r.FormValue("token") == "opaque"
		_, _ = fmt.Fprintf(w, `{"active":%t,"sub":"cart","aud":"orders","scope":"orders:write","tenant":"north"}`, active)
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	// The client: credentials.Middleware attaches the token to calls, and renews it.
	source, err := oauth2auth.NewClientCredentials(server.URL+"/token", "cart", "secret of cart", oauth2auth.SourceScopes("orders:write"))
	if err != nil {
		panic(err)
	}
	credentials, err := auth.NewCredentials(source)
	if err != nil {
		panic(err)
	}
	defer credentials.Close()
	credential, err := credentials.Credential(context.Background())
	if err != nil {
		panic(err)
	}

	// The service: auth.Middleware(introspector) has it look at calls.
	introspector, err := oauth2auth.NewIntrospector[Claims](server.URL+"/introspect",
		oauth2auth.ClientBasic("orders", "secret of orders"), oauth2auth.Audience("orders"))
	if err != nil {
		panic(err)
	}
	defer introspector.Close()
	caller, err := introspector.Introspect(context.Background(), credential.Value[len("Bearer "):])
	if err != nil {
		panic(err)
	}
	claims, _ := auth.ClaimsOf[Claims](caller)
	fmt.Println(caller, caller.Scopes, claims.Tenant)

	_, err = introspector.Introspect(context.Background(), "made-up")
	fmt.Println(err)
	// Output:
	// cart [orders:write] north
	// oauth2auth: the token is not active
}
