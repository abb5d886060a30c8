package oauth2auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

const introspection = "https://login.example/introspect"

// authority is an authorization server that no network is between, which answers for each token what it knows.
type authority struct {
	mu     sync.Mutex
	known  map[string]string // what it says of a token besides that it is active
	asked  map[string]int
	last   *http.Request
	delay  time.Duration
	down   bool
	active atomic.Int32 // questions at a time
	most   int32
}

func newAuthority(known map[string]string) *authority {
	return &authority{known: known, asked: map[string]int{}}
}

func (a *authority) RoundTrip(r *http.Request) (*http.Response, error) {
	now := a.active.Add(1)
	defer a.active.Add(-1)
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	token := r.PostForm.Get("token")
	a.mu.Lock()
	a.asked[token]++
	a.last, a.most = r, max(a.most, now)
	said, known := a.known[token]
	down, delay := a.down, a.delay
	a.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if down {
		return nil, errors.New("connection refused")
	}
	if !known {
		return answer(`{"active":false}`), nil
	}
	return answer(`{"active":true,` + said + `}`), nil
}

func (a *authority) times(token string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[token]
}

func (a *authority) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

// ann is what is said of a good token.
func ann(more ...string) string {
	return strings.Join(append([]string{`"sub":"ann","aud":"orders"`}, more...), ",")
}

func in(claim string, d time.Duration) string {
	return fmt.Sprintf("%q:%d", claim, time.Now().Add(d).Unix())
}

func TestTheQuestionIsThatOfTheRFC(t *testing.T) {
	t.Parallel()
	a := newAuthority(map[string]string{"t1": ann(`"iss":"https://login.example","scope":"read write","token_type":"bearer","roles":{"orders":["staff"]}`)})
	i := must(oauth2auth.NewIntrospector[struct {
		Scope string `json:"scope"`
	}](introspection, oauth2auth.ClientBasic("or:ders", "s&cret"), by(a), oauth2auth.Audience("payments", "orders"), oauth2auth.Roles("roles", "orders"),
		oauth2auth.Issuer("https://login.example"), oauth2auth.Scopes("write"), oauth2auth.Require("iss")))(t)
	defer i.Close()
	p := must(i.Authenticate(t.Context(), call("bearer t1")))(t)
	if p.String() != "ann@https://login.example" || !p.HasRole("staff") || len(p.Scopes) != 2 || !p.Expires.IsZero() {
		t.Errorf("have %+v", p)
	}
	if claims, ok := auth.ClaimsOf[struct {
		Scope string `json:"scope"`
	}](p); !ok || claims.Scope != "read write" {
		t.Errorf("have %+v", p.Claims)
	}
	id, secret, _ := a.last.BasicAuth()
	form := a.last.PostForm
	if a.last.Method != http.MethodPost || a.last.URL.String() != introspection || id != "or%3Aders" || secret != "s%26cret" ||
		form.Get("token_type_hint") != "access_token" || a.last.Header.Get("Accept") != "application/json" {
		t.Errorf("have %s %v, %q, %v", a.last.Method, a.last.URL, id, form)
	}
}

func TestAServiceProvesItselfByATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	a := newAuthority(map[string]string{"t1": ann()})
	i := must(oauth2auth.NewIntrospector[all](introspection, oauth2auth.ClientBearer(auth.Bearer("own")), by(a), oauth2auth.Audience("orders")))(t)
	defer i.Close()
	must(i.Introspect(t.Context(), "t1"))(t)
	if have := a.last.Header.Get("Authorization"); have != "Bearer own" {
		t.Errorf("have %q", have)
	}
	none := must(oauth2auth.NewIntrospector[all](introspection, oauth2auth.ClientBearer(auth.SourceFunc(func(context.Context) (auth.Credential, error) {
		return auth.Credential{}, fmt.Errorf("no token: %w", auth.ErrNone)
	})), by(a), oauth2auth.Audience("orders")))(t)
	defer none.Close()
	if _, err := none.Introspect(t.Context(), "t1"); !errors.Is(err, auth.ErrUnavailable) || errors.Is(err, auth.ErrNone) {
		t.Errorf("want ErrUnavailable, have %v", err)
	}
}

func TestAnswersAreRememberedForTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(map[string]string{
			"good": ann(), "short": ann(in("exp", 10*time.Second)), "other": `"sub":"ann","aud":"payments"`,
		})
		i := introspector(t, introspection, by(a), oauth2auth.Leeway(0), oauth2auth.CacheTTL(time.Minute), oauth2auth.RefusedTTL(5*time.Second))
		ask := func(token string, good bool, times int) {
			t.Helper()
			if _, err := i.Introspect(t.Context(), token); (err == nil) != good || errors.Is(err, auth.ErrUnavailable) {
				t.Errorf("%s: have %v", token, err)
			}
			if have := a.times(token); have != times {
				t.Errorf("%s: want it asked %d times, have %d", token, times, have)
			}
		}
		for range 3 {
			ask("good", true, 1)
			ask("short", true, 1)
			ask("other", false, 1)
			ask("bad", false, 1)
		}
		time.Sleep(5*time.Second - time.Nanosecond)
		ask("bad", false, 1)
		ask("other", false, 1)
		time.Sleep(time.Nanosecond)
		ask("bad", false, 2)
		ask("other", false, 2)
		time.Sleep(5*time.Second - time.Nanosecond)
		ask("short", true, 1)
		time.Sleep(time.Nanosecond)
		ask("short", false, 2) // the server says it is active, and we know better
		a.set(func() { delete(a.known, "good") })
		time.Sleep(50*time.Second - time.Nanosecond)
		ask("good", true, 1) // revoked, and still remembered
		time.Sleep(time.Nanosecond)
		ask("good", false, 2)
	})
}

func TestTheTimeCountsFromTheQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(map[string]string{"good": ann()})
		a.delay = 3 * time.Second
		i := introspector(t, introspection, by(a), oauth2auth.CacheTTL(4*time.Second))
		must(i.Introspect(t.Context(), "good"))(t)
		time.Sleep(time.Second) // four after it was asked
		must(i.Introspect(t.Context(), "good"))(t)
		if have := a.times("good"); have != 2 {
			t.Errorf("want it asked 2 times, have %d", have)
		}
	})
}

func TestWithoutATimeAllAsk(t *testing.T) {
	t.Parallel()
	a := newAuthority(map[string]string{"good": ann()})
	i := introspector(t, introspection, by(a), oauth2auth.CacheTTL(0))
	for n := range 3 {
		must(i.Introspect(t.Context(), "good"))(t)
		if _, err := i.Introspect(t.Context(), "bad"); err == nil {
			t.Error("want it refused")
		}
		if a.times("good") != n+1 || a.times("bad") != n+1 {
			t.Errorf("%d: have %d, %d", n, a.times("good"), a.times("bad"))
		}
	}
}

func TestAnOutageIsNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(map[string]string{"good": ann(), "new": ann()})
		i := introspector(t, introspection, by(a), oauth2auth.CacheTTL(time.Minute))
		must(i.Introspect(t.Context(), "good"))(t)
		a.set(func() { a.down = true })
		must(i.Introspect(t.Context(), "good"))(t)
		if _, err := i.Introspect(t.Context(), "new"); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want ErrUnavailable, have %v", err)
		}
		time.Sleep(time.Minute)
		if p, err := i.Introspect(t.Context(), "good"); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want the last good answer not used beyond its time, have %v, %v", p, err)
		}
		a.set(func() { a.down = false })
		must(i.Introspect(t.Context(), "good"))(t) // an outage is not remembered
		must(i.Introspect(t.Context(), "new"))(t)
	})
}

func TestWhatIsNoAnswerIsNotRemembered(t *testing.T) {
	t.Parallel()
	a := &asked{said: []string{`}{`, `{"sub":"ann"}`, `{"active":true,` + ann() + `}`}}
	i := introspector(t, introspection, by(a), oauth2auth.RefusedTTL(time.Minute))
	for range 2 {
		if _, err := i.Introspect(t.Context(), "good"); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want ErrUnavailable, have %v", err)
		}
	}
	must(i.Introspect(t.Context(), "good"))(t)
}

func TestTokensThatAreMadeUpDriveOutNoGoodOne(t *testing.T) {
	t.Parallel()
	a := newAuthority(map[string]string{"good": ann()})
	i := introspector(t, introspection, by(a), oauth2auth.CacheSize(8), oauth2auth.RefusedTTL(time.Minute))
	must(i.Introspect(t.Context(), "good"))(t)
	for n := range 1000 {
		if _, err := i.Introspect(t.Context(), fmt.Sprint("t", n)); err == nil {
			t.Fatal("want it refused")
		}
	}
	must(i.Introspect(t.Context(), "good"))(t)
	if have := a.times("good"); have != 1 {
		t.Errorf("want it asked once, have %d", have)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	const size = 8
	known := map[string]string{}
	for n := range 100 {
		known[fmt.Sprint("t", n)] = fmt.Sprintf(`"sub":"user %d","aud":"orders"`, n)
	}
	a := newAuthority(known)
	i := introspector(t, introspection, by(a), oauth2auth.CacheSize(size))
	for round := range 2 {
		for n := range 100 {
			if p := must(i.Introspect(t.Context(), fmt.Sprint("t", n)))(t); p.Subject != fmt.Sprint("user ", n) {
				t.Fatalf("round %d: t%d is %v", round, n, p)
			}
		}
	}
	total := 0
	for n := range 100 {
		total += a.times(fmt.Sprint("t", n))
	}
	if total < 200-size {
		t.Errorf("want no more than %d remembered, have %d questions of 200", size, total)
	}
}
