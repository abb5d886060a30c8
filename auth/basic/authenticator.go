package basicauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// Method is the Method of the principals.
const Method = "basic"

// ErrUnknown is what a Find returns for a user whom it does not know. The caller learns no more of it than of a wrong password, and
// waits as long.
var ErrUnknown = errors.New("basicauth: the user is not known")

// User is what a Find knows of one user.
type User struct {
	// Hash is that of the password, as NewHash makes it. A user whose Hash is empty, or none, or beyond the limits, is refused.
	Hash string
	// Principal is who calls. An empty Subject becomes the name of the user; Method is always "basic".
	Principal auth.Principal
}

// String returns the principal, and nothing of the hash.
func (u User) String() string { return u.Principal.String() }

// GoString returns the same as String.
func (u User) GoString() string { return u.String() }

// LogValue is the same as String, for package slog.
func (u User) LogValue() slog.Value { return slog.StringValue(u.String()) }

// Find looks up a user by the name as it came: UTF-8 without colon and control characters, up to 256 bytes, neither folded nor normalized.
// It returns ErrUnknown for one that there is not; any other error refuses the call as one that cannot be checked now. It must return
// when ctx ends, and is safe for concurrent use.
type Find func(ctx context.Context, user string) (User, error)

// Authenticator is an auth.Authenticator for calls with the header field Authorization: Basic. It is safe for concurrent use.
type Authenticator struct {
	find      Find
	config    config
	dummy     *parsed // what unknown users are verified against
	gate      chan struct{}
	waiting   atomic.Int64
	cache     *cache // nil without Cache
	challenge string
}

// New returns an Authenticator of the users that find finds. It makes a hash of the wanted parameters, and takes as long.
func New(find Find, opts ...Option) (*Authenticator, error) {
	if find == nil {
		return nil, errors.New("basicauth: New: the Find is nil")
	}
	a := &Authenticator{find: find, config: defaults()}
	if err := option.Set(&a.config, opts); err != nil {
		return nil, fmt.Errorf("basicauth: New: %w", err)
	}
	hash, err := NewHash("nobody's password", a.config.want)
	if err != nil {
		return nil, err
	}
	if a.dummy, err = parse(hash); err != nil {
		return nil, fmt.Errorf("basicauth: New: %w", err)
	}
	a.gate = make(chan struct{}, a.config.concurrent)
	if a.config.remember > 0 {
		a.cache = newCache(a.config.remember, a.config.ttl)
	}
	a.challenge = fmt.Sprintf("Basic realm=%q, charset=\"UTF-8\"", a.config.realm)
	return a, nil
}

// Authenticate verifies the user and the password of a call. The error is auth.ErrNone for one that has none, or another scheme, and
// auth.ErrUnavailable where find fails or too many others are being verified. While a hash is computed, which takes its time, ctx is not
// looked at; while it waits, it is.
func (a *Authenticator) Authenticate(ctx context.Context, call *transport.Info) (*auth.Principal, error) {
	if a == nil || a.find == nil {
		return nil, errZero
	}
	token, err := auth.Authorization(call, "Basic")
	var p *auth.Principal
	if err == nil {
		p, err = a.verify(ctx, token)
	}
	if err != nil {
		return nil, &auth.ChallengeError{Challenge: a.challenge, Err: err}
	}
	return p, nil
}

var (
	errZero  = errors.New("basicauth: the Authenticator was not made by New")
	errWrong = errors.New("basicauth: the password is wrong")
)

func (a *Authenticator) verify(ctx context.Context, token string) (*auth.Principal, error) {
	name, password, err := decode(token)
	if err != nil {
		return nil, fmt.Errorf("basicauth: %w", err)
	}
	user, err := a.find(ctx, name)
	unknown := errors.Is(err, ErrUnknown)
	if err != nil && !unknown {
		return nil, fmt.Errorf("basicauth: finding the user: %w: %v", auth.ErrUnavailable, err) //nolint:errorlint // nor may it be ErrNone
	}
	key := a.cache.key(name, user.Hash, password)
	if unknown || !a.cache.has(key) {
		if err := a.hash(ctx, name, password, user.Hash, unknown); err != nil {
			return nil, err
		}
		a.cache.add(key)
	}
	p := user.Principal
	p.Method = Method
	if p.Subject == "" {
		p.Subject = name
	}
	if !p.Expires.IsZero() && !time.Now().Before(p.Expires) {
		return nil, errors.New("basicauth: the user has expired")
	}
	return &p, nil
}

// hash computes the one hash that every call costs, whatever is wrong with it.
func (a *Authenticator) hash(ctx context.Context, name, password, stored string, unknown bool) error {
	var bad error
	h := a.dummy
	if unknown {
		bad = ErrUnknown
	} else if own, err := parse(stored); err != nil {
		bad = fmt.Errorf("basicauth: %w", err)
	} else {
		h = own
	}
	if err := a.enter(ctx); err != nil {
		return err
	}
	defer a.leave()
	a.work(h.Parameters)
	good := h.verify(password)
	switch {
	case bad != nil:
		return bad
	case !good || password == "":
		return errWrong
	case len(a.config.weak) > 0 && NeedsRehash(stored, a.config.want):
		a.rehash(ctx, name, password)
	}
	return nil
}

func (a *Authenticator) work(p Parameters) {
	for _, told := range a.config.work {
		told(p)
	}
}

func (a *Authenticator) rehash(ctx context.Context, name, password string) {
	if a.config.want.Cost > 0 && len(password) > MaxBcrypt {
		return // it stays with what it has
	}
	a.work(a.config.want)
	hash, err := NewHash(password, a.config.want)
	if err != nil {
		return
	}
	for _, told := range a.config.weak {
		told(ctx, name, hash)
	}
}

// enter waits for the right to compute a hash.
func (a *Authenticator) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("basicauth: %w: %w", auth.ErrUnavailable, err)
	}
	select {
	case a.gate <- struct{}{}:
		return nil
	default:
	}
	if a.waiting.Add(1) > int64(a.config.waiting) {
		a.waiting.Add(-1)
		return fmt.Errorf("basicauth: %w: %d are being verified and %d wait", auth.ErrUnavailable, a.config.concurrent, a.config.waiting)
	}
	defer a.waiting.Add(-1)
	select {
	case a.gate <- struct{}{}:
		if err := ctx.Err(); err != nil {
			a.leave()
			return fmt.Errorf("basicauth: waiting to be verified: %w: %w", auth.ErrUnavailable, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("basicauth: waiting to be verified: %w: %w", auth.ErrUnavailable, ctx.Err())
	}
}

func (a *Authenticator) leave() { <-a.gate }
