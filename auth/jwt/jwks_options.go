package jwtauth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Defaults of the options of NewJWKS.
const (
	DefaultJWKSLeast   = time.Minute      // See JWKSFresh.
	DefaultJWKSMost    = 15 * time.Minute // See JWKSFresh.
	DefaultJWKSPause   = 10 * time.Second // See JWKSPause.
	DefaultJWKSOutage  = 24 * time.Hour   // See JWKSOutage.
	DefaultJWKSTimeout = 5 * time.Second  // See JWKSTimeout.
	DefaultJWKSBytes   = 256 << 10        // See JWKSLimit.
	DefaultJWKSKeys    = 100              // See JWKSLimit.
)

type jwksConfig struct {
	least, most, pause, outage, timeout time.Duration

	bytes, keys int
	plaintext   bool
	client      *http.Client
	rsa         Algorithm
	report      []func(error)
}

// JWKSOption configures NewJWKS.
type JWKSOption func(*jwksConfig) error

// JWKSFresh sets after how long the keys are fetched again, so that those are noticed that the issuer took away: what Cache-Control or
// Expires of the answer say, but from least to most; from 1 to 15 minutes if it is not given. An answer that does not say it is fresh for
// most.
func JWKSFresh(least, most time.Duration) JWKSOption {
	return func(c *jwksConfig) error {
		c.least, c.most = least, most
		if least > most {
			return fmt.Errorf("JWKSFresh(%v, %v): the first is longer than the second", least, most)
		}
		return errors.Join(
			option.Within("JWKSFresh: least", least, time.Second, 24*time.Hour),
			option.Within("JWKSFresh: most", most, time.Second, 24*time.Hour),
		)
	}
}

// JWKSPause sets how long the server is left alone after a failure, and after it was asked for a token that names a key that is not known;
// 10 s if it is not given. Such tokens have the keys fetched anew once in that time at most, however many there are of them, besides when
// JWKSFresh says so.
func JWKSPause(d time.Duration) JWKSOption {
	return func(c *jwksConfig) error {
		c.pause = d
		return option.Within("JWKSPause", d, time.Millisecond, time.Hour)
	}
}

// JWKSOutage sets for how long the keys of the last answer are used while there is no other; 24 hours if it is not given. After it all
// tokens are refused as ones that cannot be checked now.
func JWKSOutage(d time.Duration) JWKSOption {
	return func(c *jwksConfig) error {
		c.outage = d
		return option.Within("JWKSOutage", d, time.Second, 30*24*time.Hour)
	}
}

// JWKSTimeout sets how long the server may take for all of its answer; 5 s if it is not given. A call waits no longer than its own context.
func JWKSTimeout(d time.Duration) JWKSOption {
	return func(c *jwksConfig) error {
		c.timeout = d
		return option.Within("JWKSTimeout", d, time.Millisecond, time.Minute)
	}
}

// JWKSLimit sets the most bytes and keys of an answer; 256 KiB and 100 if it is not given. One with more is not taken.
func JWKSLimit(bytes, keys int) JWKSOption {
	return func(c *jwksConfig) error {
		c.bytes, c.keys = bytes, keys
		return errors.Join(option.Within("JWKSLimit: bytes", bytes, 64, 16<<20), option.Within("JWKSLimit: keys", keys, 1, 10_000))
	}
}

// JWKSPlaintext lets the URL be one of http. Whoever is on the way can then put in keys of his own, and sign tokens with them. Without it
// http is for loopback only.
func JWKSPlaintext() JWKSOption {
	return func(c *jwksConfig) error {
		c.plaintext = true
		return nil
	}
}

// JWKSClient sets the client that fetches, with roots and a proxy of its own. Redirects are not followed whatever it says. Without it the
// roots are those of the system, and the proxy is that of the environment.
func JWKSClient(client *http.Client) JWKSOption {
	return func(c *jwksConfig) error {
		if c.client != nil {
			return errors.New("JWKSClient: it is given twice")
		}
		c.client = client
		if client == nil {
			return errors.New("JWKSClient: the client is nil")
		}
		return nil
	}
}

// JWKSRSA sets what RSA keys are for that do not say it, by alg; RS256 if it is not given.
func JWKSRSA(algorithm Algorithm) JWKSOption {
	return func(c *jwksConfig) error {
		c.rsa = algorithm
		if !slices.Contains([]Algorithm{RS256, RS384, RS512, PS256, PS384, PS512}, algorithm) {
			return fmt.Errorf("JWKSRSA(%q): want an algorithm of RSA", algorithm)
		}
		return nil
	}
}

// JWKSReport adds a function that is told, for the log, why the keys could not be fetched, and which of them are left out and why. What is
// left out is told once, until the set changes. It is called by the goroutine that fetches, so that it must return soon. Nothing of a key
// but its kid is in the error.
func JWKSReport(f func(error)) JWKSOption {
	return func(c *jwksConfig) error {
		c.report = append(c.report, f)
		return option.RefuseNil("JWKSReport", []func(error){f})
	}
}

// check says what contradicts.
func (c *jwksConfig) check() error {
	switch {
	case c.pause > c.least:
		return fmt.Errorf("JWKSPause is %v, longer than the %v of JWKSFresh", c.pause, c.least)
	case c.most > c.outage:
		return fmt.Errorf("JWKSFresh is up to %v, longer than JWKSOutage with %v", c.most, c.outage)
	}
	return nil
}
