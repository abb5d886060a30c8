package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Defaults of the options of New.
const (
	DefaultLeeway   = 30 * time.Second // See Leeway.
	DefaultMaxToken = 8 << 10          // See MaxToken.
	DefaultRealm    = "api"            // See Realm.
)

type config struct {
	issuers, audiences, required, types, roles []string

	anyIssuer, anyAudience, noExpiry bool

	leeway, maxAge time.Duration
	maxToken       int
	remember       int
	realm, subject string
	revoked        []func(context.Context, Token) (bool, error)
}

// Option configures New.
type Option func(*config) error

// Issuer adds to those whose tokens are taken, by their iss, which is compared byte by byte. All of them sign with the same Keys: issuers
// that do not trust each other have a Verifier each. It is required, unless AnyIssuer is given.
func Issuer(names ...string) Option {
	return func(c *config) error {
		c.issuers = append(c.issuers, names...)
		return refuseEmpty("Issuer", names)
	}
}

// AnyIssuer takes tokens whoever their iss says issued them, and those without: the keys alone say who it was.
func AnyIssuer() Option {
	return func(c *config) error {
		c.anyIssuer = true
		return nil
	}
}

// Audience adds to the names of this service, one of which must be in the aud of a token. It is required, unless AnyAudience is given.
func Audience(names ...string) Option {
	return func(c *config) error {
		c.audiences = append(c.audiences, names...)
		return refuseEmpty("Audience", names)
	}
}

// AnyAudience takes tokens that were given out for other services, too. Any of those can then call this one in the name of its callers.
func AnyAudience() Option {
	return func(c *config) error {
		c.anyAudience = true
		return nil
	}
}

// Leeway sets by how much the clocks of issuers may be wrong, for exp, nbf, iat and MaxAge; 30 s if it is not given. Clocks that NTP keeps
// differ by milliseconds, those of machines that were just resumed by seconds; 30 s is more than these, and little beside the minutes
// that a token lasts, by which it can be used longer than its issuer said.
func Leeway(d time.Duration) Option {
	return func(c *config) error {
		c.leeway = d
		return option.Within("Leeway", d, 0, 5*time.Minute)
	}
}

// MaxAge refuses tokens whose iat is longer ago, or missing, whatever their exp says.
func MaxAge(d time.Duration) Option {
	return func(c *config) error {
		c.maxAge = d
		return option.Within("MaxAge", d, time.Second, 10*365*24*time.Hour)
	}
}

// NoExpiry takes tokens without exp, too: good for ever, or as long as MaxAge says.
func NoExpiry() Option {
	return func(c *config) error {
		c.noExpiry = true
		return nil
	}
}

// Require refuses tokens without these claims: each must be there, and not null.
func Require(claims ...string) Option {
	return func(c *config) error {
		c.required = append(c.required, claims...)
		return refuseEmpty("Require", claims)
	}
}

// Subject names the claim that is the Subject of the Principal; sub if it is not given. A token in which it is missing, empty or no
// string is refused.
func Subject(claim string) Option {
	return func(c *config) error {
		c.subject = claim
		return refuseEmpty("Subject", []string{claim})
	}
}

// Roles names the claim that holds the roles of the caller, a string for one or an array of strings: Roles("roles"), or
// Roles("realm_access", "roles") for one in an object. Without it nobody has a role. A token without the claim has none; one where
// it is something else is refused.
func Roles(path ...string) Option {
	return func(c *config) error {
		if c.roles != nil {
			return errors.New("Roles: it is given twice")
		}
		c.roles = slices.Clone(path)
		return refuseEmpty("Roles", path)
	}
}

// Type takes only tokens whose header has one of these as typ, without regard to case, and with or without application/:
// Type("at+jwt") refuses the ID tokens of an issuer that signs its access tokens by RFC 9068. Without it typ is not looked at.
func Type(names ...string) Option {
	return func(c *config) error {
		c.types = append(c.types, names...)
		return refuseEmpty("Type", names)
	}
}

// Revoked adds a function that is asked, last of all, whether a token has been revoked. A token without jti has an empty ID: give
// Require("jti") where that is what the function knows. An error refuses the call as one that cannot be checked now, whatever it is.
func Revoked(f func(context.Context, Token) (bool, error)) Option {
	return func(c *config) error {
		c.revoked = append(c.revoked, f)
		return option.RefuseNil("Revoked", []func(context.Context, Token) (bool, error){f})
	}
}

// MaxToken sets the most bytes of a token; 8 KiB if it is not given, and auth.MaxCredentials at most.
func MaxToken(n int) Option {
	return func(c *config) error {
		c.maxToken = n
		return option.Within("MaxToken", n, 64, auth.MaxCredentials)
	}
}

// CacheTokens remembers up to n tokens that were found good, so that the same token is verified once and then looked up. It is remembered
// until it expires or is as old as MaxAge says, and as long as Keys have the same *Key for it, which they are asked for each time, and so
// is Revoked. Tokens that are refused are not remembered. The calls of one token share one Principal with its Claims then, which they
// must not change. They are in memory with their tokens: up to n times MaxToken, and what is in their claims. Without it nothing is
// remembered.
func CacheTokens(n int) Option {
	return func(c *config) error {
		c.remember = n
		return option.Within("CacheTokens", n, 1, 10_000_000)
	}
}

// Realm sets what WWW-Authenticate calls that which is protected; "api" if it is not given.
func Realm(name string) Option {
	return func(c *config) error {
		c.realm = name
		if name == "" || len(name) > MaxKeyID || strings.ContainsFunc(name, unquotable) {
			return fmt.Errorf("Realm(%q): want 1 to %d characters of ASCII without quotes", name, MaxKeyID)
		}
		return nil
	}
}

func unquotable(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

func refuseEmpty(name string, values []string) error {
	if len(values) == 0 || slices.Contains(values, "") {
		return fmt.Errorf("%s(%q): want names that are not empty", name, values)
	}
	return nil
}

// check says what is missing, or contradicts.
func (c *config) check() error {
	switch {
	case len(c.issuers) == 0 && !c.anyIssuer:
		return errors.New("Issuer is missing; AnyIssuer does without")
	case len(c.issuers) > 0 && c.anyIssuer:
		return errors.New("Issuer and AnyIssuer contradict each other")
	case len(c.audiences) == 0 && !c.anyAudience:
		return errors.New("Audience is missing; AnyAudience does without")
	case len(c.audiences) > 0 && c.anyAudience:
		return errors.New("Audience and AnyAudience contradict each other")
	}
	return nil
}
