package protect

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/jub0bs/cors"
	"github.com/jub0bs/cors/cfgerrors"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/origin"
)

// CORS lets web pages of some other origins read what a server answers, by the CORS protocol of the Fetch standard, section 3.3
// (https://fetch.spec.whatwg.org/#http-cors-protocol). It is github.com/jub0bs/cors with fewer choices, and what that leaves to others:
// WebSockets, requests with two fields Origin, refusals.
//
// Without CORS no page of another origin reads anything: CORS only ever allows. It does not keep requests away, but for those
// that need a preflight; see CSRF and CORSRefuse.
//
//   - A preflight request, which is one with the method OPTIONS, Origin and Access-Control-Request-Method, is answered and goes no further:
//     204 with the fields, or 403 without any. It says no more than what was asked for. Allowing access to private networks is not offered;
//     browsers ask their users for that now (https://developer.chrome.com/blog/pna-on-hold).
//   - Any other request goes to the handler. The answer has the fields where the origin is allowed, and none where it is not.
//   - An answer that depends on the origin says so by Vary, always.
//   - A WebSocket is opened by pages of the server's own origin, pages of origins that are allowed, and programs; others get 403.
//     Browsers send cookies along, whatever CORSCredentials says, and so httptransport.ServerOrigins has to name the origins as well.
//   - A request with more than one field Origin gets 400.
//
// Safe for concurrent use. The zero value, and nil, refuse every request.
type CORS struct {
	refusals

	origins *origin.List
	library *cors.Middleware
	strict  bool // refuse whom it does not allow
}

// NewCORS returns a CORS. There must be a CORSOrigins among the options.
func NewCORS(opts ...CORSOption) (*CORS, error) {
	var c corsConfig
	if err := option.Set(&c, opts); err != nil {
		return nil, fmt.Errorf("protect: NewCORS: %w", err)
	}
	made, err := c.make()
	if err != nil {
		return nil, fmt.Errorf("protect: NewCORS: %w", err)
	}
	return made, nil
}

func (c *corsConfig) make() (*CORS, error) {
	list, err := origin.NewList("CORSOrigins", c.origins)
	switch {
	case err != nil:
		return nil, err
	case len(c.origins) == 0:
		return nil, errors.New("without CORSOrigins nobody is allowed anything")
	case list.Everyone() && len(list.Patterns()) > 1:
		return nil, errors.New(`CORSOrigins("*") beside others, of which it makes nothing`)
	case list.Everyone() && c.credentials:
		return nil, errors.New(`CORSCredentials with CORSOrigins("*"): every page could do what its reader may`)
	case list.Everyone() && c.strict:
		return nil, errors.New(`CORSRefuse with CORSOrigins("*"), which refuses nobody`)
	}
	library, err := cors.NewMiddleware(cors.Config{
		Origins: list.Patterns(), Credentialed: c.credentials, Methods: c.methods, RequestHeaders: c.request, ResponseHeaders: c.response,
		MaxAgeInSeconds: c.maxAge,
	})
	if err != nil {
		return nil, named(err)
	}
	return &CORS{refusals: c.refusals, origins: list, library: library, strict: c.strict}, nil
}

// named says which options an error of the library is about.
func named(err error) error {
	var all []error
	for err := range cfgerrors.All(err) {
		name := "CORSOrigins"
		if e, ok := errors.AsType[*cfgerrors.UnacceptableHeaderNameError](err); ok {
			name = "CORSRequestHeaders"
			if e.Type == "response" {
				name = "CORSResponseHeaders"
			}
		}
		if _, ok := errors.AsType[*cfgerrors.UnacceptableMethodError](err); ok {
			name = "CORSMethods"
		}
		all = append(all, fmt.Errorf("%s: %w", name, err))
	}
	return errors.Join(all...)
}

// Wrap returns next behind c. It panics for a nil next.
func (c *CORS) Wrap(next http.Handler) http.Handler {
	wrapped("CORS", next)
	if c == nil || c.library == nil {
		return http.HandlerFunc(notMade)
	}
	inner := c.library.Wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, origins := w.Header(), r.Header["Origin"]
		switch {
		case len(origins) > 1 || len(origins) == 1 && !c.origins.Allows(origins[0]):
			header.Add("Vary", "Origin")
			c.strange(w, r, next)
		case origin.IsUpgrade(r): // CORS is not for them
			next.ServeHTTP(w, r)
		default:
			if r.Method == http.MethodOptions && !c.origins.Everyone() {
				header.Add("Vary", "Origin") // the library leaves it to whoever caches them, against RFC 9110, section 9.3.7
			}
			inner.ServeHTTP(w, r)
		}
	})
}

// strange serves a request of a page that is not allowed anything. The library, which would do the same, takes origins below a pattern
// that no browser writes.
func (c *CORS) strange(w http.ResponseWriter, r *http.Request, next http.Handler) {
	_, asks := r.Header["Access-Control-Request-Method"]
	switch origins := r.Header["Origin"]; {
	case len(origins) > 1:
		c.refuse(w, r, errTwice.WithCause(c.origins.Check(r)))
	case (c.strict || origin.IsUpgrade(r)) && !origin.Same(r, origins[0]):
		c.refuse(w, r, errOrigin.WithCause(c.origins.Check(r)))
	case r.Method == http.MethodOptions && asks:
		w.WriteHeader(http.StatusForbidden)
	default:
		next.ServeHTTP(w, r)
	}
}

var (
	errTwice  = status.New(status.InvalidArgument, "the request has more than one field Origin").WithReason(ReasonOrigin)
	errOrigin = status.New(status.PermissionDenied, "pages of this origin may not call here").WithReason(ReasonOrigin)
)

// CORSOption sets up a CORS. Options of the same name append to each other.
type CORSOption func(*corsConfig) error

type corsConfig struct {
	refusals

	origins, methods, request, response []string
	credentials, strict                 bool
	maxAge                              int // seconds; 0 is not to say
}

// CORSOrigins allows the pages of origins. A pattern is one origin, with its scheme, and its port if that is not the one of the scheme:
// "https://shop.example.com", "http://localhost:3000"; or "https://*.example.com" for all below one, at any depth. It is compared as a
// whole. "*" alone allows every page what it could get without its reader's cookies. "null" is refused, since every page can become it.
// With CORSCredentials so are origins without TLS, other than localhost, and the origins below a public suffix, such as
// "https://*.co.uk".
func CORSOrigins(patterns ...string) CORSOption {
	return func(c *corsConfig) error {
		if len(patterns) == 0 {
			return errors.New("CORSOrigins of no origin")
		}
		c.origins = append(c.origins, patterns...)
		return nil
	}
}

// CORSCredentials allows pages to make requests with the cookies and certificates of their reader, and to read the answers. Tokens in the
// field Authorization need no such permission: allow the field, by CORSRequestHeaders.
func CORSCredentials() CORSOption {
	return func(c *corsConfig) error {
		c.credentials = true
		return nil
	}
}

// CORSMethods allows methods besides GET, HEAD and POST, which need no permission. There is no "*".
func CORSMethods(methods ...string) CORSOption {
	return func(c *corsConfig) (err error) {
		c.methods, err = several("CORSMethods", c.methods, methods)
		return err
	}
}

// CORSRequestHeaders allows fields of requests, such as "Authorization", and "Content-Type", without which pages cannot send JSON. There is
// no "*".
func CORSRequestHeaders(names ...string) CORSOption {
	return func(c *corsConfig) (err error) {
		c.request, err = several("CORSRequestHeaders", c.request, names)
		return err
	}
}

// CORSResponseHeaders lets pages read fields of the answers, besides those that they always may, such as Content-Type. There is no "*".
func CORSResponseHeaders(names ...string) CORSOption {
	return func(c *corsConfig) (err error) {
		c.response, err = several("CORSResponseHeaders", c.response, names)
		return err
	}
}

// several appends the values that an option was given, none of which may be a wildcard.
func several(name string, to, values []string) ([]string, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("%s of nothing", name)
	}
	if slices.Contains(values, "*") {
		return nil, fmt.Errorf(`%s("*"): name them`, name)
	}
	return append(to, values...), nil
}

// CORSMaxAge lets browsers remember the answer to a preflight for so long, in whole seconds up to a day; Chromium does so for two hours at
// most, Safari for ten minutes. 0 forbids it. By default they do for five seconds. It replaces an earlier one.
func CORSMaxAge(d time.Duration) CORSOption {
	return func(c *corsConfig) error {
		const day = 24 * time.Hour
		if err := option.Within("CORSMaxAge", d, 0, day); err != nil {
			return err
		}
		if d%time.Second != 0 {
			return fmt.Errorf("CORSMaxAge(%v): want whole seconds", d)
		}
		c.maxAge = int(d / time.Second)
		if d == 0 {
			c.maxAge = -1
		}
		return nil
	}
}

// CORSRefuse refuses all requests that pages of other origins make and that are not allowed, with 403, instead of serving those that need
// no preflight and keeping the answer from the page. Requests of the server's own origin, and of programs, which say no origin, are served.
func CORSRefuse() CORSOption {
	return func(c *corsConfig) error {
		c.strict = true
		return nil
	}
}

// CORSOnRefusal adds hooks that are told of each request that is refused, after it was answered, but for preflights, and why. They are for
// logs and counts: what is in the request was written by a stranger.
func CORSOnRefusal(hooks ...func(r *http.Request, reason error)) CORSOption {
	return func(c *corsConfig) error { return c.add("CORSOnRefusal", hooks) }
}
