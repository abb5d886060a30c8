package jwtauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/keyed"
)

// cache remembers tokens that were found good. The tokens themselves are not in it.
type cache struct{ seen *keyed.Map[*seen] }

// seen is what is known of one token.
type seen struct {
	sum       [sha256.Size]byte // of the token: the hash of the Map is too short to prove that it is the same
	id        string            // of the header
	key       *Key
	principal *auth.Principal
	token     Token
}

func (s *seen) over(now time.Time) bool {
	return !s.token.Expires.IsZero() && !now.Before(s.token.Expires)
}

func newCache(n int) *cache {
	return &cache{keyed.New(n, func(s **seen, now int64) bool { return *s == nil || (*s).over(time.Unix(0, now)) })}
}

// find returns what is known of a token that is good still: it has not expired, and its key is the one that Keys have for it now.
func (c *cache) find(ctx context.Context, token string, keys Keys) *seen {
	if c == nil {
		return nil
	}
	s, _ := c.seen.Lookup(token)
	if s == nil || s.over(time.Now()) {
		return nil
	}
	if sum := sumOf(token); subtle.ConstantTimeCompare(sum[:], s.sum[:]) != 1 {
		return nil
	}
	if key, err := keys.Key(ctx, s.id); err != nil || key != s.key {
		return nil
	}
	return s
}

func (c *cache) add(token string, s *seen) {
	if c == nil {
		return
	}
	s.sum = sumOf(token)
	e := c.seen.Acquire(token, time.Now().UnixNano())
	*e.Value = s
	e.Release()
}

// sumOf hashes a token, without a copy of it on the heap where it is no longer than most are.
func sumOf(token string) [sha256.Size]byte {
	var most [1024]byte
	if len(token) > len(most) {
		return sha256.Sum256([]byte(token))
	}
	return sha256.Sum256(most[:copy(most[:], token)])
}
