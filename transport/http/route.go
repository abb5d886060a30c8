package httptransport

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// route is the method and path template of an operation, in the syntax of http.ServeMux: "POST /orders/{id}/items", with
// "{path...}" for all that remains.
type route struct {
	method   string
	segments []segment
}

// segment is a literal piece of a path, already escaped, or a wildcard.
type segment struct {
	text string
	name string // of the wildcard
	rest bool   // the wildcard takes slashes too
}

// parseRoute reads a pattern of http.ServeMux that has a method and no host.
func parseRoute(pattern string) (*route, error) {
	method, path, ok := strings.Cut(pattern, " ")
	path = strings.TrimLeft(path, " \t")
	if !ok || method == "" || !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf(`route %q: want a method and a path, such as "GET /orders/{id}"`, pattern)
	}
	if _, err := http.NewRequest(method, "/", http.NoBody); err != nil { //nolint:noctx // it is only to check the method
		return nil, fmt.Errorf("route %q: %w", pattern, err)
	}
	r := &route{method: method}
	for path != "" {
		open := strings.IndexByte(path, '{')
		if open < 0 {
			break
		}
		name, after, ok := strings.Cut(path[open+1:], "}")
		if !ok || path[open-1] != '/' || after != "" && after[0] != '/' {
			return nil, fmt.Errorf("route %q: a wildcard is a whole segment, such as {id}", pattern)
		}
		if err := r.literal(path[:open]); err != nil {
			return nil, fmt.Errorf("route %q: %w", pattern, err)
		}
		path = after
		if name == "$" && after == "" {
			return r, nil
		}
		name, rest := strings.CutSuffix(name, "...")
		if name == "" || rest && after != "" {
			return nil, fmt.Errorf("route %q: wildcard {%s} is wrong", pattern, name)
		}
		r.segments = append(r.segments, segment{name: name, rest: rest})
	}
	if err := r.literal(path); err != nil {
		return nil, fmt.Errorf("route %q: %w", pattern, err)
	}
	return r, nil
}

// literal adds a piece of the pattern, in which what has to be escaped may be so or not.
func (r *route) literal(text string) error {
	if text == "" {
		return nil
	}
	parts := strings.Split(text, "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return err
		}
		parts[i] = url.PathEscape(plain)
	}
	r.segments = append(r.segments, segment{text: strings.Join(parts, "/")})
	return nil
}

// wildcards returns the names in the path.
func (r *route) wildcards() []string {
	var names []string
	for _, s := range r.segments {
		if s.name != "" {
			names = append(names, s.name)
		}
	}
	return names
}

// appendTo appends a segment, escaped, to the path. It fails for values that servers and proxies would take out of the path, so that
// another resource than the route's would be reached.
func (s *segment) appendTo(path, value string) (string, error) {
	switch {
	case s.name == "":
		return path + s.text, nil
	case !s.rest:
		if value == "." || value == ".." {
			return "", fmt.Errorf("%s: %q cannot be a segment of a path", s.name, value)
		}
		return path + url.PathEscape(value), nil
	}
	parts := strings.Split(value, "/")
	for i, part := range parts {
		if part == "." || part == ".." || part == "" && i < len(parts)-1 {
			return "", fmt.Errorf("%s: %q cannot be a segment of a path", s.name, part)
		}
		parts[i] = url.PathEscape(part)
	}
	return path + strings.Join(parts, "/"), nil
}
