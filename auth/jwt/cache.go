package jwtauth

import (
	"context"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/keyed"
)

// cache remembers tokens that were found good, whole: to hash a token of 2 KB takes longer than all else that is done to look it up.
type cache struct{ seen *keyed.Map[*seen] }

// seen is what is known of one token.
type seen struct {
	text      string // the token itself: the hash of the Map is too short to prove that it is the same
	id        string // of the header
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
	// That it is not compared in constant time tells nothing: one is compared only where 62 bits of a hash with a secret seed are the same.
	if s == nil || s.text != token || s.over(time.Now()) {
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
	s.text = strings.Clone(token) // without the header that it came in
	e := c.seen.Acquire(token, time.Now().UnixNano())
	*e.Value = s
	e.Release()
}
