package basicauth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/ashlar-go/ashlar/auth"
	basicauth "github.com/ashlar-go/ashlar/auth/basic"
	"github.com/ashlar-go/ashlar/transport"
)

func TestCallersAreKnownByTheirPasswords(t *testing.T) {
	t.Parallel()
	a := newAuthenticator(t, users())
	p, err := a.Authenticate(t.Context(), as("ann", password))
	if err != nil || p.Subject != "ann" || p.Issuer != "quarry" || p.Method != "basic" || !p.HasRole("mason") {
		t.Errorf("want ann, have %+v, %v", p, err)
	}
	if p, err = a.Authenticate(t.Context(), as("bob", password)); err != nil || p.Subject != "robert" || p.Method != "basic" {
		t.Errorf("want robert, have %+v, %v", p, err)
	}
	lower := call("bAsIc   " + base64.StdEncoding.EncodeToString([]byte("ann:"+password)))
	if _, err = a.Authenticate(t.Context(), lower); err != nil {
		t.Errorf("want schemes in any case, have %v", err)
	}
	for _, c := range []*transport.Info{nil, {}, call("Bearer x"), call("Basically x")} {
		if _, err := a.Authenticate(t.Context(), c); !errors.Is(err, auth.ErrNone) {
			t.Errorf("want ErrNone, have %v", err)
		}
	}
}

func TestBadCredentialsAreRefusedWithoutAWordOfThem(t *testing.T) {
	t.Parallel()
	raw := func(text string) *transport.Info {
		return call("Basic " + base64.StdEncoding.EncodeToString([]byte(text)))
	}
	a := newAuthenticator(t, users())
	for name, c := range map[string]*transport.Info{
		"no base64":       call("Basic ***"),
		"two fields":      call("Basic YTpi", "Basic YTpi"),
		"trailing bits":   call("Basic YTpjf="),
		"line feed":       call("Basic YTpi\nYTpj"),
		"nothing":         call("Basic "),
		"url base64":      call("Basic _-__"),
		"oversize":        as("ann", strings.Repeat("x", 1025)),
		"huge":            as("ann", strings.Repeat("x", 20_000)),
		"long user":       as(strings.Repeat("a", 257), password),
		"no colon":        raw("ann"),
		"no user":         as("", password),
		"no password":     as("ann", ""),
		"empty hash":      as("empty", ""),
		"some for empty":  as("empty", password),
		"huge hash":       as("huge", password),
		"colon in user":   as("ann:x", password),
		"NUL in password": as("bob", password+"\x00"),
		"NUL in user":     as("ann\x00", password),
		"tab":             as("ann", password+"\t"),
		"C1 control":      as("ann", password+"\u0085"),
		"no UTF-8":        as("ann", password+"\xff"),
		"unknown":         as("eve", password),
		"another case":    as("Ann", password),
		"wrong":           as("ann", password[1:]),
		"longer":          as("ann", password+"x"),
		"wrong bcrypt":    as("bob", password[1:]),
	} {
		p, err := a.Authenticate(t.Context(), c)
		var challenge *auth.ChallengeError
		if p != nil || err == nil || errors.Is(err, auth.ErrNone) || errors.Is(err, auth.ErrUnavailable) || !errors.As(err, &challenge) {
			t.Errorf("%s: want it bad, have %v, %v", name, p, err)
			continue
		}
		if challenge.Challenge != `Basic realm="api", charset="UTF-8"` {
			t.Errorf("%s: have %s", name, challenge.Challenge)
		}
		if s := err.Error(); strings.Contains(s, "granite") || strings.Contains(s, salt) {
			t.Errorf("%s: %s has a secret in it", name, s)
		}
	}
}

func TestBcryptDoesNotTakeAPasswordForItsBeginning(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 72)
	hash := must(basicauth.NewHash(long, basicauth.Bcrypt(4)))
	a := newAuthenticator(t, func(context.Context, string) (basicauth.User, error) { return basicauth.User{Hash: hash}, nil })
	if _, err := a.Authenticate(t.Context(), as("ann", long)); err != nil {
		t.Error(err)
	}
	if _, err := a.Authenticate(t.Context(), as("ann", long+"x")); err == nil {
		t.Error("want 73 bytes refused")
	}
}

func TestWhatAStoreMayHoldAndNobodyMayUse(t *testing.T) {
	t.Parallel()
	nothing := string(must(bcrypt.GenerateFromPassword(nil, bcrypt.MinCost)))
	hash := must(basicauth.NewHash(password, quick()))
	for given, u := range map[string]basicauth.User{
		"":       {Hash: nothing},
		password: {Hash: hash, Principal: auth.Principal{Expires: time.Now().Add(-time.Second)}},
	} {
		a := newAuthenticator(t, func(context.Context, string) (basicauth.User, error) { return u, nil })
		if p, err := a.Authenticate(t.Context(), as("ann", given)); p != nil || err == nil || errors.Is(err, auth.ErrNone) {
			t.Errorf("%q: want it refused, have %v, %v", given, p, err)
		}
	}
}

func TestEveryUserCostsTheSame(t *testing.T) {
	t.Parallel()
	var work []basicauth.Parameters
	a := newAuthenticator(t, users(), basicauth.OnHash(func(p basicauth.Parameters) { work = append(work, p) }))
	for name, c := range map[string]*transport.Info{
		"known": as("ann", password), "wrong": as("ann", "x"), "no password": as("ann", ""), "unknown": as("eve", password), "empty": as("empty", "x"),
		"huge": as("huge", "x"), "too long for bcrypt": as("eve", strings.Repeat("x", 80)),
	} {
		work = nil
		_, _ = a.Authenticate(t.Context(), c)
		if len(work) != 1 || work[0] != quick() {
			t.Errorf("%s: want one hash of %v, have %v", name, quick(), work)
		}
	}
}

func TestACallThatCannotBeCheckedSaysSo(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"store": errors.New("gone"), "none": auth.ErrNone, "unavailable": auth.ErrUnavailable} {
		a := newAuthenticator(t, func(context.Context, string) (basicauth.User, error) { return basicauth.User{}, failure })
		if _, err := a.Authenticate(t.Context(), as("ann", password)); !errors.Is(err, auth.ErrUnavailable) || errors.Is(err, auth.ErrNone) {
			t.Errorf("%s: want unavailable, have %v", name, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		a := newAuthenticator(t, func(ctx context.Context, _ string) (basicauth.User, error) {
			<-ctx.Done()
			return basicauth.User{}, ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Authenticate(ctx, as("ann", password)); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want unavailable, have %v", err)
		}
	})
}

func TestAFloodWaitsAndIsThenRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hold, running := make(chan struct{}), atomic.Int64{}
		a := newAuthenticator(t, users(), basicauth.Concurrency(1, 1), basicauth.OnHash(func(basicauth.Parameters) {
			if running.Add(1) > 1 {
				t.Error("two hashes at a time")
			}
			<-hold
			running.Add(-1)
		}))
		results := make(chan error, 3)
		ask := func(ctx context.Context) {
			_, err := a.Authenticate(ctx, as("ann", password))
			results <- err
		}
		go ask(t.Context())
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		go ask(ctx)
		synctest.Wait()
		ask(t.Context()) // there is no place to wait
		if err := <-results; !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want unavailable, have %v", err)
		}
		cancel()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("want who waits to go with its context, have %v", err)
		}
		go ask(t.Context()) // where the other has waited
		synctest.Wait()
		close(hold)
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestPanicsGoOnAndHoldNothing(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]basicauth.Option{
		"OnHash": {basicauth.OnHash(func(basicauth.Parameters) { panic("x") })},
		"OnWeak": {basicauth.Want(basicauth.Parameters{Memory: 65, Passes: 1, Lanes: 1}), basicauth.OnWeak(func(context.Context, string, string) { panic("x") })},
	} {
		a := newAuthenticator(t, users(), append(opts, basicauth.Concurrency(1, 0))...)
		for range 3 {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: want the panic", name)
					}
				}()
				_, _ = a.Authenticate(t.Context(), as("ann", password))
			}()
		}
	}
}

func TestAPanicOfFindGoesOn(t *testing.T) {
	t.Parallel()
	a := newAuthenticator(t, func(context.Context, string) (basicauth.User, error) { panic("x") }, basicauth.Concurrency(1, 0))
	defer func() {
		if recover() != "x" {
			t.Error("want the panic")
		}
	}()
	_, _ = a.Authenticate(t.Context(), as("ann", password))
}

func TestASuccessIsRememberedUntilTheUserChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		work, all := 0, users()
		find := all
		a := newAuthenticator(t, func(ctx context.Context, user string) (basicauth.User, error) { return find(ctx, user) },
			basicauth.Cache(2, time.Minute), basicauth.OnHash(func(basicauth.Parameters) { work++ }))
		ask := func(user, password string, wantWork int, good bool) {
			t.Helper()
			work = 0
			if _, err := a.Authenticate(t.Context(), as(user, password)); (err == nil) != good || work != wantWork {
				t.Errorf("%s: want %d hashes and good %v, have %d, %v", user, wantWork, good, work, err)
			}
		}
		ask("ann", password, 1, true)
		ask("ann", password, 0, true)
		ask("ann", "wrong", 1, false)
		ask("ann", "wrong", 1, false)
		time.Sleep(time.Minute)
		ask("ann", password, 1, true)
		find = func(context.Context, string) (basicauth.User, error) { return basicauth.User{}, basicauth.ErrUnknown }
		ask("ann", password, 1, false)
		find = all
		ask("ann", password, 0, true)
		ask("ann", password[:len(password)-2]+"xy", 1, false)
		find = users() // with new salts, as after a change
		ask("ann", password, 1, true)
		ask("bob", password, 1, true) // the third, for which the oldest goes
		ask("bob", password, 0, true)
		ask("ann", password, 0, true)
		find = all
		ask("ann", password, 1, true)
	})
}

func TestAWeakHashIsReplaced(t *testing.T) {
	t.Parallel()
	stored := must(basicauth.NewHash(password, basicauth.Bcrypt(4)))
	told := 0
	a := newAuthenticator(t, func(context.Context, string) (basicauth.User, error) { return basicauth.User{Hash: stored}, nil },
		basicauth.OnWeak(func(_ context.Context, user, hash string) {
			if told++; user != "ann" {
				t.Errorf("have %s", user)
			}
			stored = hash
		}))
	_, _ = a.Authenticate(t.Context(), as("ann", "wrong"))
	for range 2 {
		if _, err := a.Authenticate(t.Context(), as("ann", password)); err != nil {
			t.Error(err)
		}
	}
	if p, err := basicauth.ParametersOf(stored); told != 1 || err != nil || p != quick() {
		t.Errorf("want it replaced once by %v, have %d times, %v, %v", quick(), told, p, err)
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]basicauth.Option{
		"Want":                   basicauth.Want(basicauth.Parameters{}),
		"Concurrency of hashes":  basicauth.Concurrency(0, 1),
		"Concurrency of waiting": basicauth.Concurrency(1, -1),
		"Cache of entries":       basicauth.Cache(0, time.Minute),
		"Cache for":              basicauth.Cache(1, 2*time.Hour),
		"OnWeak":                 basicauth.OnWeak(nil),
		"OnHash":                 basicauth.OnHash(nil),
		"Realm":                  basicauth.Realm(`a"b`),
		"option":                 nil,
	} {
		if _, err := basicauth.New(users(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error of %s, have %v", want, err)
		}
	}
	if _, err := basicauth.New(nil); err == nil {
		t.Error("want a nil Find refused")
	}
	for _, a := range []*basicauth.Authenticator{nil, {}} {
		if p, err := a.Authenticate(t.Context(), as("ann", password)); p != nil || err == nil || errors.Is(err, auth.ErrNone) {
			t.Errorf("want it refused, have %v, %v", p, err)
		}
	}
	u := must(users()(t.Context(), "ann"))
	for _, s := range []string{fmt.Sprint(u), fmt.Sprintf("%+v %#v", u, &u), u.LogValue().String()} {
		if strings.Contains(s, "argon2") {
			t.Errorf("%s has the hash in it", s)
		}
	}
}

func TestASourceSendsWhatAnAuthenticatorTakes(t *testing.T) {
	t.Parallel()
	c := must(must(basicauth.NewSource("ann", password)).Credential(t.Context()))
	if _, err := newAuthenticator(t, users()).Authenticate(t.Context(), call(c.Value)); err != nil || c.Header != "" {
		t.Errorf("have %v, %v", c, err)
	}
	for user, password := range map[string]string{"": "x", "a:b": "x", "a\x00": "x", "a": "", "b": "x\n", "c": strings.Repeat("x", 1025), "d": "\xff"} {
		if _, err := basicauth.NewSource(user, password); err == nil {
			t.Errorf("%q: want an error", user)
		}
	}
}

func FuzzAuthenticate(f *testing.F) {
	f.Add("YW5uOm9wZW4=")
	f.Add("Og==")
	a := newAuthenticator(f, func(_ context.Context, user string) (basicauth.User, error) {
		if user == "" || len(user) > 256 || strings.ContainsAny(user, ":\x00\n") {
			f.Errorf("the user %q is looked up", user)
		}
		return basicauth.User{}, basicauth.ErrUnknown
	})
	f.Fuzz(func(t *testing.T, token string) {
		if p, err := a.Authenticate(t.Context(), call("Basic "+token)); p != nil || err == nil {
			t.Errorf("want it refused, have %v", p)
		}
	})
}
