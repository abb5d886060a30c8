// Package origin says which web pages may call a server: by the field Origin that browsers send, in the one way that holds for WebSockets
// and for CORS.
package origin

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Limits of DNS (RFC 1035, section 2.3.4), and more than any scheme that browsers know.
const (
	maxScheme = 64
	maxHost   = 253
	maxLabel  = 63
)

const https = "https"

// Origin is where a page comes from (RFC 6454, section 4).
type Origin struct {
	scheme, host string // of an IPv6 address without its brackets
	port         string // empty for that of the scheme
}

// Parse reads what a browser sends in Origin: the ASCII form of an origin, in lower case, without the port of its scheme. It is false for
// anything else, so for "null", which is what every page can make itself, and for lists.
func Parse(text string) (o Origin, ok bool) {
	var rest string
	if o.scheme, rest, ok = strings.Cut(text, "://"); !ok || !isScheme(o.scheme) {
		return o, false
	}
	v6 := strings.HasPrefix(rest, "[")
	if v6 {
		if o.host, rest, ok = strings.Cut(rest[1:], "]"); !ok {
			return o, false
		}
	} else {
		end := strings.IndexByte(rest, ':')
		if end < 0 {
			end = len(rest)
		}
		o.host, rest = rest[:end], rest[end:]
	}
	if !isHost(o.host, v6) {
		return o, false
	}
	if rest == "" {
		return o, true
	}
	o.port = rest[1:]
	return o, rest[0] == ':' && isPort(o.port) && o.port != defaultPort(o.scheme)
}

// isScheme follows RFC 3986, section 3.1. Pages from files have no origin that says anything.
func isScheme(text string) bool {
	if text == "" || len(text) > maxScheme || text == "file" {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if !isLetter(c) && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return true
}

func isHost(text string, v6 bool) bool {
	last := text[strings.LastIndexByte(text, '.')+1:]
	if v6 || last != "" && isDigit(last[0]) {
		a, err := netip.ParseAddr(text)
		return err == nil && a.Zone() == "" && a.Is6() == v6 && !a.Is4In6() && isCanonical(a, text)
	}
	if text == "" || len(text) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > maxLabel {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func isCanonical(a netip.Addr, text string) bool {
	var buf [64]byte
	return string(a.AppendTo(buf[:0])) == text
}

func isPort(text string) bool {
	if text == "" || len(text) > 5 || text[0] == '0' {
		return false
	}
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case https:
		return "443"
	}
	return ""
}

// Same reports whether the page of that origin is of the server that r was sent to, as far as the server can know: the host and port are
// those of the request, and over TLS the scheme is https. Behind a proxy that ends TLS the scheme says nothing.
func Same(r *http.Request, text string) bool {
	o, ok := Parse(text)
	if !ok || o.scheme != "http" && o.scheme != https || r.TLS != nil && o.scheme != https {
		return false
	}
	host, port := r.Host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
	}
	if port == defaultPort(o.scheme) {
		port = ""
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.EqualFold(host, o.host) && port == o.port
}
