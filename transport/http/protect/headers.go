package protect

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport/internal/fieldrule"
)

// DefaultHSTS is for how long browsers use nothing but TLS for a host that was called by TLS; see HeadersHSTS.
const DefaultHSTS = 365 * 24 * time.Hour

const hsts = "Strict-Transport-Security"

// Headers sets the fields of answers by which browsers protect their users. The defaults are for services whose answers are data and no
// pages, by OWASP's REST Security Cheat Sheet, "Security Headers"
// (https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html):
//
//	Cache-Control                 no-store                                       nobody keeps an answer
//	Content-Security-Policy       default-src 'none'; frame-ancestors 'none'     an answer that is taken for a page does and shows nothing
//	Cross-Origin-Opener-Policy    same-origin                                    and has no window of another in its hands
//	Cross-Origin-Resource-Policy  same-origin                                    other sites do not get it as an image or a script
//	Referrer-Policy               no-referrer                                    its address, which may have secrets, is not told
//	X-Content-Type-Options        nosniff                                        it is nothing but what its Content-Type says
//	Strict-Transport-Security     max-age=31536000                               over TLS only: browsers come back by TLS only
//
// They are set before the handler runs, as far as they are not set yet, so that what the handler sets instead, or removes, is what
// counts: a handler whose answer may be kept sets Cache-Control. Nothing is set that tells what the server is made of. Since only the
// handler knows whether a request was authenticated, and by which field, no answer is stored unless it says so.
//
// Safe for concurrent use. The zero value, and nil, refuse every request.
type Headers struct {
	names, values []string
	hsts          string // over TLS only
	made          bool
}

// NewHeaders returns Headers with the defaults, as the options change them.
func NewHeaders(opts ...HeadersOption) (*Headers, error) {
	c := headersConfig{fields: map[string]string{
		"Cache-Control":                "no-store",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		hsts:                           strict(DefaultHSTS, false),
	}}
	if err := option.Set(&c, opts); err != nil {
		return nil, fmt.Errorf("protect: NewHeaders: %w", err)
	}
	h := &Headers{made: true, hsts: c.fields[hsts]}
	delete(c.fields, hsts)
	for name, value := range c.fields {
		h.names, h.values = append(h.names, name), append(h.values, value)
	}
	return h, nil
}

func strict(maxAge time.Duration, subdomains bool) string {
	value := "max-age=" + strconv.FormatInt(int64(maxAge/time.Second), 10)
	if subdomains {
		value += "; includeSubDomains"
	}
	return value
}

// Wrap returns next behind h. It panics for a nil next.
func (h *Headers) Wrap(next http.Handler) http.Handler {
	wrapped("Headers", next)
	if h == nil || !h.made {
		return http.HandlerFunc(notMade)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		values := slices.Clone(h.values) // one copy for all, since they are the handler's now
		for i, name := range h.names {
			if _, is := header[name]; !is {
				header[name] = values[i : i+1 : i+1]
			}
		}
		if _, is := header[hsts]; !is && r.TLS != nil && h.hsts != "" {
			header[hsts] = []string{h.hsts}
		}
		next.ServeHTTP(w, r)
	})
}

// HeadersOption changes the fields that Headers set.
type HeadersOption func(*headersConfig) error

type headersConfig struct {
	fields map[string]string
	given  []string // the names that options were about
}

// once notes that an option is about the field, and refuses a second.
func (c *headersConfig) once(name string) error {
	if slices.Contains(c.given, name) {
		return errors.New("another option is about the same field")
	}
	c.given = append(c.given, name)
	return nil
}

// HeadersSet sets a field to another value, or a further field, such as Permissions-Policy, for all answers in which the handler does not
// set it. It is refused for fields that are not a matter of what all answers have in common (Content-Type, Set-Cookie and the like), of
// CORS, and for those that tell what the server is made of; Strict-Transport-Security is for HeadersHSTS.
func HeadersSet(name, value string) HeadersOption {
	return func(c *headersConfig) error {
		key := http.CanonicalHeaderKey(name)
		err := fieldrule.Check(name, []string{value})
		switch {
		case err != nil:
		case value == "" || strings.TrimSpace(value) != value:
			err = errors.New("want a value, without spaces around it")
		case key == hsts:
			err = errors.New("HeadersHSTS is for that")
		case notForAll(key):
			err = errors.New("it is no field for all answers")
		default:
			err = c.once(key)
		}
		if err != nil {
			return fmt.Errorf("HeadersSet(%q): %w", name, err)
		}
		c.fields[key] = value
		return nil
	}
}

// notForAll reports whether the field is another's business.
func notForAll(key string) bool {
	switch key {
	case "Connection", "Content-Length", "Content-Type", "Content-Encoding", "Content-Range", "Date", "Etag", "Keep-Alive",
		"Last-Modified", "Location", "Proxy-Authenticate", "Proxy-Connection", "Retry-After", "Server", "Set-Cookie", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Vary",
		"Www-Authenticate", "X-Aspnet-Version", "X-Powered-By":
		return true
	}
	return strings.HasPrefix(key, "Access-Control-") || strings.HasPrefix(key, "Sec-Websocket-")
}

// HeadersWithout leaves fields of the defaults out.
func HeadersWithout(names ...string) HeadersOption {
	return func(c *headersConfig) error {
		if len(names) == 0 {
			return errors.New("HeadersWithout of no field")
		}
		for _, name := range names {
			key := http.CanonicalHeaderKey(name)
			if err := c.once(key); err != nil {
				return fmt.Errorf("HeadersWithout(%q): %w", name, err)
			}
			if _, is := c.fields[key]; !is {
				return fmt.Errorf("HeadersWithout(%q): it is none of the defaults", name)
			}
			delete(c.fields, key)
		}
		return nil
	}
}

// HeadersHSTS sets for how long, in whole seconds up to two years, browsers use nothing but TLS for the host, and, if so, for all hosts
// below it, after an answer over TLS (RFC 6797). 0 makes them forget it. The default is DefaultHSTS, for the host alone. Behind a proxy
// that ends TLS the field is the proxy's to set, since the server does not see the TLS.
func HeadersHSTS(maxAge time.Duration, subdomains bool) HeadersOption {
	return func(c *headersConfig) error {
		const most = 2 * DefaultHSTS
		err := option.Within("HeadersHSTS", maxAge, 0, most)
		if err != nil {
			return err
		}
		if err = c.once(hsts); err != nil {
			return fmt.Errorf("HeadersHSTS: %w", err)
		}
		if maxAge%time.Second != 0 {
			return fmt.Errorf("HeadersHSTS(%v): want whole seconds", maxAge)
		}
		c.fields[hsts] = strict(maxAge, subdomains)
		return nil
	}
}
