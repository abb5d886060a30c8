package protect

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/origin"
)

// CSRF refuses what pages of other sites make the browsers of their readers do, with their cookies (cross-site request forgery), by
// http.CrossOriginProtection: a request with another method than GET, HEAD and OPTIONS is served where Sec-Fetch-Site says that it comes
// from the same origin, or from the reader; where there is no such field, where Origin is that of the host; and where there is neither, as
// only programs and very old browsers send it. Others get 403. It needs no tokens and no cookies of its own.
//
// It takes the methods at their word: nothing that GET does may have an effect. A WebSocket is opened by GET, and is for
// httptransport.ServerOrigins.
//
// Safe for concurrent use. The zero value, and nil, refuse every request.
type CSRF struct {
	refusals

	library *http.CrossOriginProtection
}

// NewCSRF returns a CSRF.
func NewCSRF(opts ...CSRFOption) (*CSRF, error) {
	c := &CSRF{library: http.NewCrossOriginProtection()}
	if err := option.Set(c, opts); err != nil {
		return nil, fmt.Errorf("protect: NewCSRF: %w", err)
	}
	return c, nil
}

// Wrap returns next behind c. It panics for a nil next.
func (c *CSRF) Wrap(next http.Handler) http.Handler {
	wrapped("CSRF", next)
	if c == nil || c.library == nil {
		return http.HandlerFunc(notMade)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.check(r); err != nil {
			c.refuse(w, r, errCrossSite.WithCause(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// check returns why r is refused.
func (c *CSRF) check(r *http.Request) error {
	if len(r.Header["Origin"]) > 1 || len(r.Header["Sec-Fetch-Site"]) > 1 {
		return errors.New("the request says more than once where it comes from")
	}
	return c.library.Check(r)
}

var errCrossSite = status.New(status.PermissionDenied, "pages of other sites may not do this").WithReason(ReasonCrossSite)

// CSRFOption sets up a CSRF. Options of the same name append to each other.
type CSRFOption func(*CSRF) error

// CSRFTrust lets pages of other origins do what those of the server may. An origin is written as for CORSOrigins; there are no patterns,
// and no "null".
func CSRFTrust(origins ...string) CSRFOption {
	return func(c *CSRF) error {
		list, err := origin.NewList("CSRFTrust", origins)
		if err != nil {
			return err
		}
		for _, pattern := range list.Patterns() {
			if _, ok := origin.Parse(pattern); !ok {
				return fmt.Errorf("CSRFTrust(%q): want one origin each", pattern)
			}
			if err := c.library.AddTrustedOrigin(pattern); err != nil {
				return fmt.Errorf("CSRFTrust(%q): %w", pattern, err)
			}
		}
		if len(origins) == 0 {
			return errors.New("CSRFTrust of no origin")
		}
		return nil
	}
}

// CSRFInsecureBypass lets requests that match patterns of http.ServeMux through from wherever they come, such as "POST /hooks/{name}" for a
// web hook that proves itself by a signature. What is behind must not go by cookies.
func CSRFInsecureBypass(patterns ...string) CSRFOption {
	return func(c *CSRF) error {
		if len(patterns) == 0 {
			return errors.New("CSRFInsecureBypass of no pattern")
		}
		for _, pattern := range patterns {
			if err := c.bypass(pattern); err != nil {
				return fmt.Errorf("CSRFInsecureBypass(%q): %w", pattern, err)
			}
		}
		return nil
	}
}

// bypass returns as an error what the library panics with.
func (c *CSRF) bypass(pattern string) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("it is no pattern of http.ServeMux: %v", value)
		}
	}()
	c.library.AddInsecureBypassPattern(pattern)
	return nil
}

// CSRFOnRefusal adds hooks that are told of each request that is refused, after it was answered, and why. They are for logs and counts:
// what is in the request was written by a stranger.
func CSRFOnRefusal(hooks ...func(r *http.Request, reason error)) CSRFOption {
	return func(c *CSRF) error { return c.add("CSRFOnRefusal", hooks) }
}
