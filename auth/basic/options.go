package basicauth

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Defaults of the options of New.
const (
	DefaultWaiting = 64    // See Concurrency.
	DefaultRealm   = "api" // See Realm.
)

type config struct {
	want                Parameters
	concurrent, waiting int
	remember            int
	ttl                 time.Duration
	realm               string
	weak                []func(ctx context.Context, user, hash string)
	work                []func(Parameters)
}

func defaults() config {
	return config{want: Default(), concurrent: runtime.GOMAXPROCS(0), waiting: DefaultWaiting, realm: DefaultRealm}
}

// Option configures New.
type Option func(*config) error

// Want sets the parameters that hashes should have; Default() if it is not given. Unknown users cost a hash of these, so that they
// should be those of the hashes in the store: a user with another hash is told from one that there is not by the time that it takes.
func Want(p Parameters) Option {
	return func(c *config) error {
		c.want = p
		if err := p.check(); err != nil {
			return fmt.Errorf("Want: %w", err)
		}
		return nil
	}
}

// Concurrency sets how many hashes are computed at a time, and how many calls wait for that; GOMAXPROCS and 64 if it is not given. Each
// takes a core and the memory of its parameters. A call beyond them is refused at once as one that cannot be checked now.
func Concurrency(hashes, waiting int) Option {
	return func(c *config) error {
		c.concurrent, c.waiting = hashes, waiting
		if err := option.Within("Concurrency of hashes", hashes, 1, 1024); err != nil {
			return err
		}
		return option.Within("Concurrency of waiting", waiting, 0, 1_000_000)
	}
}

// Cache remembers up to n successes for ttl, so that who calls again soon costs no hash. What is remembered is an HMAC, by a random key
// of this Authenticator, of the user, the password and the stored hash: the Find is asked each time, so that a new password, or a user
// who is no more, holds at once. Without it nothing is remembered.
func Cache(n int, ttl time.Duration) Option {
	return func(c *config) error {
		c.remember, c.ttl = n, ttl
		if err := option.Within("Cache of entries", n, 1, 1_000_000); err != nil {
			return err
		}
		return option.Within("Cache for", ttl, time.Second, time.Hour)
	}
}

// OnWeak adds a function that gets a new hash for the store when a user has logged in by one that NeedsRehash. That login takes twice as
// long. It is called on the call's goroutine, which it holds up, and while the hash counts for Concurrency.
func OnWeak(f func(ctx context.Context, user, hash string)) Option {
	return func(c *config) error {
		c.weak = append(c.weak, f)
		return option.RefuseNil("OnWeak", []func(ctx context.Context, user, hash string){f})
	}
}

// OnHash adds a function that is told the parameters of each hash that is about to be computed, for metrics. It is called on the call's
// goroutine.
func OnHash(f func(Parameters)) Option {
	return func(c *config) error {
		c.work = append(c.work, f)
		return option.RefuseNil("OnHash", []func(Parameters){f})
	}
}

// Realm sets what WWW-Authenticate calls that which is protected; "api" if it is not given.
func Realm(name string) Option {
	return func(c *config) error {
		c.realm = name
		if name == "" || len(name) > maxUser || strings.ContainsFunc(name, unquotable) {
			return fmt.Errorf("Realm(%q): want 1 to %d characters of ASCII without quotes", name, maxUser)
		}
		return nil
	}
}

func unquotable(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }
