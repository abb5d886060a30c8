package oauth2auth

import (
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Defaults of the options of NewIntrospector.
const (
	DefaultCacheTTL    = 30 * time.Second // See CacheTTL.
	DefaultRefusedTTL  = 5 * time.Second  // See RefusedTTL.
	DefaultCacheSize   = 10_000           // See CacheSize.
	DefaultConcurrency = 64               // See Concurrency.
)

// IntrospectorOption configures NewIntrospector. A CheckOption and an HTTPOption are one.
type IntrospectorOption interface {
	introspector(c *introspectorConfig) error
}

type introspectorConfig struct {
	web
	checks

	issuers, types    []string
	ttl, badTTL       time.Duration
	size, concurrency int
}

type introspectorOption func(*introspectorConfig) error

func (o introspectorOption) introspector(c *introspectorConfig) error { return o(c) }

func (o HTTPOption) introspector(c *introspectorConfig) error { return o(&c.web) }

func (o CheckOption) introspector(c *introspectorConfig) error { return o(&c.checks) }

// CacheTTL sets for how long at most it is remembered that a token is good; 30 s if it is not given, 1 h at most. For as long a token is
// taken that was revoked, and for nothing longer. With 0 every call asks.
func CacheTTL(d time.Duration) IntrospectorOption {
	return introspectorOption(func(c *introspectorConfig) error {
		c.ttl = d
		return option.Within("CacheTTL", d, 0, time.Hour)
	})
}

// RefusedTTL sets for how long it is remembered that a token is not good, or not for this service; 5 s if it is not given, 1 min at most.
// It is no longer than CacheTTL. With 0 every call asks.
func RefusedTTL(d time.Duration) IntrospectorOption {
	return introspectorOption(func(c *introspectorConfig) error {
		c.badTTL = d
		return option.Within("RefusedTTL", d, 0, time.Minute)
	})
}

// CacheSize sets how many good tokens, and how many others, are remembered at a time; 10,000 if it is not given. Those that are not used go
// first.
func CacheSize(n int) IntrospectorOption {
	return introspectorOption(func(c *introspectorConfig) error {
		c.size = n
		return option.Within("CacheSize", n, 1, 10_000_000)
	})
}

// Concurrency sets how many questions are asked at a time; 64 if it is not given. Others wait for their turn, within Timeout, and when 16
// times as many do, further ones are refused at once with auth.ErrUnavailable.
func Concurrency(n int) IntrospectorOption {
	return introspectorOption(func(c *introspectorConfig) error {
		c.concurrency = n
		return option.Within("Concurrency", n, 1, 10_000)
	})
}

// Issuer takes tokens only of which the answer says that one of these has issued them, by iss, which servers need not tell. Without it the
// endpoint alone vouches for them.
func Issuer(names ...string) IntrospectorOption {
	return introspectorOption(func(c *introspectorConfig) error {
		c.issuers = append(c.issuers, slices.Clone(names)...)
		return refuseEmpty("Issuer", names)
	})
}

// IntrospectorType takes tokens with one of these for typ, too, without regard to case. Without it those without typ are taken, and with
// Bearer, as Keycloak calls access tokens, at+jwt and application/at+jwt (RFC 9068): others are refresh tokens, ID tokens and the like.
func IntrospectorType(names ...string) IntrospectorOption {
	return introspectorOption(func(c *introspectorConfig) error {
		c.types = append(c.types, names...)
		return refuseEmpty("IntrospectorType", names)
	})
}
