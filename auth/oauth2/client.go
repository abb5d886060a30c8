package oauth2auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/ashlar-go/ashlar/auth"
)

// ClientAuth is how a service proves to an introspection endpoint that it may ask. It is made by ClientBasic or ClientBearer.
type ClientAuth struct {
	id, secret string
	source     auth.Source
}

// ClientBasic proves it by the id and the secret of a client, by HTTP Basic as RFC 6749, section 2.3.1, has it.
func ClientBasic(clientID, clientSecret string) ClientAuth {
	return ClientAuth{id: clientID, secret: clientSecret}
}

// ClientBearer proves it by a token of the service itself: auth.Bearer, or auth.Credentials, which renew those of NewClientCredentials. It
// is asked for each introspection.
func ClientBearer(source auth.Source) ClientAuth { return ClientAuth{source: source} }

func (c ClientAuth) check() error {
	if c.id != "" && c.secret != "" {
		return nil
	}
	if v := reflect.ValueOf(c.source); !v.IsValid() || (v.Kind() == reflect.Func || v.Kind() == reflect.Pointer) && v.IsNil() {
		return errors.New("the ClientAuth is missing something: want ClientBasic with an id and a secret, or ClientBearer with a source")
	}
	return nil
}

// attach proves it, and returns what must not be seen of that.
func (c ClientAuth) attach(ctx context.Context, request *http.Request) (secrets []string, err error) {
	if c.source == nil {
		id, secret := url.QueryEscape(c.id), url.QueryEscape(c.secret)
		request.SetBasicAuth(id, secret)
		return []string{id + ":" + secret, c.secret}, nil
	}
	credential, err := c.source.Credential(ctx)
	if err != nil {
		return nil, foreign("getting the credentials for it", err)
	}
	name := credential.Header
	if name == "" {
		name = "Authorization"
	}
	request.Header.Set(name, credential.Value)
	_, token, _ := strings.Cut(credential.Value, " ")
	return []string{credential.Value, token}, nil
}

// Format writes the id by whatever verb, and nothing of the secret.
func (c ClientAuth) Format(f fmt.State, _ rune) {
	if c.source != nil {
		_, _ = fmt.Fprint(f, "client with a bearer token")
		return
	}
	_, _ = fmt.Fprintf(f, "client %q", c.id)
}

// LogValue is the same, for all handlers of slog.
func (c ClientAuth) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// foreign wraps an error of code that is not ours for its text only, so that it cannot claim that there was no token, and be let through by
// auth.Optional.
func foreign(what string, err error) error {
	return fmt.Errorf("%s: %v", what, err) //nolint:errorlint // as said above
}

// unavailable wraps an error for its text, and says that nothing can be said now.
func unavailable(what string, err error) error {
	if e, ok := errors.AsType[*EndpointError](err); ok {
		return fmt.Errorf("%s: %w: %w", what, auth.ErrUnavailable, e)
	}
	return fmt.Errorf("%s: %w: %v", what, auth.ErrUnavailable, err) //nolint:errorlint // as foreign does
}
