package oauth2auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Defaults of the options of an Introspector, a Verifier and a Login.
const (
	DefaultLeeway   = 30 * time.Second // See Leeway.
	DefaultMaxToken = 8 << 10          // See MaxToken.
	DefaultRealm    = "api"            // See Realm.
)

// checks are what is asked of tokens, however they are read.
type checks struct {
	audiences, scopes, required, roles []string

	anyAudience    bool
	leeway         time.Duration
	maxToken       int
	realm, subject string
}

func newChecks() checks {
	return checks{leeway: DefaultLeeway, maxToken: DefaultMaxToken, realm: DefaultRealm, subject: "sub"}
}

// CheckOption says which tokens are taken, and what of them becomes the Principal. It is an option of NewIntrospector, NewVerifier and
// NewLogin.
type CheckOption func(*checks) error

// Audience adds to the names of this service, one of which must be in the aud of a token. It is required, unless AnyAudience is given. A
// Login has that of its client already, and takes neither.
func Audience(names ...string) CheckOption {
	return func(c *checks) error {
		c.audiences = append(c.audiences, names...)
		return refuseEmpty("Audience", names)
	}
}

// AnyAudience takes tokens that were given out for other services, too. Any of those can then call this one in the name of its callers. It
// is for servers whose introspection tells no aud, and tells each client of its own tokens only.
func AnyAudience() CheckOption {
	return func(c *checks) error {
		c.anyAudience = true
		return nil
	}
}

// Scopes refuses tokens that have not all of these scopes. What single operations ask for is better said by auth/authz, which answers
// PermissionDenied then: here a token without is no token for this service.
func Scopes(scopes ...string) CheckOption {
	return func(c *checks) error {
		c.scopes = append(c.scopes, scopes...)
		return refuseWords("Scopes", scopes)
	}
}

// Require refuses tokens without these claims, or with null for one.
func Require(claims ...string) CheckOption {
	return func(c *checks) error {
		c.required = append(c.required, claims...)
		return refuseEmpty("Require", claims)
	}
}

// Subject sets the claim that is the Subject of the Principal, such as "client_id" for tokens of programs; "sub" if it is not given. A
// token without it is refused.
func Subject(claim string) CheckOption {
	return func(c *checks) error {
		c.subject = claim
		return refuseEmpty("Subject", []string{claim})
	}
}

// Roles sets the path of the claim with the roles of the caller, a string or an array of strings: Roles("realm_access", "roles") for those
// of Keycloak. Without it nobody has roles; a token without the claim has none.
func Roles(path ...string) CheckOption {
	return func(c *checks) error {
		if c.roles != nil {
			return errors.New("Roles is given twice")
		}
		c.roles = slices.Clone(path)
		return refuseEmpty("Roles", path)
	}
}

// Leeway sets by how much the clock of the server may be wrong, for exp, nbf and iat; 30 s if it is not given, 5 min at most.
func Leeway(d time.Duration) CheckOption {
	return func(c *checks) error {
		c.leeway = d
		return option.Within("Leeway", d, 0, 5*time.Minute)
	}
}

// MaxToken sets the most bytes of a token; 8 KiB if it is not given, and auth.MaxCredentials at most.
func MaxToken(n int) CheckOption {
	return func(c *checks) error {
		c.maxToken = n
		return option.Within("MaxToken", n, 16, auth.MaxCredentials)
	}
}

// Realm sets what WWW-Authenticate calls that which is protected; "api" if it is not given.
func Realm(name string) CheckOption {
	return func(c *checks) error {
		c.realm = name
		if name == "" || len(name) > maxText || strings.ContainsFunc(name, unquotable) {
			return fmt.Errorf("Realm(%q): want 1 to %d characters of ASCII without quotes", name, maxText)
		}
		return nil
	}
}

func unquotable(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

// check says what is missing, or contradicts.
func (c *checks) check() error {
	switch {
	case len(c.audiences) == 0 && !c.anyAudience:
		return errors.New("Audience is missing; AnyAudience does without")
	case len(c.audiences) > 0 && c.anyAudience:
		return errors.New("Audience and AnyAudience contradict each other")
	}
	return nil
}

// missing is the challenge for a call without a token, invalid for one with a bad one.
func (c *checks) missing() string { return fmt.Sprintf("Bearer realm=%q", c.realm) }

func (c *checks) invalid() string { return c.missing() + `, error="invalid_token"` }
