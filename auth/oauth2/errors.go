package oauth2auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// EndpointError is found by errors.As where an endpoint of the server has answered with an error, as in RFC 6749, section 5.2.
type EndpointError struct {
	// Status is that of HTTP.
	Status int
	// Code is what the server calls it, such as invalid_client. It is empty where it said none.
	Code string
	// Description is what it says to people, at most 200 characters, and without the secrets that it was sent. It may be empty.
	Description string
}

// Error returns all of it.
func (e *EndpointError) Error() string {
	text := fmt.Sprintf("the server answered HTTP %d", e.Status)
	if e.Code != "" {
		text += ": " + e.Code
	}
	if e.Description != "" {
		text += fmt.Sprintf(": %q", e.Description)
	}
	return text
}

const maxText = 200

// legible returns a text of the server as a log may have it: short, of visible characters of ASCII, without the secrets.
func legible(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		inBase64 := base64.StdEncoding.EncodeToString([]byte(secret))
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), inBase64} {
			text = strings.ReplaceAll(text, form, "***")
		}
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text[:min(len(text), MaxAnswer)])
	if len(text) > maxText {
		text = text[:maxText] + "..."
	}
	return text
}

// bare returns an error of an http.Client without the address, whose query is nobody's business.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// answered returns an error of x/oauth2 without the answer of the server, which may have anything in it.
func answered(err error, secrets ...string) error {
	r, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if u, is := errors.AsType[*url.Error](err); is {
			return u.Err
		}
		return errors.New(legible(err.Error(), secrets...))
	}
	e := &EndpointError{Code: legible(r.ErrorCode, secrets...), Description: legible(r.ErrorDescription, secrets...)}
	if r.Response != nil {
		e.Status = r.Response.StatusCode
	}
	if e.Status == http.StatusOK && e.Code == "" {
		return errors.New("the answer is not understood")
	}
	return e
}
