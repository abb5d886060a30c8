package oauth2auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/auth"
)

// ask returns what the endpoint says of a token.
func (i *introspection) ask(ctx context.Context, token string) ([]byte, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the address is wrong")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Cache-Control", "no-store")
	secrets, err := i.as.attach(ctx, request)
	if err != nil {
		return nil, err
	}
	response, err := i.client.Do(request)
	if err != nil {
		return nil, bare(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case response.StatusCode != http.StatusOK:
		return nil, refusal(response.StatusCode, text, append(secrets, token)...)
	case kind != "application/json":
		return nil, errors.New("the answer is no JSON by its Content-Type")
	}
	return text, nil
}

// refusal is what an endpoint says of itself, as far as it can be read.
func refusal(code int, text []byte, secrets ...string) error {
	var said struct {
		Code        string `json:"error"`
		Description string `json:"error_description"` //nolint:tagliatelle // as OAuth 2.0 has it
	}
	_ = unmarshal(text, &said)
	return &EndpointError{Status: code, Code: legible(said.Code, secrets...), Description: legible(said.Description, secrets...)}
}

// answer is what is read of one, besides the claims.
type answer struct {
	Active *bool  `json:"active"`
	Type   string `json:"token_type"` //nolint:tagliatelle // as RFC 7662 has it
	Use    string `json:"token_use"`  //nolint:tagliatelle // as Ory Hydra has it
	Kind   string `json:"typ"`        // as Keycloak has it
}

// read returns whose token it is. The error has auth.ErrUnavailable where the answer is none.
func (i *introspection) read(text []byte, now time.Time) (*auth.Principal, error) {
	var a answer
	if err := unmarshal(text, &a); err != nil {
		return nil, unavailable("the answer of the introspection endpoint", err)
	}
	if a.Active == nil {
		return nil, unavailable("the answer of the introspection endpoint", errors.New("active is missing"))
	}
	if !*a.Active {
		return nil, errors.New("the token is not active")
	}
	var r claims
	if err := unmarshal(text, &r); err != nil {
		return nil, unavailable("the answer of the introspection endpoint", err)
	}
	switch {
	case a.Type != "" && !strings.EqualFold(a.Type, "Bearer"):
		return nil, errors.New("the token_type is another than Bearer")
	case a.Use != "" && a.Use != "access_token" || !i.config.access(a.Kind):
		return nil, errors.New("the token is no access token")
	case len(i.config.issuers) > 0 && !slices.Contains(i.config.issuers, r.Issuer):
		return nil, errors.New("iss is missing or another")
	}
	p, err := i.config.principal(text, &r, Method, now)
	if err != nil {
		return nil, err
	}
	if p.Claims, err = i.decode(text); err != nil {
		return nil, foreign("for the type of the claims", err)
	}
	return p, nil
}

// access says whether a typ is one of access tokens. Others than those that are known are not: Keycloak alone has Refresh, Offline, ID and
// Logout.
func (c *introspectorConfig) access(kind string) bool {
	same := func(name string) bool { return strings.EqualFold(name, kind) }
	return kind == "" || slices.ContainsFunc([]string{"Bearer", "at+jwt", "application/at+jwt"}, same) || slices.ContainsFunc(c.types, same)
}
