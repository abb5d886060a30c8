package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
)

// JWKS are the Keys that an issuer publishes at a URL, as a JWK Set (RFC 7517). They are fetched in the background: at once, again when
// the answer is no longer fresh, and soon after a failure. A token whose key is not known waits for them to be fetched anew, together with
// all other such tokens; how often that can be is limited. While the server does not answer well, the last keys are used for JWKSOutage.
//
// An answer replaces all that was there before: a key that is not in it is gone. One without any entry is taken for what it is; one with
// entries of which none can be used is an error.
type JWKS struct {
	url    string
	client *http.Client
	config jwksConfig

	ctx    context.Context //nolint:containedctx // of the goroutine that fetches
	cancel context.CancelFunc
	done   sync.WaitGroup
	ask    chan struct{}

	current atomic.Pointer[published]
	skipped string // what was reported as left out; of the goroutine

	mu       sync.Mutex
	fetching bool
	asked    bool          // a token wants them fetched next
	round    chan struct{} // closed at the end of what is fetched now, or next
	tried    time.Time     // when the last fetching ended that a token had asked for, or that failed
	failures int           // since the last success
	err      error
}

// published are keys as they came.
type published struct {
	keys  map[string]*Key // "" for one without kid
	at    time.Time       // when they came
	fresh time.Duration   // after how long they are fetched again
}

// NewJWKS returns the Keys of a URL, which is one of https. It does not wait for them, so that a service starts while its issuer is down.
// Close ends it.
func NewJWKS(url string, opts ...JWKSOption) (*JWKS, error) {
	j := &JWKS{url: url, ask: make(chan struct{}, 1), round: make(chan struct{}), fetching: true, config: jwksConfig{
		least: DefaultJWKSLeast, most: DefaultJWKSMost, pause: DefaultJWKSPause, outage: DefaultJWKSOutage, timeout: DefaultJWKSTimeout,
		bytes: DefaultJWKSBytes, keys: DefaultJWKSKeys, rsa: RS256,
	}}
	err := option.Set(&j.config, opts)
	if err == nil {
		err = j.config.check()
	}
	if err == nil {
		err = checkURL(url, j.config.plaintext)
	}
	if err != nil {
		return nil, fmt.Errorf("jwtauth: NewJWKS: %w", err)
	}
	j.client = httpClient(j.config.client)
	j.ctx, j.cancel = context.WithCancel(context.Background())
	j.done.Go(j.run)
	return j, nil
}

// Close ends what is being fetched, and waits for it. Then no token can be checked any more.
func (j *JWKS) Close() error {
	if j == nil || j.ask == nil {
		return nil
	}
	j.cancel()
	j.done.Wait()
	return nil
}

// Key returns the key of that id. It waits for keys to be fetched where it is not known, and they were not fetched just now.
func (j *JWKS) Key(ctx context.Context, id string) (*Key, error) {
	if j == nil || j.ask == nil {
		return nil, errZeroJWKS
	}
	for again := true; again; {
		if k := j.known(id); k != nil {
			return k, nil
		}
		var round <-chan struct{}
		if round, again = j.wanted(); round == nil {
			break
		}
		select {
		case <-round:
		case <-j.ctx.Done():
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: waiting for the keys of the issuer: %w", auth.ErrUnavailable, ctx.Err())
		}
	}
	if k := j.known(id); k != nil {
		return k, nil
	}
	return nil, j.refusal()
}

// known returns a key that may be used now.
func (j *JWKS) known(id string) *Key {
	p := j.current.Load()
	if p == nil || j.ctx.Err() != nil || time.Since(p.at) > j.config.outage {
		return nil
	}
	return p.keys[id]
}

// wanted sees to it that the keys are fetched, and returns what is closed then; nil where it was so lately that it is not done again.
// Under way says that it had begun before, so that the answer may be older than the token.
func (j *JWKS) wanted() (round <-chan struct{}, underWay bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fetching {
		return j.round, true
	}
	if time.Since(j.tried) < j.config.pause {
		return nil, false
	}
	j.asked = true
	select {
	case j.ask <- struct{}{}:
	default:
	}
	return j.round, false
}

// refusal says why there is no key: either it is not there, or that cannot be known.
func (j *JWKS) refusal() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch p := j.current.Load(); {
	case j.ctx.Err() != nil:
		return fmt.Errorf("%w: the JWKS is closed", auth.ErrUnavailable)
	case j.err != nil:
		return fmt.Errorf("%w: %w", auth.ErrUnavailable, j.err)
	case p == nil || time.Since(p.at) > j.config.outage:
		return fmt.Errorf("%w: there are no keys yet", auth.ErrUnavailable)
	}
	return errUnknownKey
}

// run fetches the keys until Close.
func (j *JWKS) run() {
	for {
		timer := time.NewTimer(j.refresh())
		for waiting := true; waiting; {
			select {
			case <-j.ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
				waiting = false
			case <-j.ask:
				waiting = !j.begin() // an ask that is late is answered by what was fetched meanwhile
			}
		}
		timer.Stop()
	}
}

// begin reports whether a token still waits for them to be fetched.
func (j *JWKS) begin() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.asked
}

// refresh fetches the keys once, and returns for how long to wait then.
func (j *JWKS) refresh() time.Duration {
	j.mu.Lock()
	asked := j.asked
	j.fetching, j.asked = true, false
	j.mu.Unlock()
	got, skipped, err := j.fetch()
	if err == nil {
		j.current.Store(got)
	}
	j.mu.Lock()
	j.err, j.fetching = err, false
	if asked || err != nil {
		j.tried = time.Now()
	}
	if j.failures++; err == nil {
		j.failures = 0
	}
	wait := j.config.pause << min(max(j.failures-1, 0), 3) // up to 8 times as long
	close(j.round)
	j.round = make(chan struct{})
	j.mu.Unlock()
	if err != nil {
		if j.ctx.Err() == nil {
			j.tell(err)
		}
		return min(spread(wait), j.config.most)
	}
	if text := fmt.Sprint(skipped); text != j.skipped {
		j.skipped = text
		j.tell(skipped...)
	}
	return spread(got.fresh)
}

// spread takes up to a tenth off, so that those who started together do not ask together.
func spread(d time.Duration) time.Duration { return d - time.Duration(rand.Float64()*float64(d)/10) } //nolint:gosec // no secret

// tell calls the functions of JWKSReport. One that panics is left at that: nobody else can recover on this goroutine.
func (j *JWKS) tell(errs ...error) {
	for _, report := range j.config.report {
		func() {
			defer func() { _ = recover() }()
			for _, err := range errs {
				report(fmt.Errorf("jwtauth: JWKS: %w", err))
			}
		}()
	}
}

// JWKSStatus is how a JWKS is doing, for a check of health or a log.
type JWKSStatus struct {
	// KeyIDs are those of the keys, in order.
	KeyIDs []string
	// Fetched is when they came, the zero time for never, and Until is the end of JWKSOutage.
	Fetched, Until time.Time
	// Err is why the last fetching failed, nil after a success.
	Err error
}

// Status says how it is doing. It fetches nothing.
func (j *JWKS) Status() (s JWKSStatus) {
	if j == nil || j.ask == nil {
		return JWKSStatus{Err: errZeroJWKS}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s.Err = j.err
	if p := j.current.Load(); p != nil {
		s.KeyIDs, s.Fetched, s.Until = slices.Sorted(maps.Keys(p.keys)), p.at, p.at.Add(j.config.outage)
	}
	return s
}

var errZeroJWKS = errors.New("the JWKS was not made by NewJWKS")
