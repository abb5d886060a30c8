package origin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Any is the pattern of every page.
const Any = "*"

const below = https + "://*."

// List is a set of origins. The zero List, and a nil one, has none.
type List struct {
	any      bool
	exact    []Origin
	below    []Origin // all hosts below these
	patterns []string
}

// NewList returns the origins of patterns: one each, such as https://shop.example.com, http://localhost:3000 or app://shop; all hosts below
// one, which is https://*.example.com and no other form; or Any. Letters may be large, and the port may be that of the scheme. The error of
// one that is wrong begins with the name of the option.
func NewList(option string, patterns []string) (*List, error) {
	l := new(List)
	for _, pattern := range patterns {
		if pattern == Any {
			l.any = true
			l.add(pattern)
			continue
		}
		text := normal(pattern)
		rest, wild := strings.CutPrefix(text, below)
		if wild {
			text = https + "://" + rest
		}
		o, ok := Parse(text)
		switch {
		case !ok:
			const want = "want an origin such as https://shop.example.com, or https://*.example.com for all below"
			return nil, fmt.Errorf("%s(%q): %s", option, pattern, want)
		case !wild:
			l.exact = append(l.exact, o)
			l.add(text)
		case !strings.Contains(o.host, ".") || isDigit(o.host[strings.LastIndexByte(o.host, '.')+1]):
			return nil, fmt.Errorf("%s(%q): below %s are strangers, too", option, pattern, o.host)
		default:
			l.below = append(l.below, o)
			l.add(below + rest)
		}
	}
	return l, nil
}

func (l *List) add(pattern string) {
	if !slices.Contains(l.patterns, pattern) {
		l.patterns = append(l.patterns, pattern)
	}
}

// normal returns the pattern as browsers would write it.
func normal(pattern string) string {
	for _, c := range []byte(pattern) {
		if c >= 0x80 {
			return pattern // strings.ToLower makes an ASCII letter of some that look alike
		}
	}
	text := strings.ToLower(pattern)
	scheme, _, _ := strings.Cut(text, "://")
	if port := defaultPort(scheme); port != "" {
		text = strings.TrimSuffix(text, ":"+port)
	}
	return text
}

// Patterns returns what the list was made of, as browsers write it. The caller must not change it.
func (l *List) Patterns() []string {
	if l == nil {
		return nil
	}
	return slices.Clip(l.patterns)
}

// Everyone reports whether the list has Any.
func (l *List) Everyone() bool { return l != nil && l.any }

// Allows reports whether the origin of that text is in the list.
func (l *List) Allows(text string) bool {
	if l == nil || l.any {
		return l != nil
	}
	o, ok := Parse(text)
	if !ok {
		return false
	}
	if slices.Contains(l.exact, o) {
		return true
	}
	for _, parent := range l.below {
		sub, ok := strings.CutSuffix(o.host, parent.host)
		if ok && strings.HasSuffix(sub, ".") && o.scheme == parent.scheme && o.port == parent.port {
			return true
		}
	}
	return false
}

// Check reports whether r may come from where it says: it says nothing, as programs do; or one origin, which is that of the server itself
// or in the list. The error is for the log.
func (l *List) Check(r *http.Request) error {
	origins := r.Header["Origin"]
	switch {
	case len(origins) == 0:
		return nil
	case len(origins) > 1:
		return fmt.Errorf("the request has %d fields Origin", len(origins))
	case l.Allows(origins[0]) || Same(r, origins[0]):
		return nil
	}
	return fmt.Errorf("the origin %.300q is neither that of the host %.300q nor in the list", origins[0], r.Host)
}

// IsUpgrade reports whether r asks for a WebSocket, which browsers let every page open.
func IsUpgrade(r *http.Request) bool {
	if r.ProtoMajor != 1 {
		return r.Method == http.MethodConnect && r.Header.Get(":protocol") != ""
	}
	for _, value := range r.Header["Upgrade"] {
		for token := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "websocket") {
				return true
			}
		}
	}
	return false
}
