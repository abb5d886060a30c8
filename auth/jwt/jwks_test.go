package jwtauth_test

import (
	"context"
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

// loginServer publishes keys over TLS.
type loginServer struct {
	*httptest.Server

	asked   atomic.Int64
	handler atomic.Pointer[http.Handler]
}

func newLoginServer(t testing.TB, h http.Handler) *loginServer {
	t.Helper()
	s := &loginServer{}
	s.answer(h)
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		(*s.handler.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *loginServer) answer(h http.Handler) { s.handler.Store(&h) }

func (s *loginServer) keys(t testing.TB, opts ...jwtauth.JWKSOption) *jwtauth.JWKS {
	t.Helper()
	j := must(jwtauth.NewJWKS(s.URL+"/keys", append([]jwtauth.JWKSOption{jwtauth.JWKSClient(s.Client())}, opts...)...))(t)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func text(answer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
}

func published(t testing.TB, keys ...*jwtauth.Key) http.Handler {
	t.Helper()
	return must(jwtauth.ServeJWKS(time.Minute, keys...))(t)
}

func signing(t testing.TB, id string) (*jwtauth.Key, *jwtauth.Signer) {
	t.Helper()
	key := must(jwtauth.NewKey(id, "", ecKey(t, elliptic.P256())))(t)
	return key, must(jwtauth.NewSigner(key, jwtauth.SignerIssuer("login"), jwtauth.SignerAudience("orders"), jwtauth.SignerSubject("ann")))(t)
}

func verifierOf(t testing.TB, keys jwtauth.Keys, opts ...jwtauth.Option) *jwtauth.Verifier[struct{}] {
	t.Helper()
	return must(jwtauth.New[struct{}](keys, append([]jwtauth.Option{jwtauth.Issuer("login"), jwtauth.Audience("orders")}, opts...)...))(t)
}

func signed(t testing.TB, s *jwtauth.Signer) string {
	t.Helper()
	token, _, err := s.Sign(nil)
	return must(token, err)(t)
}

func TestKeysOfAllKindsAreFetched(t *testing.T) {
	t.Parallel()
	var keys []*jwtauth.Key
	for i, private := range []any{rsaKey(t), ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384()), ecKey(t, elliptic.P521()), edKey(t)} {
		keys = append(keys, must(jwtauth.NewKey(fmt.Sprint("k", i), "", private))(t))
	}
	keys = append(keys, must(jwtauth.NewKey("k5", jwtauth.PS384, rsaKey(t)))(t))
	server := newLoginServer(t, published(t, keys...))
	j := server.keys(t)
	v := verifierOf(t, j)
	for _, key := range keys {
		signer := must(jwtauth.NewSigner(key, jwtauth.SignerIssuer("login"), jwtauth.SignerAudience("orders"), jwtauth.SignerSubject("ann")))(t)
		if _, err := v.Verify(t.Context(), signed(t, signer)); err != nil {
			t.Errorf("%v: %v", key, err)
		}
		if have := must(j.Key(t.Context(), key.ID()))(t); have.Algorithm() != key.Algorithm() {
			t.Errorf("want %v, have %v", key, have)
		}
	}
	s := j.Status()
	if !slices.Equal(s.KeyIDs, []string{"k0", "k1", "k2", "k3", "k4", "k5"}) || s.Err != nil || s.Until.Sub(s.Fetched) != jwtauth.DefaultJWKSOutage {
		t.Errorf("have %+v", s)
	}
	if n := server.asked.Load(); n != 1 {
		t.Errorf("want it asked once, have %d times", n)
	}
}

func TestKeysChangeUnderLoad(t *testing.T) {
	t.Parallel()
	old, oldSigner := signing(t, "old")
	next, nextSigner := signing(t, "new")
	server := newLoginServer(t, published(t, old))
	j := server.keys(t, jwtauth.JWKSPause(time.Millisecond))
	v := verifierOf(t, j)
	var signer atomic.Pointer[jwtauth.Signer]
	signer.Store(oldSigner)
	var calls [2]atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	for range 8 {
		work.Go(func() {
			for ctx.Err() == nil {
				s := signer.Load()
				token, _, _ := s.Sign(nil)
				if _, err := v.Verify(t.Context(), token); err != nil {
					t.Errorf("a good token is refused: %v", err)
					return
				}
				if s == oldSigner {
					calls[0].Add(1)
				} else {
					calls[1].Add(1)
				}
			}
		})
	}
	eventually(t, func() bool { return calls[0].Load() > 100 })
	server.answer(published(t, old, next))
	signer.Store(nextSigner)
	eventually(t, func() bool { return calls[1].Load() > 100 })
	stop()
	work.Wait()
	server.answer(published(t, next))
	eventually(t, func() bool { // a token that names no key has them fetched
		_, err := j.Key(t.Context(), "nobody's")
		_, gone := v.Verify(t.Context(), signed(t, oldSigner))
		return err != nil && gone != nil
	})
	if _, err := v.Verify(t.Context(), signed(t, oldSigner)); err == nil || errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a key that was taken away: have %v", err)
	}
	if _, err := v.Verify(t.Context(), signed(t, nextSigner)); err != nil {
		t.Error(err)
	}
}

// eventually waits until is holds.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("it does not come to be")
		}
	}
}

func TestTheLastKeysAreUsedInAnOutage(t *testing.T) {
	t.Parallel()
	key, signer := signing(t, "k1")
	server := newLoginServer(t, published(t, key))
	j := server.keys(t, jwtauth.JWKSPause(time.Millisecond))
	v := verifierOf(t, j)
	token := signed(t, signer)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]http.Handler{
		"down":     http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"503":      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }),
		"not JSON": text("<html>"), "no keys": text("{}"), "none of use": text(`{"keys":[{"kty":"oct","k":"AAAA"}]}`),
	} {
		server.answer(h)
		eventually(t, func() bool {
			_, err := j.Key(t.Context(), "another")
			return errors.Is(err, auth.ErrUnavailable)
		})
		if s := j.Status(); s.Err == nil || len(s.KeyIDs) != 1 {
			t.Errorf("%s: have %+v", name, s)
		}
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	server.answer(published(t, key))
	eventually(t, func() bool {
		_, err := j.Key(t.Context(), "another")
		return err != nil && !errors.Is(err, auth.ErrUnavailable)
	})
	server.answer(text(`{"keys":[]}`))
	eventually(t, func() bool {
		_, _ = j.Key(t.Context(), "another")
		_, err := v.Verify(t.Context(), token)
		return err != nil && !errors.Is(err, auth.ErrUnavailable)
	})
}

func TestUnknownKeysDoNotDriveRequests(t *testing.T) {
	t.Parallel()
	key, signer := signing(t, "k1")
	release := make(chan struct{})
	server := newLoginServer(t, nil)
	h := published(t, key)
	server.answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		h.ServeHTTP(w, r)
	}))
	j := server.keys(t, jwtauth.JWKSPause(time.Minute))
	v := verifierOf(t, j)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Key(gone, "k1"); !errors.Is(err, context.Canceled) || !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a call that ended: have %v", err)
	}
	var work sync.WaitGroup
	var refused, taken atomic.Int64
	for i := range 400 {
		work.Go(func() {
			if i%4 == 0 {
				if _, err := v.Verify(t.Context(), signed(t, signer)); err == nil {
					taken.Add(1)
				}
				return
			}
			if _, err := j.Key(t.Context(), fmt.Sprint("flood", i)); err != nil && !errors.Is(err, auth.ErrUnavailable) {
				refused.Add(1)
			}
		})
	}
	eventually(t, func() bool { return server.asked.Load() == 1 })
	close(release)
	work.Wait()
	// One request was under way when they came, so that there is another for those that its answer did not have.
	if refused.Load() != 300 || taken.Load() != 100 || server.asked.Load() != 2 {
		t.Errorf("refused %d, taken %d, by %d requests", refused.Load(), taken.Load(), server.asked.Load())
	}
}

func TestAServerThatIsSlowEndsWithTheTimeout(t *testing.T) {
	t.Parallel()
	server := newLoginServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for r.Context().Err() == nil { // byte by byte
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			<-tick.C
		}
	}))
	j := server.keys(t, jwtauth.JWKSTimeout(50*time.Millisecond))
	start := time.Now()
	if _, err := j.Key(t.Context(), "k1"); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("have %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	hangs := server.keys(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := hangs.Key(ctx, "k1"); !errors.Is(err, auth.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call with less time: have %v", err)
	}
	if err := hangs.Close(); err != nil { // while it is being fetched
		t.Error(err)
	}
	if _, err := hangs.Key(t.Context(), "k1"); !errors.Is(err, auth.ErrUnavailable) || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed: have %v", err)
	}
}

// TestTheClientOfItsOwn gets keys over plaintext of this machine, and over TLS whose certificate is from nobody whom the machine trusts.
func TestTheClientOfItsOwn(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	plain := httptest.NewServer(published(t, key))
	defer plain.Close()
	j := must(jwtauth.NewJWKS(plain.URL))(t)
	defer j.Close()
	if _, err := j.Key(t.Context(), "k1"); err != nil {
		t.Error(err)
	}
	untrusted := must(jwtauth.NewJWKS(newLoginServer(t, published(t, key)).URL))(t)
	defer untrusted.Close()
	if _, err := untrusted.Key(t.Context(), "k1"); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("have %v", err)
	}
}

// TestManyComeAndGoWhileItCloses holds that nobody waits for ever, and no goroutine stays.
func TestManyComeAndGoWhileItCloses(t *testing.T) {
	t.Parallel()
	server := newLoginServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	j := server.keys(t)
	var work sync.WaitGroup
	for i := range 100 {
		work.Go(func() {
			if _, err := j.Key(t.Context(), fmt.Sprint("k", i)); !errors.Is(err, auth.ErrUnavailable) {
				t.Errorf("have %v", err)
			}
		})
	}
	eventually(t, func() bool { return server.asked.Load() > 0 })
	for range 4 {
		work.Go(func() { _ = j.Close() })
	}
	work.Wait()
}
