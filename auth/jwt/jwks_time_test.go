package jwtauth_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

// trip is what a server answers, where time is not that of the machine.
type trip func() *http.Response

func (f trip) RoundTrip(*http.Request) (*http.Response, error) {
	if r := f(); r != nil {
		return r, nil
	}
	return nil, errors.New("nobody answers")
}

func answered(body string, header ...string) *http.Response {
	h := make(http.Header)
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func TestKeysAreFetchedAgainWhenTheyAreNotFresh(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	set := string(must(jwtauth.MarshalJWKS(key))(t))
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, c := range []struct {
		header func() []string
		want   time.Duration
	}{
		{func() []string { return nil }, 15 * time.Minute},
		{func() []string { return []string{"Cache-Control", "public, max-age=300"} }, 5 * time.Minute},
		{func() []string { return []string{"Cache-Control", `Max-Age="300"`} }, 5 * time.Minute},
		{func() []string { return []string{"Cache-Control", "max-age=300", "Age", "100"} }, 200 * time.Second},
		{func() []string { return []string{"Cache-Control", "max-age=300", "Age", "400"} }, time.Minute},
		{func() []string { return []string{"Cache-Control", "max-age=2000000000"} }, 15 * time.Minute},
		{func() []string { return []string{"Cache-Control", "max-age=99999999999999999999"} }, time.Minute},
		{func() []string { return []string{"Cache-Control", "max-age=-1"} }, time.Minute},
		{func() []string { return []string{"Cache-Control", "max-age=300, no-cache"} }, time.Minute},
		{func() []string { return []string{"Cache-Control", "no-store"} }, time.Minute},
		{func() []string { return []string{"Expires", date(5 * time.Minute)} }, 5 * time.Minute},
		{func() []string { return []string{"Expires", date(time.Hour + 5*time.Minute), "Date", date(time.Hour)} }, 5 * time.Minute},
		{func() []string { return []string{"Expires", "0"} }, time.Minute},
		{func() []string { return []string{"Expires", date(-time.Hour)} }, time.Minute},
		{func() []string { return []string{"Expires", date(time.Hour), "Cache-Control", "max-age=300"} }, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int64
			j := must(jwtauth.NewJWKS("https://login.example", jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response {
				asked.Add(1)
				return answered(set, c.header()...)
			})})))(t)
			defer j.Close()
			_ = must(j.Key(t.Context(), "k1"))(t)
			time.Sleep(c.want*9/10 - time.Second)
			synctest.Wait()
			if asked.Load() != 1 {
				t.Errorf("%v: it is asked before %v are over", c.header(), c.want*9/10)
			}
			time.Sleep(c.want/10 + 2*time.Second)
			synctest.Wait()
			if asked.Load() != 2 {
				t.Errorf("%v: it is asked %d times after %v", c.header(), asked.Load(), c.want)
			}
		})
	}
}

func TestAnOutageEndsAtItsLimit(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	set := string(must(jwtauth.MarshalJWKS(key))(t))
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		var asked, told atomic.Int64
		up.Store(true)
		j := must(jwtauth.NewJWKS("https://login.example?secret=1234", jwtauth.JWKSOutage(time.Hour), jwtauth.JWKSReport(func(err error) {
			told.Add(1)
			if strings.Contains(err.Error(), "1234") {
				t.Errorf("it has the query: %v", err)
			}
		}), jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response {
			if asked.Add(1); !up.Load() {
				return nil
			}
			return answered(set)
		})})))(t)
		defer j.Close()
		first := must(j.Key(t.Context(), "k1"))(t)
		up.Store(false)
		time.Sleep(59 * time.Minute)
		if k, err := j.Key(t.Context(), "k1"); err != nil || k != first {
			t.Errorf("have %v, %v", k, err)
		}
		time.Sleep(2 * time.Minute)
		if _, err := j.Key(t.Context(), "k1"); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("after the limit: have %v", err)
		}
		if n := asked.Load(); n < 20 || n > 60 || told.Load() < n-2 {
			t.Errorf("asked %d times in 46 minutes, told %d", n, told.Load())
		}
		up.Store(true)
		time.Sleep(80 * time.Second)
		if k, err := j.Key(t.Context(), "k1"); err != nil || k != first {
			t.Errorf("want the same key again, have %v, %v", k, err)
		}
	})
}

func TestAFloodOfUnknownKeysIsOneRequestAPause(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	set := string(must(jwtauth.MarshalJWKS(key))(t))
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		j := must(jwtauth.NewJWKS("https://login.example", jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response {
			asked.Add(1)
			time.Sleep(100 * time.Millisecond)
			return answered(set)
		})})))(t)
		defer j.Close()
		for i := range 1000 {
			if _, err := j.Key(t.Context(), fmt.Sprint("flood", i)); err == nil || errors.Is(err, auth.ErrUnavailable) {
				t.Fatalf("have %v", err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := asked.Load(); n < 9 || n > 11 {
			t.Errorf("want some ten requests in 100 s, have %d", n)
		}
	})
}

// TestAKeyIsFoundThatIsNewerThanTheLastAnswer holds that neither a scheduled fetching just before, nor one that is under way with an answer
// from before, has good tokens refused for a pause.
func TestAKeyIsFoundThatIsNewerThanTheLastAnswer(t *testing.T) {
	t.Parallel()
	old, _ := signing(t, "old")
	next, _ := signing(t, "new")
	sets := []string{string(must(jwtauth.MarshalJWKS(old))(t)), string(must(jwtauth.MarshalJWKS(old, next))(t))}
	for name, before := range map[string]time.Duration{"fetched just before": 200 * time.Millisecond, "under way": 50 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			var rotated atomic.Int64
			var asked atomic.Int64
			j := must(jwtauth.NewJWKS("https://login.example", jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response {
				set := sets[rotated.Load()]
				asked.Add(1)
				time.Sleep(100 * time.Millisecond)
				return answered(set)
			})})))(t)
			defer j.Close()
			time.Sleep(before)
			rotated.Store(1)
			if k, err := j.Key(t.Context(), "new"); err != nil || k.ID() != "new" {
				t.Errorf("%s: have %v, %v", name, k, err)
			}
			for i := range 10 {
				if _, err := j.Key(t.Context(), fmt.Sprint("flood", i)); err == nil {
					t.Errorf("%s: want an error", name)
				}
			}
			if n := asked.Load(); n != 2 {
				t.Errorf("%s: want two requests, have %d", name, n)
			}
		})
	}
}

// TestAServerThatFailsIsLeftAlone for a pause whoever calls, for longer after more failures, and for a pause again after a success.
func TestAServerThatFailsIsLeftAlone(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	set := string(must(jwtauth.MarshalJWKS(key))(t))
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		var mu sync.Mutex
		var at []time.Time
		asked := func() []time.Time {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(at)
		}
		j := must(jwtauth.NewJWKS("https://login.example", jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response {
			mu.Lock()
			at = append(at, time.Now())
			mu.Unlock()
			if up.Load() {
				return answered(set)
			}
			return nil
		})})))(t)
		defer j.Close()
		for i := range 50 {
			if _, err := j.Key(t.Context(), fmt.Sprint("flood", i)); !errors.Is(err, auth.ErrUnavailable) {
				t.Errorf("have %v", err)
			}
		}
		if n := len(asked()); n != 1 {
			t.Errorf("want one request, have %d", n)
		}
		time.Sleep(5 * time.Minute)
		times := asked()
		if last := times[len(times)-1].Sub(times[len(times)-2]); last < 70*time.Second || last > 80*time.Second {
			t.Errorf("want pauses of up to 80 s, have %v", last)
		}
		up.Store(true)
		time.Sleep(80 * time.Second)
		n := len(asked())
		up.Store(false)
		time.Sleep(16 * time.Minute)
		times = asked()
		if first := times[n+1].Sub(times[n]); first > 10*time.Second {
			t.Errorf("want a pause of 10 s at first, have %v", first)
		}
	})
}

func TestNoKeyIsUsedAfterClose(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	j := newLoginServer(t, published(t, key)).keys(t)
	_ = must(j.Key(t.Context(), "k1"))(t)
	_ = j.Close()
	if k, err := j.Key(t.Context(), "k1"); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("have %v, %v", k, err)
	}
}

func TestWhatIsLeftOutIsToldOnce(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	set := string(must(jwtauth.MarshalJWKS(key))(t))
	synctest.Test(t, func(t *testing.T) {
		var asked, told atomic.Int64
		var kind atomic.Value
		kind.Store("X")
		j := must(jwtauth.NewJWKS("https://login.example", jwtauth.JWKSReport(func(error) { told.Add(1) }),
			jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response {
				asked.Add(1)
				return answered(strings.Replace(set, `[`, fmt.Sprintf(`[{"kty":"oct","kid":"%v"},`, kind.Load()), 1))
			})})))(t)
		defer j.Close()
		time.Sleep(time.Hour)
		if asked.Load() < 4 || told.Load() != 1 {
			t.Errorf("told %d times in %d answers", told.Load(), asked.Load())
		}
		kind.Store("Y")
		time.Sleep(time.Hour)
		if told.Load() != 2 {
			t.Errorf("want another told, have %d", told.Load())
		}
	})
}
