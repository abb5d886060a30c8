package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Credential is what proves to a server who calls it: one header field.
type Credential struct {
	// Header is the name of the field. Empty it is Authorization.
	Header string
	// Value is that of the field, such as "Bearer eyJ...".
	Value string
	// Expires is until when it is good. The zero time is for ever.
	Expires time.Time
}

// String returns what a log may have: the name of the field and when the credential expires, never its value.
func (c Credential) String() string {
	if c.Expires.IsZero() {
		return c.header() + ": ***"
	}
	return c.header() + ": ***, until " + c.Expires.Format(time.RFC3339)
}

// GoString returns the same as String.
func (c Credential) GoString() string { return c.String() }

func (c Credential) header() string {
	if c.Header == "" {
		return "Authorization"
	}
	return c.Header
}

// check says what is wrong with a credential that a Source gave, without its value.
func (c Credential) check(now time.Time) error {
	if c.Value == "" {
		return errors.New("the Source gave an empty Credential")
	}
	if i := unprintable(c.Value); i >= 0 {
		return fmt.Errorf("the Source gave a Credential with a byte at %d that is no visible character of ASCII", i)
	}
	if err := checkField(c.header()); err != nil {
		return fmt.Errorf("the Source gave a Credential for the header field %.100q: %w", c.Header, err)
	}
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return fmt.Errorf("the Source gave a Credential that expired at %s", c.Expires.Format(time.RFC3339))
	}
	return nil
}

// checkField refuses the name of a header field that not all transports can carry, or which is theirs.
func checkField(name string) error {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return errors.New("want letters, digits, - and _")
		}
	}
	lower := strings.ToLower(name)
	for _, prefix := range []string{"content-", "grpc-", "nats-", "sec-", "proxy-", "ashlar-"} {
		if strings.HasPrefix(lower, prefix) {
			return errors.New("those that begin so are the transport's")
		}
	}
	switch lower {
	case "host", "connection", "te", "trailer", "transfer-encoding", "upgrade", "accept", "accept-encoding", "user-agent", "status":
		return errors.New("it is the transport's")
	}
	return nil
}

// Source gives out credentials, by asking whoever issues them. Credentials remember what it gave for as long as that is good, so that it is
// asked seldom, by one call at a time. It returns when ctx ends.
type Source interface {
	Credential(ctx context.Context) (Credential, error)
}

// SourceFunc is a function as a Source.
type SourceFunc func(ctx context.Context) (Credential, error)

// Credential calls f.
func (f SourceFunc) Credential(ctx context.Context) (Credential, error) { return f(ctx) }

// Bearer returns the Source of one bearer token, which never changes.
func Bearer(token string) Source {
	return SourceFunc(func(context.Context) (Credential, error) {
		if token == "" {
			return Credential{}, errors.New("auth: Bearer: the token is empty")
		}
		return Credential{Value: "Bearer " + token}, nil
	})
}
