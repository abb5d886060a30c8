package apikeyauth

import (
	"fmt"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// DefaultRealm is that of Realm.
const DefaultRealm = "api"

type config struct {
	header, realm  string
	remember, uses int
	ttl            time.Duration
}

// Option configures New.
type Option func(*config) error

// Header has the key in a field of its own, such as "X-Api-Key", whose value it is whole. Without it the key is a bearer token in the field
// Authorization, which proxies, logs and clients that follow redirects know to keep to themselves.
func Header(name string) Option {
	return func(c *config) error {
		c.header = name
		if !isToken(name) || strings.EqualFold(name, "Authorization") {
			return fmt.Errorf("Header(%.40q): want the name of a field other than Authorization", name)
		}
		return nil
	}
}

// Cache remembers up to n records for ttl, from which on a key that was revoked is refused at the latest. It is for stores that are far.
// Ids that are not known, and keys that are refused, are not remembered. Without it the Find is asked each time.
func Cache(n int, ttl time.Duration) Option {
	return func(c *config) error {
		c.remember, c.ttl = n, ttl
		if err := option.Within("Cache of entries", n, 1, 1_000_000); err != nil {
			return err
		}
		return option.Within("Cache for", ttl, time.Millisecond, time.Hour)
	}
}

// LastUsed remembers when keys were last used, up to n of them until Uses is called; others are left out. Without it nothing is.
func LastUsed(n int) Option {
	return func(c *config) error {
		c.uses = n
		return option.Within("LastUsed", n, 1, 1_000_000)
	}
}

// Realm sets what WWW-Authenticate calls that which is protected; "api" if it is not given.
func Realm(name string) Option {
	return func(c *config) error {
		c.realm = name
		if name == "" || len(name) > 256 || strings.ContainsFunc(name, unquotable) {
			return fmt.Errorf("Realm(%.40q): want 1 to 256 characters of ASCII without quotes", name)
		}
		return nil
	}
}

func unquotable(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }
