package oauth2auth_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

// near is a small provider that no network is between, for the time of synctest.
type near struct {
	*small

	delay time.Duration
	down  bool
}

func newNear() *near {
	s := &small{Server: &httptest.Server{URL: "https://login.example"}, metadata: map[string]any{}, answers: map[string]http.HandlerFunc{}}
	return &near{small: s}
}

func (n *near) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	down, delay := n.down, n.delay
	n.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if down {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	n.ServeHTTP(w, r)
	return w.Result(), nil
}

func (n *near) verifier(t *testing.T, opts ...oauth2auth.ProviderOption) *oauth2auth.Verifier[all] {
	t.Helper()
	return must(oauth2auth.NewVerifier[all](provider(t, n.URL, append(opts, by(n))...), oauth2auth.Audience("orders")))(t)
}

// lasting is a token that does not expire in the time of a test.
func (n *near) lasting(t *testing.T, key *ecdsa.PrivateKey, id string) string {
	t.Helper()
	return sign(t, jose.ES256, key, id, n.claims(in("exp", 1000*time.Hour)))
}

func TestAKeyThatIsWithdrawnIsTakenUntilTheRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNear()
		first := n.addKey(t, "k1")
		n.addKey(t, "k2")
		v := n.verifier(t)
		token := n.lasting(t, first, "k1")
		must(v.Verify(t.Context(), token))(t)
		n.set(func() { n.keys = n.keys[1:] })
		time.Sleep(oauth2auth.DefaultRefresh - time.Nanosecond)
		must(v.Verify(t.Context(), token))(t)
		if have := n.fetches.Load(); have != 1 {
			t.Errorf("want the keys fetched once, have %d", have)
		}
		time.Sleep(time.Nanosecond)
		must(v.Verify(t.Context(), token))(t) // which has them fetched in the background
		synctest.Wait()
		if p, err := v.Verify(t.Context(), token); err == nil || errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want it refused, have %v, %v", p, err)
		}
		if have := n.fetches.Load(); have != 2 {
			t.Errorf("want the keys fetched twice, have %d", have)
		}
	})
}

func TestWhoWasIdleTakesNoKeyThatIsWithdrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNear()
		first := n.addKey(t, "k1")
		n.addKey(t, "k2")
		v := n.verifier(t)
		token := n.lasting(t, first, "k1")
		must(v.Verify(t.Context(), token))(t)
		time.Sleep(12 * time.Hour)
		n.set(func() { n.down, n.delay = true, time.Second })
		start := time.Now()
		must(v.Verify(t.Context(), token))(t) // it is down, which is seen
		must(v.Verify(t.Context(), token))(t) // and not waited for again
		if have := time.Since(start); have != time.Second {
			t.Errorf("want it waited for once, have %v", have)
		}
		n.set(func() { n.keys, n.down = n.keys[1:], false })
		time.Sleep(11 * time.Hour)
		if p, err := v.Verify(t.Context(), token); err == nil || errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want it refused, have %v, %v", p, err)
		}
	})
}

func TestANewKeyIsFetchedAtOnceAndAFloodOfThemIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNear()
		first := n.addKey(t, "k1")
		v := n.verifier(t)
		must(v.Verify(t.Context(), n.lasting(t, first, "k1")))(t)
		time.Sleep(oauth2auth.DefaultPause)
		if p, err := v.Verify(t.Context(), encoded(`{"alg":"none"}`)+"."+encoded(n.claims())+"."); err == nil || n.fetches.Load() != 1 {
			t.Errorf("want no question for what no provider signs, have %v, %d", p, n.fetches.Load())
		}
		second := n.addKey(t, "k2")
		must(v.Verify(t.Context(), n.lasting(t, second, "k2")))(t)
		before := n.fetches.Load()
		for i := range 10 {
			for j := range 100 {
				if p, err := v.Verify(t.Context(), n.lasting(t, second, fmt.Sprint("k", 3+i*100+j))); err == nil || errors.Is(err, auth.ErrUnavailable) {
					t.Fatalf("have %v, %v", p, err)
				}
				if p, err := v.Verify(t.Context(), n.lasting(t, second, "k1")); err == nil || errors.Is(err, auth.ErrUnavailable) {
					t.Fatalf("have %v, %v", p, err)
				}
			}
			time.Sleep(oauth2auth.DefaultPause)
		}
		if have := n.fetches.Load() - before; have != 9 {
			t.Errorf("want one in %v at most, have %d", oauth2auth.DefaultPause, have)
		}
	})
}

func TestAKeyOfTheSameNameIsNoticed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNear()
		n.addKey(t, "k1")
		p := provider(t, n.URL, by(n))
		if err := p.Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.set(func() { n.keys = nil })
		other := n.addKey(t, "k1")
		time.Sleep(oauth2auth.DefaultPause)
		v := must(oauth2auth.NewVerifier[all](p, oauth2auth.Audience("orders")))(t)
		must(v.Verify(t.Context(), n.lasting(t, other, "k1")))(t)
	})
}

func TestKeysLastThroughAnOutageThatIsNotTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNear()
		key := n.addKey(t, "k1")
		var told atomic.Int32
		v := n.verifier(t, oauth2auth.ProviderOnError(func(err error) {
			if !errors.Is(err, auth.ErrUnavailable) {
				told.Add(1)
			}
			panic("no log")
		}))
		token := n.lasting(t, key, "k1")
		must(v.Verify(t.Context(), token))(t)
		n.set(func() { n.down = true })
		time.Sleep(oauth2auth.DefaultOutage - time.Nanosecond)
		must(v.Verify(t.Context(), token))(t)
		synctest.Wait()
		if told.Load() != 1 {
			t.Errorf("want one failure told, have %d", told.Load())
		}
		if p, err := v.Verify(t.Context(), n.lasting(t, key, "k2")); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want ErrUnavailable for a key that may be new, have %v, %v", p, err)
		}
		time.Sleep(time.Nanosecond)
		if p, err := v.Verify(t.Context(), token); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want ErrUnavailable after the outage has lasted too long, have %v, %v", p, err)
		}
		n.set(func() { n.down = false })
		time.Sleep(oauth2auth.DefaultPause)
		must(v.Verify(t.Context(), token))(t)
	})
}

func TestTheProviderIsAskedByOneForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNear()
		key := n.addKey(t, "k1")
		n.delay = time.Second
		v := n.verifier(t)
		token := n.lasting(t, key, "k1")
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { must(v.Verify(t.Context(), token))(t) })
		}
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
			defer cancel()
			start := time.Now()
			if _, err := v.Verify(ctx, token); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second/2 {
				t.Errorf("after %v have %v", time.Since(start), err)
			}
		})
		all.Wait()
		if n.discoveries.Load() != 1 || n.fetches.Load() != 1 {
			t.Errorf("have %d, %d", n.discoveries.Load(), n.fetches.Load())
		}
	})
}

func TestAProviderThatIsDownIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNear()
		key := n.addKey(t, "k1")
		var asked atomic.Int32
		n.answers["/keys"] = func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(http.StatusBadGateway)
		}
		v := n.verifier(t)
		for range 10 {
			for range 20 {
				if _, err := v.Verify(t.Context(), n.lasting(t, key, "k1")); !errors.Is(err, auth.ErrUnavailable) {
					t.Fatalf("want ErrUnavailable, have %v", err)
				}
			}
			time.Sleep(oauth2auth.DefaultPause / 2)
		}
		if asked.Load() != 5 {
			t.Errorf("want it asked 5 times, have %d", asked.Load())
		}
	})
}

func TestEndpointsAreAsSafeAsTheIssuer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jwks_uri", "token_endpoint", "authorization_endpoint"} {
		n := newNear()
		n.addKey(t, "k1")
		if err := provider(t, n.URL, by(n)).Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.metadata[name] = "http://127.0.0.1:9/keys" // would do for an issuer of this machine
		before := n.fetches.Load()
		for _, opts := range [][]oauth2auth.ProviderOption{{by(n)}, {by(n), oauth2auth.Plaintext()}} {
			if err := provider(t, n.URL, opts...).Discover(t.Context()); !errors.Is(err, auth.ErrUnavailable) || n.fetches.Load() != before {
				t.Errorf("%s: have %v", name, err)
			}
		}
	}
}

func TestAProviderThatIsClosedGoesOnWithWhatItKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNear()
		key := n.addKey(t, "k1")
		p := provider(t, n.URL, by(n))
		v := must(oauth2auth.NewVerifier[all](p, oauth2auth.Audience("orders")))(t)
		must(v.Verify(t.Context(), n.lasting(t, key, "k1")))(t)
		n.set(func() { n.delay = time.Hour })
		time.Sleep(oauth2auth.DefaultRefresh)
		must(v.Verify(t.Context(), n.lasting(t, key, "k1")))(t)
		synctest.Wait()
		start := time.Now()
		if err := errors.Join(p.Close(), p.Close()); err != nil || time.Since(start) != 0 {
			t.Errorf("Close took %v: %v", time.Since(start), err)
		}
		must(v.Verify(t.Context(), n.lasting(t, key, "k1")))(t)
		late := provider(t, n.URL, by(n))
		_ = late.Close()
		if err := late.Discover(t.Context()); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want ErrUnavailable, have %v", err)
		}
	})
}
