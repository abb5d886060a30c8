package apikeyauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// Method is the Method of the principals.
const Method = "apikey"

// ErrUnknown is what a Find returns for an id that it does not know. The caller learns no more of it than of a wrong secret.
var ErrUnknown = errors.New("apikeyauth: the key is not known")

// Find looks up the record of a key by its id, of 12 characters of base 62. It returns ErrUnknown for one that there is not; any other
// error refuses the call as one that cannot be checked now. It must return when ctx ends, and is safe for concurrent use.
type Find func(ctx context.Context, id string) (Record, error)

// Authenticator is an auth.Authenticator for calls with an API key in a header field, never in the query. It is safe for concurrent use.
type Authenticator struct {
	find             Find
	prefix           string
	config           config
	cache            *cache // nil without Cache
	uses             *uses  // nil without Uses
	missing, invalid string // challenges
}

// New returns an Authenticator of keys of a prefix.
func New(prefix string, find Find, opts ...Option) (*Authenticator, error) {
	if find == nil {
		return nil, errors.New("apikeyauth: New: the Find is nil")
	}
	a := &Authenticator{find: find, prefix: prefix, config: config{realm: DefaultRealm}}
	err := checkPrefix(prefix)
	if err == nil {
		err = option.Set(&a.config, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("apikeyauth: New: %w", err)
	}
	if a.config.remember > 0 {
		a.cache = newCache(a.config.remember, a.config.ttl)
	}
	if a.config.uses > 0 {
		a.uses = &uses{max: a.config.uses}
	}
	a.missing = fmt.Sprintf("Bearer realm=%q", a.config.realm)
	a.invalid = a.missing + `, error="invalid_token"`
	if a.config.header != "" {
		a.missing = fmt.Sprintf("ApiKey realm=%q, header=%q", a.config.realm, a.config.header)
		a.invalid = a.missing
	}
	return a, nil
}

// Authenticate verifies the key of a call. The error is auth.ErrNone for one that has none; a bearer token that does not begin with the
// prefix is none, so that auth.AnyOf may have a verifier of other tokens after this one.
func (a *Authenticator) Authenticate(ctx context.Context, call *transport.Info) (*auth.Principal, error) {
	if a == nil || a.find == nil {
		return nil, errZero
	}
	key, err := a.read(call)
	if errors.Is(err, auth.ErrNone) {
		return nil, &auth.ChallengeError{Challenge: a.missing, Err: err}
	}
	var p *auth.Principal
	if err == nil {
		p, err = a.Verify(ctx, key)
	}
	if err != nil {
		return nil, &auth.ChallengeError{Challenge: a.invalid, Err: err}
	}
	return p, nil
}

func (a *Authenticator) read(call *transport.Info) (string, error) {
	if a.config.header != "" {
		return auth.Header(call, a.config.header)
	}
	key, err := auth.Authorization(call, "Bearer")
	if other, whole := prefixOf(key); err == nil && (!begins(key, a.prefix) || whole && other != a.prefix) {
		err = auth.ErrNone // shop_test_... begins with shop_, too
	}
	return key, err
}

var (
	errZero  = errors.New("apikeyauth: the Authenticator was not made by New")
	errWrong = errors.New("apikeyauth: the secret is wrong")
)

// Verify verifies a key that came in another way than Authenticate looks at. Nothing of the key but its id is in the error.
func (a *Authenticator) Verify(ctx context.Context, key string) (*auth.Principal, error) {
	if a == nil || a.find == nil {
		return nil, errZero
	}
	id, hash, err := split(key, a.prefix) // with the hash of ids that are not known, too
	if err != nil {
		return nil, fmt.Errorf("apikeyauth: %w", err)
	}
	asked := time.Now()
	now := asked
	record, known := a.cache.get(id, now)
	if !known {
		record, err = a.find(ctx, id)
		if err != nil && !errors.Is(err, ErrUnknown) {
			return nil, fmt.Errorf("apikeyauth: finding the key: %w: %v", auth.ErrUnavailable, err) //nolint:errorlint // nor may it be ErrNone
		}
	}
	same := subtle.ConstantTimeCompare(hash[:], record.Hash[:]) == 1
	switch {
	case err != nil:
		return nil, fmt.Errorf("apikeyauth: %s: %w", id, ErrUnknown)
	case !same || record.ID != id:
		return nil, fmt.Errorf("%w: of %s", errWrong, id)
	}
	if !known {
		now = time.Now() // the look-up may have taken long
	}
	if err := check(&record, now); err != nil {
		a.cache.drop(id) // what an older look-up found
		return nil, fmt.Errorf("apikeyauth: %s: %w", id, err)
	}
	p := record.Principal
	p.Method = Method
	if !record.Expires.IsZero() && (p.Expires.IsZero() || record.Expires.Before(p.Expires)) {
		p.Expires = record.Expires
	}
	if !p.Expires.IsZero() && !now.Before(p.Expires) {
		return nil, fmt.Errorf("apikeyauth: %s: the principal has expired", id)
	}
	if !known {
		a.cache.add(record, asked)
	}
	a.uses.add(id, now)
	return &p, nil
}

// Uses returns when which keys were last used since the last call of Uses, by id, and forgets it. Give it to the store now and then,
// from a job of the program's own; calls wait for nothing. It is empty without the option LastUsed.
func (a *Authenticator) Uses() map[string]time.Time {
	if a == nil {
		return nil
	}
	return a.uses.take()
}
