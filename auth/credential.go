package auth

import (
	"context"
	"errors"
	"fmt"
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
	for i := range len(c.Value) {
		if b := c.Value[i]; b < ' ' || b > '~' {
			return fmt.Errorf("the Source gave a Credential with a byte at %d that is no visible character of ASCII", i)
		}
	}
	if !c.Expires.IsZero() && !c.Expires.After(now) {
		return fmt.Errorf("the Source gave a Credential that expired at %s", c.Expires.Format(time.RFC3339))
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
