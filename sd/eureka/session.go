package eureka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// session asks one server, and the next ones when it fails. It is for one goroutine.
type session struct {
	*Client

	at int // the server that answered last, or is asked first
}

// request is one of the REST operations.
type request struct {
	method   string
	path     []string // below the server, each element as it is
	query    url.Values
	body     []byte // JSON
	bodyless bool   // nobody reads the answer's body
}

// answer is what a server answered.
type answer struct {
	status int
	body   []byte
}

// ask returns the answer of the first server that has one. It is an error when none has, and when it is not one of the statuses.
func (s *session) ask(ctx context.Context, r request, statuses ...int) (answer, error) {
	var errs []error
	for range s.servers {
		a, err := s.askOne(ctx, r)
		if err == nil {
			if slices.Contains(statuses, a.status) {
				return a, nil
			}
			err = fmt.Errorf("%s %s: HTTP %d: %s", r.method, s.url(r).Redacted(), a.status, begin(a.body))
			if isFinal(a.status) {
				return answer{}, err
			}
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
		s.next()
	}
	return answer{}, errors.Join(errs...)
}

// next lets another server be asked first.
func (s *session) next() { s.at = (s.at + 1) % len(s.servers) }

// isFinal says whether other servers would give the same status: not when it is about the server, which is ill, busy or, as one that
// has just started, not ready.
func isFinal(status int) bool {
	switch status {
	case http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return status < http.StatusInternalServerError
}

func (s *session) url(r request) *url.URL {
	u := *s.servers[s.at]
	escaped := make([]string, len(r.path))
	for n, element := range r.path {
		escaped[n] = url.PathEscape(element)
	}
	u.RawPath = u.EscapedPath() + strings.Join(escaped, "/")
	u.Path += strings.Join(r.path, "/")
	u.RawQuery = r.query.Encode()
	return &u
}

func (s *session) askOne(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, r.method, s.url(r).String(), bytes.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	ask.Header.Set("Accept", "application/json")
	if r.body != nil {
		ask.Header.Set("Content-Type", "application/json")
	}
	response, err := s.http.Do(ask)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	if response.Request.Method != r.method { // as http.Client does with the redirects of old
		return answer{}, fmt.Errorf("%s %s: it was redirected to a %s", r.method, s.url(r).Redacted(), response.Request.Method)
	}
	a := answer{status: response.StatusCode}
	if r.bodyless {
		return a, nil
	}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, int64(s.most)+1))
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", r.method, s.url(r).Redacted(), err)
	}
	if len(a.body) > s.most {
		return answer{}, fmt.Errorf("%s %s: the answer has more than %d bytes", r.method, s.url(r).Redacted(), s.most)
	}
	return a, nil
}

// begin returns the beginning of a body, for an error.
func begin(body []byte) string {
	const few = 200
	if len(body) > few {
		body = body[:few]
	}
	return fmt.Sprintf("%q", body)
}
