// Package oauth2auth speaks OAuth 2.0 and OpenID Connect: it gets tokens for clients, asks an authorization server about the tokens of
// callers, verifies those that are JSON Web Tokens, and logs people in. The grants are those of golang.org/x/oauth2, discovery and ID
// tokens those of github.com/coreos/go-oidc.
//
//	source, err := oauth2auth.NewClientCredentials("https://login.example/token", "cart", secret, oauth2auth.SourceScopes("orders:write"))
//	credentials, err := auth.NewCredentials(source) // renews in the background
//
//	introspector, err := oauth2auth.NewIntrospector[Claims]("https://login.example/introspect",
//		oauth2auth.ClientBasic("orders", secret), oauth2auth.Audience("orders"))
//	authenticated := auth.Middleware(introspector)
//
//	provider, err := oauth2auth.NewProvider("https://login.example")
//	verifier, err := oauth2auth.NewVerifier[Claims](provider, oauth2auth.Audience("orders"))
//	authenticated := auth.Middleware(verifier)
//
// Whom it asks must have https, unless it is on this machine. Redirects are not followed, answers have at most MaxAnswer bytes, and no
// secret is in an error.
package oauth2auth

// Method is the Method of the principals of an Introspector, and MethodOIDC that of those of a Verifier and a Login.
const (
	Method     = "oauth2"
	MethodOIDC = "oidc"
)
