package auth

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// Defaults of the options of NewCredentials.
const (
	DefaultEarly     = time.Minute      // See Early.
	DefaultRefresh   = 10 * time.Second // See RefreshLimit.
	DefaultPause     = time.Second      // See Pause.
	earlyShare       = 4                // never earlier than in the last quarter of the time that a credential is good for
	unauthorizedWait = time.Second      // between two that are thrown away because a server did not take them
)

// Credentials attach what a Source gives to the calls of clients, on all transports, and renew it before it expires. Make one for each
// Source, and give its Middleware to the endpoints of all that take its credentials: they share what was fetched.
//
// A call takes the credential that there is, at the price of one look. In the last minute of its life (Early) a call begins to fetch the
// next one in the background, and waits for nothing; only where there is none that is good, calls wait for one fetch together, each no
// longer than its own context. After a failure the Source is left alone for a second (Pause), and calls without a good credential fail at
// once with Unavailable, ReasonUnavailable, and transport.ErrNotSent. When a server answers Unauthenticated, the credential that it was
// given is doubted, once in a second at most, and the next call fetches a new one, and takes the old one where there is none to be had; the
// call that failed is not repeated.
type Credentials struct {
	source Source
	config credentialsConfig

	ctx    context.Context //nolint:containedctx // of what is fetched in the background
	cancel context.CancelFunc
	done   sync.WaitGroup

	current atomic.Pointer[held]

	mu       sync.Mutex
	closed   bool
	fetching *fetch
	hangs    bool  // the Source, beyond its time
	failed   error // the last time, nil after a success
	retryAt  time.Time
	doubted  time.Time // the last time
}

// held is a credential with what is known of it.
type held struct {
	Credential

	renew   time.Time // zero for never
	doubted bool      // a server has not taken it
}

// fetch is one question to the Source, with those who wait for its answer.
type fetch struct {
	once sync.Once
	done chan struct{} // closed when the rest is set
	got  *held
	err  error
}

type credentialsConfig struct {
	early, limit, pause time.Duration
	onError             []func(error)
}

// CredentialsOption configures NewCredentials.
type CredentialsOption func(*credentialsConfig) error

// Early sets how long before a credential expires the next is fetched; one minute if it is not given. It is no more than a quarter of the
// time for which the credential is good when it comes.
func Early(d time.Duration) CredentialsOption {
	return func(c *credentialsConfig) error {
		c.early = d
		return option.Within("Early", d, time.Millisecond, 24*time.Hour)
	}
}

// RefreshLimit sets how long the Source may take; 10 s if it is not given. A call that waits for it waits no longer than its own context,
// while the fetching goes on for those who come later.
func RefreshLimit(d time.Duration) CredentialsOption {
	return func(c *credentialsConfig) error {
		c.limit = d
		return option.Within("RefreshLimit", d, time.Millisecond, time.Hour)
	}
}

// Pause sets for how long the Source is left alone after it failed; 1 s if it is not given.
func Pause(d time.Duration) CredentialsOption {
	return func(c *credentialsConfig) error {
		c.pause = d
		return option.Within("Pause", d, time.Millisecond, time.Hour)
	}
}

// OnRefreshError adds a function that is told each failure of the Source, for the log: a failure before the old credential has expired is
// seen nowhere else. It is called on a goroutine of the Credentials; a panic of it is lost.
func OnRefreshError(f func(error)) CredentialsOption {
	return func(c *credentialsConfig) error {
		c.onError = append(c.onError, f)
		return option.RefuseNil("OnRefreshError", []func(error){f})
	}
}

// NewCredentials returns Credentials from a Source, which is not asked before the first call. Close ends them.
func NewCredentials(source Source, opts ...CredentialsOption) (*Credentials, error) {
	if v := reflect.ValueOf(source); !v.IsValid() || v.Kind() == reflect.Func && v.IsNil() {
		return nil, errors.New("auth: NewCredentials: the Source is nil")
	}
	c := &Credentials{source: source, config: credentialsConfig{early: DefaultEarly, limit: DefaultRefresh, pause: DefaultPause}}
	if err := option.Set(&c.config, opts); err != nil {
		return nil, fmt.Errorf("auth: NewCredentials: %w", err)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// Close ends what is being fetched, and waits for it: for RefreshLimit at most, after which it is an error that the Source does not return.
// Calls go on with the credential that there is until it expires.
func (c *Credentials) Close() error {
	if c.source == nil {
		return nil
	}
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	idle := make(chan struct{})
	go func() {
		c.done.Wait()
		close(idle)
	}()
	timer := time.NewTimer(c.config.limit)
	defer timer.Stop()
	select {
	case <-idle:
		return nil
	case <-timer.C:
		return errHangs
	}
}

// Middleware attaches the credential to the calls of a client. It is an endpoint.Middleware: give the method itself,
// credentials.Middleware, to endpoint.New, with spec.Client(). It replaces a header field of the same name that WithHeader has set outside
// of it. On the endpoint of a server every call fails: it is the program that is wrong.
func (c *Credentials) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	if spec.Side != endpoint.Client {
		err := errUnwired.WithCause(fmt.Errorf("auth: Credentials are for clients, and %s is a server's; see Spec.Client", spec.Operation()))
		return func(context.Context, any) (any, error) { return nil, err }
	}
	return func(ctx context.Context, request any) (any, error) {
		h, err := c.get(ctx)
		if err != nil {
			return nil, err
		}
		response, err := next(transport.WithHeader(ctx, h.header(), h.Value), request)
		if err != nil && status.CodeOf(err) == status.Unauthenticated {
			c.doubt(h)
		}
		return response, err
	}
}

// Credential returns the credential of the moment, for clients that are none of Ashlar's. So Credentials are a Source themselves.
func (c *Credentials) Credential(ctx context.Context) (Credential, error) {
	h, err := c.get(ctx)
	if err != nil {
		return Credential{}, err
	}
	return h.Credential, nil
}

// get returns a good credential, and sees to it that there will be another.
func (c *Credentials) get(ctx context.Context) (*held, error) {
	h := c.current.Load()
	if h != nil && h.Expires.IsZero() && !h.doubted {
		return h, nil
	}
	now := time.Now()
	if h != nil && now.Before(h.renew) {
		return h, nil
	}
	f, failed := c.fetch(now)
	good := h != nil && (h.Expires.IsZero() || now.Before(h.Expires))
	switch {
	case good && (!h.doubted || failed != nil):
		return h, nil //nolint:nilerr // there is one that is good
	case failed != nil:
		return nil, unavailable(failed)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("auth: waiting for credentials: %w: %w", transport.ErrNotSent, ctx.Err())
	}
	switch {
	case f.err == nil:
		return f.got, nil
	case good:
		return h, nil
	}
	return nil, unavailable(f.err)
}

func unavailable(err error) error {
	return errNoCredential.WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, err))
}

var (
	errNoCredential = status.New(status.Unavailable, "no credentials can be had now").WithReason(ReasonUnavailable)
	errClosed       = errors.New("auth: the Credentials are closed")
	errZero         = errors.New("auth: the Credentials were not made by NewCredentials")
)

// fetch returns the question to the Source that goes on, which it begins where there is none.
func (c *Credentials) fetch(now time.Time) (*fetch, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.source == nil:
		return nil, errZero
	case c.closed:
		return nil, errClosed
	case c.fetching != nil:
		return c.fetching, nil
	case c.hangs:
		return nil, errHangs
	case c.failed != nil && now.Before(c.retryAt):
		return nil, c.failed
	}
	f := &fetch{done: make(chan struct{})}
	if h := c.current.Load(); h != nil && !h.doubted && (h.renew.IsZero() || now.Before(h.renew)) { // another call has just got it
		f.got = h
		close(f.done)
		return f, nil
	}
	c.fetching = f
	c.done.Go(func() { c.run(f) })
	return f, nil
}

// run asks the Source.
func (c *Credentials) run(f *fetch) {
	ctx, cancel := context.WithTimeout(c.ctx, c.config.limit)
	defer cancel()
	watched := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(watched)
		timer := time.NewTimer(hangGrace)
		defer timer.Stop()
		select {
		case <-f.done:
		case <-timer.C:
			c.finish(f, nil, errHangs)
		}
	})
	var got *held
	err := errors.New("auth: the Source ended its goroutine")
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("auth: the Source panicked: %v", value)
		}
		c.finish(f, got, err)
		if !unwatch() {
			<-watched
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.hangs = false
	}()
	got, err = c.ask(ctx)
}

// hangGrace is how long a Source may take to notice that its time is up.
const hangGrace = 100 * time.Millisecond

var errHangs = errors.New("auth: the Source does not return although its time is up")

func (c *Credentials) ask(ctx context.Context) (*held, error) {
	credential, err := c.source.Credential(ctx)
	now := time.Now()
	if err == nil {
		err = credential.check(now)
	}
	if err != nil {
		return nil, fmt.Errorf("auth: fetching credentials: %w", err)
	}
	h := &held{Credential: credential}
	if !credential.Expires.IsZero() {
		left := credential.Expires.Sub(now)
		h.renew = credential.Expires.Add(-min(c.config.early, left/earlyShare))
	}
	return h, nil
}

// finish makes known what the Source said, the first time that it is called for f.
func (c *Credentials) finish(f *fetch, got *held, err error) {
	f.once.Do(func() {
		f.got, f.err = got, err
		c.mu.Lock()
		c.fetching, c.failed = nil, err
		if err == nil {
			c.current.Store(got)
		} else {
			c.retryAt = time.Now().Add(c.config.pause)
		}
		c.hangs = errors.Is(err, errHangs)
		c.mu.Unlock()
		close(f.done)
		if err != nil {
			for _, told := range c.config.onError {
				tell(told, err)
			}
		}
	})
}

// tell calls a function of the user's on a goroutine that nobody else keeps from ending the process.
func tell(told func(error), err error) {
	defer func() { _ = recover() }()
	told(err)
}

// doubt notes that a server has not taken a credential: calls wait for another, and take this one only where there is none, since it may
// have been that server that was wrong.
func (c *Credentials) doubt(h *held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.doubted) < unauthorizedWait {
		return
	}
	if c.current.CompareAndSwap(h, &held{Credential: h.Credential, renew: now, doubted: true}) {
		c.doubted = now
	}
}
