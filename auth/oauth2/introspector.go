package oauth2auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/keyed"
	"github.com/ashlar-go/ashlar/transport"
)

// Introspector is an auth.Authenticator for calls with a token in the header field Authorization: Bearer that only the server which gave it
// out understands. It asks that server by token introspection, RFC 7662. The Claims of its Principals are a C, which auth.ClaimsOf reads: a
// struct with the members of the answer that matter, map[string]any for all, or struct{} for none. Calls with one token share them.
//
// What the server says of a token is remembered for CacheTTL at most, and never beyond its exp: a token that is revoked is taken that much
// longer. It is kept under a hash of the token with a secret of the Introspector, whole, so that no answer is used for another token.
// However many calls come with a token, it is asked about once at a time.
//
// Where the server cannot be asked, or does not answer as it should, the error has auth.ErrUnavailable, and the call is refused: what was
// said before is not used beyond its time. It is safe for concurrent use. Close ends it.
type Introspector[C any] struct {
	*introspection

	missing, invalid string
}

// introspection is what does not depend on the type of the claims.
type introspection struct {
	config introspectorConfig
	url    string
	as     ClientAuth
	client *http.Client
	decode func(text []byte) (any, error)

	hashes sync.Pool // of *hasher, with the secret
	good   *keyed.Map[remembered]
	bad    *keyed.Map[remembered] // apart, so that tokens that somebody makes up drive out no good one

	ctx    context.Context //nolint:containedctx // of the questions, which no call owns
	cancel context.CancelFunc
	done   sync.WaitGroup
	slots  chan struct{} // has room for as many questions as may be asked at a time

	mu      sync.Mutex
	closed  bool
	flights map[digest]*flight
}

// NewIntrospector returns an Introspector that asks the endpoint. Audience is required, or AnyAudience. It does not ask before the first
// call.
func NewIntrospector[C any](endpoint string, as ClientAuth, opts ...IntrospectorOption) (*Introspector[C], error) {
	i := &introspection{
		url: endpoint, as: as, flights: map[digest]*flight{},
		config: introspectorConfig{
			web: web{timeout: DefaultTimeout}, checks: newChecks(),
			ttl: DefaultCacheTTL, badTTL: DefaultRefusedTTL, size: DefaultCacheSize, concurrency: DefaultConcurrency,
		},
		decode: func(text []byte) (any, error) {
			var c C
			err := unmarshal(text, &c)
			return c, err
		},
	}
	err := apply(opts, func(o IntrospectorOption) error { return o.introspector(&i.config) })
	if err == nil {
		err = i.config.check()
	}
	if err == nil {
		_, err = i.config.endpoint("the address of the introspection endpoint", endpoint)
	}
	if err == nil {
		err = as.check()
	}
	if err != nil {
		return nil, fmt.Errorf("oauth2auth: NewIntrospector: %w", err)
	}
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails
	i.hashes.New = func() any { return &hasher{Hash: hmac.New(sha256.New, secret)} }
	over := func(r *remembered, now int64) bool { return r.until <= now }
	i.good, i.bad = keyed.New(i.config.size, over), keyed.New(i.config.size, over)
	i.client = i.config.bounded(true)
	i.slots = make(chan struct{}, i.config.concurrency)
	i.ctx, i.cancel = context.WithCancel(context.Background())
	return &Introspector[C]{introspection: i, missing: i.config.missing(), invalid: i.config.invalid()}, nil
}

// Authenticate asks about the token of a call. The error is auth.ErrNone for one that has none, or another scheme.
func (i *Introspector[C]) Authenticate(ctx context.Context, call *transport.Info) (*auth.Principal, error) {
	if i == nil || i.introspection == nil {
		return nil, errZeroIntrospector
	}
	return authenticate(call, i.missing, i.invalid, func(token string) (*auth.Principal, error) { return i.Introspect(ctx, token) })
}

// authenticate reads the token of a call and says what is wrong with it by challenges.
func authenticate(call *transport.Info, missing, invalid string, verify func(string) (*auth.Principal, error)) (*auth.Principal, error) {
	token, err := auth.Authorization(call, "Bearer")
	if errors.Is(err, auth.ErrNone) {
		return nil, &auth.ChallengeError{Challenge: missing, Err: err}
	}
	var p *auth.Principal
	if err == nil {
		p, err = verify(token)
	}
	if err != nil {
		return nil, &auth.ChallengeError{Challenge: invalid, Err: err}
	}
	return p, nil
}

// Introspect asks about a token that came in another way than Authenticate looks at. Nothing of the token is in the error.
func (i *Introspector[C]) Introspect(ctx context.Context, token string) (*auth.Principal, error) {
	if i == nil || i.introspection == nil {
		return nil, errZeroIntrospector
	}
	if err := checkToken(token, i.config.maxToken); err != nil {
		return nil, fmt.Errorf("oauth2auth: %w", err)
	}
	id := i.digest(token)
	if r, ok := i.recall(token, &id, time.Now().UnixNano()); ok {
		return r.principal, r.err
	}
	return i.wait(ctx, token, id)
}

// Close ends the questions that go on, and waits for them, for Timeout at most: the error says that one goes on, which is by a Source or a
// client that does not heed its context. What is remembered is used for its time; all other calls are refused.
func (i *Introspector[C]) Close() error {
	if i == nil || i.introspection == nil {
		return nil
	}
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	i.cancel()
	err := waitFor(&i.done, i.config.timeout)
	i.client.CloseIdleConnections()
	if err != nil {
		return fmt.Errorf("oauth2auth: closing the Introspector: %w", err)
	}
	return nil
}

var (
	errZeroIntrospector = errors.New("oauth2auth: the Introspector was not made by NewIntrospector")
	errClosed           = errors.New("it is closed")
)
