// Package protect keeps browsers from doing to a server over HTTP what its users do not want: three middlewares of net/http, each a value
// that is made once and goes around any handler by its Wrap. Put Headers outermost, so that what the others answer has its fields, too,
// and all of them around the mux, where preflight requests arrive:
//
//	headers, err := protect.NewHeaders()
//	cors, err := protect.NewCORS(protect.CORSOrigins("https://shop.example.com"), protect.CORSRequestHeaders("Content-Type"))
//	csrf, err := protect.NewCSRF(protect.CSRFTrust("https://shop.example.com"))
//	server := httptransport.NewHTTPServer(headers.Wrap(cors.Wrap(csrf.Wrap(mux))))
//
// All of them refuse with problem details, as the servers of httptransport do, and tell the reason to a hook and not to the caller.
package protect

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Reasons of the errors that requests are refused with.
const (
	// ReasonOrigin is that of CORS: with PermissionDenied and 403, or, for a request that says twice where it comes from, InvalidArgument and
	// 400. It is the one that httptransport refuses WebSockets with.
	ReasonOrigin = httptransport.ReasonOrigin
	// ReasonCrossSite is that of CSRF, with PermissionDenied and 403.
	ReasonCrossSite = "CROSS_SITE_REFUSED"
)

// errNotMade is the error of a middleware that is nil, or whose constructor was not called.
var errNotMade = errors.New("protect: it was not made by its constructor")

// notMade answers every request with 500: what was to protect them does not.
func notMade(w http.ResponseWriter, _ *http.Request) { httptransport.WriteError(w, errNotMade) }

// wrapped panics for a handler that is nil.
func wrapped(name string, next http.Handler) {
	if next == nil {
		panic(fmt.Sprintf("protect: %s.Wrap with a nil handler", name))
	}
}

// refusals tell hooks why requests are refused.
type refusals []func(r *http.Request, reason error)

func (h *refusals) add(name string, hooks []func(r *http.Request, reason error)) error {
	*h = append(slices.Clip(*h), hooks...)
	return option.RefuseNil(name, hooks)
}

// refuse answers with err, and tells the hooks its cause.
func (h *refusals) refuse(w http.ResponseWriter, r *http.Request, err *status.Error) {
	httptransport.WriteError(w, err)
	for _, hook := range *h {
		hook(r, err.Cause)
	}
}
