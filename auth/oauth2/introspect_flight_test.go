package oauth2auth_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

func TestOneQuestionAtATimeForAToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(map[string]string{})
		a.delay = time.Second
		const tokens, calls = 5, 20
		for n := range tokens {
			a.known[fmt.Sprint("t", n)] = fmt.Sprintf(`"sub":"user %d","aud":"orders"`, n)
		}
		i := introspector(t, introspection, by(a))
		var all sync.WaitGroup
		for n := range tokens * calls {
			all.Go(func() {
				p, err := i.Introspect(t.Context(), fmt.Sprint("t", n%tokens))
				if err != nil || p.Subject != fmt.Sprint("user ", n%tokens) {
					t.Errorf("t%d: have %v, %v", n%tokens, p, err)
				}
			})
		}
		all.Wait()
		for n := range tokens {
			if have := a.times(fmt.Sprint("t", n)); have != 1 {
				t.Errorf("t%d: want it asked once, have %d", n, have)
			}
		}
	})
}

func TestAnAnswerIsNotUsedBeyondItsExp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(map[string]string{"good": ann(in("exp", 2*time.Second))})
		i := introspector(t, introspection, by(a))
		must(i.Introspect(t.Context(), "good"))(t)
		time.Sleep(2 * time.Second)
		must(i.Introspect(t.Context(), "good"))(t) // by the leeway, since the server says that it is active
		a.set(func() { delete(a.known, "good") })
		if p, err := i.Introspect(t.Context(), "good"); err == nil || a.times("good") != 3 {
			t.Errorf("want it asked about three times and refused, have %v, %d", p, a.times("good"))
		}
	})
}

func TestNobodyWaitsLongerThanTheyLike(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(map[string]string{"good": ann()})
		a.delay = 2 * time.Second
		i := introspector(t, introspection, by(a))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := i.Introspect(ctx, "good"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("after %v have %v", time.Since(start), err)
		}
		must(i.Introspect(t.Context(), "good"))(t) // by the question that the other has left
		if have := a.times("good"); have != 1 || time.Since(start) != 2*time.Second {
			t.Errorf("after %v: want it asked once, have %d", time.Since(start), have)
		}
		a.set(func() { a.delay = time.Hour })
		start = time.Now()
		if _, err := i.Introspect(t.Context(), "slow"); !errors.Is(err, auth.ErrUnavailable) || time.Since(start) != oauth2auth.DefaultTimeout {
			t.Errorf("after %v have %v", time.Since(start), err)
		}
	})
}

func TestQuestionsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(map[string]string{})
		a.delay = time.Second
		i := introspector(t, introspection, by(a), oauth2auth.Concurrency(2), oauth2auth.Timeout(10*time.Second))
		var all sync.WaitGroup
		var refused, waited, late atomic.Int32
		for n := range 40 {
			all.Go(func() {
				start := time.Now()
				_, err := i.Introspect(t.Context(), fmt.Sprint("t", n))
				switch {
				case !errors.Is(err, auth.ErrUnavailable):
					waited.Add(1)
				case time.Since(start) == 0:
					refused.Add(1)
				default:
					late.Add(1)
				}
			})
		}
		all.Wait()
		if refused.Load() != 8 || waited.Load()+late.Load() != 32 || waited.Load() < 18 || waited.Load() > 20 || a.most != 2 {
			t.Errorf("have %d refused, %d answered, %d late, %d at a time", refused.Load(), waited.Load(), late.Load(), a.most)
		}
	})
}

func TestCloseEndsConnections(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, `{"active":true,`+ann()+`}`)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			ended <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	i := introspector(t, s.URL)
	must(i.Introspect(t.Context(), "good"))(t)
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the connection stays")
	}
}

func TestClosedItRefusesWhatItDoesNotRemember(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(map[string]string{"good": ann(), "new": ann()})
		i := introspector(t, introspection, by(a))
		must(i.Introspect(t.Context(), "good"))(t)
		a.set(func() { a.delay = time.Hour })
		failed := make(chan error, 1)
		go func() {
			_, err := i.Introspect(t.Context(), "new")
			failed <- err
		}()
		synctest.Wait()
		start := time.Now()
		if err := errors.Join(i.Close(), i.Close()); err != nil || time.Since(start) != 0 {
			t.Errorf("Close took %v: %v", time.Since(start), err)
		}
		if err := <-failed; !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want ErrUnavailable, have %v", err)
		}
		must(i.Introspect(t.Context(), "good"))(t)
		if _, err := i.Introspect(t.Context(), "new"); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want ErrUnavailable, have %v", err)
		}
	})
}
