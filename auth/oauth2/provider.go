package oauth2auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Defaults of the options of NewProvider.
const (
	DefaultRefresh = 15 * time.Minute // See ProviderRefresh.
	DefaultOutage  = 24 * time.Hour   // See ProviderOutage.
	DefaultPause   = 5 * time.Second  // See ProviderPause.
)

// Provider is an OpenID Connect provider: what its discovery says of it, and its keys. Verifiers and Logins share it.
//
// It is asked when it is first needed, by one question at a time, for which calls wait no longer than their own contexts; Discover asks
// before. What it says is used for ProviderRefresh, and asked for again in the background then; where nobody
// called for longer than that, Timeout and ProviderPause, the first calls wait for it. A token that names a key that is not known,
// or whose signature is wrong, has it asked again at once, but never sooner than ProviderPause after the last time, so that nobody makes it
// a flood. While the provider does not answer, what it said last is good for ProviderOutage. Where nothing is known of it, or of the key of
// a token, the error has auth.ErrUnavailable. It is safe for concurrent use. Close ends it.
type Provider struct {
	issuer string
	config providerConfig
	client *http.Client

	ctx    context.Context //nolint:containedctx // of the questions, which no call owns
	cancel context.CancelFunc
	done   sync.WaitGroup

	current atomic.Pointer[snapshot]

	mu     sync.Mutex
	closed bool
	asking *question
	failed error     // the last time, nil after a success
	next   time.Time // when it may be asked again
}

// question is one that goes on, with those who wait for its answer.
type question struct {
	done chan struct{} // closed when the rest is set
	got  *snapshot
	err  error
}

// ProviderOption configures NewProvider. An HTTPOption is one.
type ProviderOption interface {
	provider(c *providerConfig) error
}

type providerConfig struct {
	web

	refresh, outage, pause time.Duration
	onError                []func(error)
}

type providerOption func(*providerConfig) error

func (o providerOption) provider(c *providerConfig) error { return o(c) }

func (o HTTPOption) provider(c *providerConfig) error { return o(&c.web) }

// ProviderRefresh sets how old what is known of the provider gets before it is asked again; 15 min if it is not given. For as long, and for
// Timeout and ProviderPause, tokens are taken that were signed by a key that the provider has withdrawn.
func ProviderRefresh(d time.Duration) ProviderOption {
	return providerOption(func(c *providerConfig) error {
		c.refresh = d
		return option.Within("ProviderRefresh", d, time.Second, 24*time.Hour)
	})
}

// ProviderOutage sets how long what the provider said last is good while it does not answer; 24 h if it is not given. It is not less than
// ProviderRefresh.
func ProviderOutage(d time.Duration) ProviderOption {
	return providerOption(func(c *providerConfig) error {
		c.outage = d
		return option.Within("ProviderOutage", d, time.Second, 30*24*time.Hour)
	})
}

// ProviderPause sets the least time between two questions, after a failure and for keys that are not known; 5 s if it is not given. A new
// key that the provider tells of only after it has signed with it can be refused for so long.
func ProviderPause(d time.Duration) ProviderOption {
	return providerOption(func(c *providerConfig) error {
		c.pause = d
		return option.Within("ProviderPause", d, 10*time.Millisecond, time.Hour)
	})
}

// ProviderOnError adds a function that is told each failure of the provider, for the log: while what it said last is good, it is seen
// nowhere else. It is called on the goroutine that asked; a panic of it is dropped. It has to return: Close waits for it,
// in vain where it calls Close itself.
func ProviderOnError(f func(error)) ProviderOption {
	return providerOption(func(c *providerConfig) error {
		c.onError = append(c.onError, f)
		return option.RefuseNil("ProviderOnError", []func(error){f})
	})
}

// NewProvider returns the provider of that issuer, which is compared byte by byte with what its discovery and its tokens say. It asks
// nothing yet: a program starts while its provider is down. To have it fail then, call Discover.
func NewProvider(issuer string, opts ...ProviderOption) (*Provider, error) {
	p := &Provider{issuer: issuer, config: providerConfig{
		web: web{timeout: DefaultTimeout}, refresh: DefaultRefresh, outage: DefaultOutage, pause: DefaultPause,
	}}
	err := apply(opts, func(o ProviderOption) error { return o.provider(&p.config) })
	if err == nil {
		err = p.config.check(issuer)
	}
	if err != nil {
		return nil, fmt.Errorf("oauth2auth: NewProvider: %w", err)
	}
	p.client = p.config.bounded(false)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// check says what contradicts, and what is wrong with the issuer.
func (c *providerConfig) check(issuer string) error {
	switch u, err := c.endpoint("the issuer", issuer); {
	case err != nil:
		return err
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("the issuer has a query")
	case c.outage < c.refresh:
		return fmt.Errorf("ProviderOutage(%v) is less than ProviderRefresh(%v)", c.outage, c.refresh)
	case c.pause > c.refresh:
		return fmt.Errorf("ProviderPause(%v) is more than ProviderRefresh(%v)", c.pause, c.refresh)
	}
	return nil
}

// Discover asks the provider, unless what is known of it is good. The error says what is wrong; it may be tried again.
func (p *Provider) Discover(ctx context.Context) error {
	_, err := p.get(ctx)
	return err
}

// Close ends the question that goes on, and waits for it and for the functions of ProviderOnError, for Timeout at most: the error says that
// one of them goes on. What is known is used for its time.
func (p *Provider) Close() error {
	if p == nil || p.client == nil {
		return nil
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	if err := waitFor(&p.done, p.config.timeout); err != nil {
		return fmt.Errorf("oauth2auth: closing the Provider: %w", err)
	}
	return nil
}

// get returns what is known of the provider, and sees to it that it stays new.
func (p *Provider) get(ctx context.Context) (*snapshot, error) {
	if p == nil || p.client == nil {
		return nil, errZeroProvider
	}
	s := p.current.Load()
	if s == nil {
		return p.newer(ctx, nil)
	}
	age := time.Since(s.asked)
	switch {
	case age < p.config.refresh:
		return s, nil
	case age < p.config.outage && (age < p.config.refresh+p.grace() || p.failing()):
		_, _ = p.ask(s) // in the background
		return s, nil
	}
	again, err := p.newer(ctx, s)
	if err != nil && ctx.Err() == nil && time.Since(s.asked) < p.config.outage {
		return s, nil
	}
	return again, err
}

// grace is how long calls do not wait for a question that is due, so that one that is called all the time has none that waits.
func (p *Provider) grace() time.Duration { return p.config.timeout + p.config.pause }

// failing says that the provider did not answer just now, so that calls need not wait to see that again.
func (p *Provider) failing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed != nil && time.Since(p.next) < p.grace()
}

// newer waits for what the provider says after old, which was not enough. Where it may not be asked now, and did answer the last time,
// there is nothing newer, and old is returned.
func (p *Provider) newer(ctx context.Context, old *snapshot) (*snapshot, error) {
	q, err := p.ask(old)
	switch {
	case err != nil:
		return nil, unavailable("oauth2auth: the provider", err)
	case q == nil && (old == nil || time.Since(old.asked) >= p.config.outage):
		return nil, unavailable("oauth2auth: the provider", errors.New("what it said is too old, and it may not be asked yet"))
	case q == nil:
		return old, nil
	}
	select {
	case <-q.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("oauth2auth: waiting for the provider: %w: %w", auth.ErrUnavailable, ctx.Err())
	}
	if q.err != nil {
		return nil, unavailable("oauth2auth: the provider", q.err)
	}
	return q.got, nil
}

// ask returns the question that goes on, which it asks where nobody does; one that is answered already where something newer than old is
// known; nil where there is nothing newer, and it is too early to ask.
func (p *Provider) ask(old *snapshot) (*question, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking != nil {
		return p.asking, nil
	}
	q := &question{done: make(chan struct{})}
	if s := p.current.Load(); s != old && time.Since(s.asked) < p.config.refresh {
		q.got = s
		close(q.done)
		return q, nil
	}
	switch {
	case p.closed:
		return nil, errClosed
	case time.Now().Before(p.next):
		return nil, p.failed
	}
	p.asking = q
	p.done.Go(func() { p.run(q) })
	return q, nil
}

// run asks one question.
func (p *Provider) run(q *question) {
	ctx, cancel := context.WithTimeout(p.ctx, p.config.timeout)
	defer cancel()
	q.err = errors.New("it ended its goroutine")
	defer func() {
		if value := recover(); value != nil {
			q.err = fmt.Errorf("it panicked with a %T", value)
		}
		p.finish(q)
	}()
	q.got, q.err = p.discover(ctx)
}

// finish makes known what was answered.
func (p *Provider) finish(q *question) {
	if q.err == nil {
		p.current.Store(q.got)
	}
	p.mu.Lock()
	p.asking, p.failed, p.next = nil, q.err, time.Now().Add(p.config.pause)
	p.mu.Unlock()
	close(q.done)
	if q.err != nil {
		for _, told := range p.config.onError {
			p.tell(told, q.err)
		}
	}
}

// tell keeps a panic from the rest of the program, which has not called this goroutine.
func (p *Provider) tell(told func(error), err error) {
	defer func() { _ = recover() }()
	told(fmt.Errorf("oauth2auth: the provider: %w", err))
}

var errZeroProvider = errors.New("oauth2auth: the Provider was not made by NewProvider")
