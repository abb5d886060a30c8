// Package auth says who makes a call, and proves to others who we are: the same on all transports.
//
// On a server an Authenticator reads the credentials of a call, and Middleware refuses the calls that have none or bad ones. The packages
// below this one have Authenticators for tokens, passwords, keys and certificates, and authz says what a caller may do.
//
//	verify, err := jwtauth.New(...)
//	authenticated := auth.Middleware(auth.AnyOf(verify, mtlsauth.New()))
//	httptransport.NewServer(spec, svc.Place, httptransport.ServerMiddleware(authenticated))
//
//	func (s *Orders) Place(ctx context.Context, order *Order) (*Receipt, error) {
//		caller := auth.PrincipalOf(ctx) // never nil in there
//
// On a client Credentials attach what a Source gives to each call:
//
//	credentials, err := auth.NewCredentials(source)
//	place = endpoint.New(spec.Client(), place, credentials.Middleware)
package auth
