package apikeyauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	apikeyauth "github.com/ashlar-go/ashlar/auth/apikey"
	"github.com/ashlar-go/ashlar/transport"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// store is records by id.
type store map[string]apikeyauth.Record

func (s store) Find(_ context.Context, id string) (apikeyauth.Record, error) {
	r, ok := s[id]
	if !ok {
		return r, apikeyauth.ErrUnknown
	}
	return r, nil
}

// add makes a key, and puts its record as change leaves it.
func (s store) add(change func(*apikeyauth.Record)) string {
	key, r, err := apikeyauth.Generate("shop", auth.Principal{Subject: "billing", Scopes: []string{"orders:read"}, Method: "magic"}, 0)
	if err != nil {
		panic(err)
	}
	id := r.ID
	if change != nil {
		change(&r)
	}
	s[id] = r
	return key
}

func bearer(values ...string) *transport.Info {
	for i := range values {
		values[i] = "Bearer " + values[i]
	}
	return &transport.Info{Request: transport.HeaderMap{"Authorization": values}}
}

func TestCallersAreKnownByTheirKeys(t *testing.T) {
	t.Parallel()
	s := store{}
	key := s.add(nil)
	a := must(apikeyauth.New("shop", s.Find))
	p, err := a.Authenticate(t.Context(), bearer(key))
	if err != nil || p.Subject != "billing" || p.Method != "apikey" || !p.HasScope("orders:read") || !p.Expires.IsZero() {
		t.Errorf("want billing, have %+v, %v", p, err)
	}
	for _, c := range []*transport.Info{nil, {}, bearer("eyJ.x.y"), bearer("shopping"), bearer("shop"), {Request: transport.HeaderMap{"X-Api-Key": {key}}}} {
		var challenge *auth.ChallengeError
		if _, err := a.Authenticate(t.Context(), c); !errors.Is(err, auth.ErrNone) || !errors.As(err, &challenge) || challenge.Challenge != `Bearer realm="api"` {
			t.Errorf("want ErrNone, have %v, %v", err, challenge)
		}
	}
	a = must(apikeyauth.New("shop", s.Find, apikeyauth.Header("X-Api-Key"), apikeyauth.Realm("store")))
	if _, err = a.Authenticate(t.Context(), &transport.Info{Request: transport.HeaderMap{"X-Api-Key": {key}}}); err != nil {
		t.Error(err)
	}
	var challenge *auth.ChallengeError
	if _, err = a.Authenticate(t.Context(), bearer(key)); !errors.Is(err, auth.ErrNone) || !errors.As(err, &challenge) || challenge.Challenge != `ApiKey realm="store", header="X-Api-Key"` {
		t.Errorf("want ErrNone, have %v", err)
	}
}

func TestBadKeysAreRefusedWithoutAWordOfThem(t *testing.T) {
	t.Parallel()
	s := store{}
	good := s.add(nil)
	long := func(d time.Duration) time.Time { return time.Now().Add(d) }
	other := store{}.add(nil)
	swapped, _, _ := strings.Cut(good[5:], "_")
	a := must(apikeyauth.New("shop", s.Find))
	for name, key := range map[string]string{
		"unknown":           other,
		"secret of another": resum("shop_" + swapped + "_" + other[18:61]),
		"checksum":          good[:len(good)-1] + flip(good[len(good)-1:]),
		"secret":            good[:20] + flip(good[20:21]) + good[21:],
		"short":             good[:len(good)-1],
		"long":              good + "a",
		"oversize":          "shop_" + strings.Repeat("a", 20_000),
		"nothing":           "shop_",
		"dot":               resum(good[:20] + "." + good[21:61]),
		"another case":      "shop_" + strings.ToUpper(good[5:]),
		"revoked":           s.add(func(r *apikeyauth.Record) { r.Revoked = true }),
		"expired":           s.add(func(r *apikeyauth.Record) { r.Expires = long(-time.Second) }),
		"not yet":           s.add(func(r *apikeyauth.Record) { r.NotBefore = long(time.Hour) }),
		"principal expired": s.add(func(r *apikeyauth.Record) { r.Principal.Expires = long(-time.Second) }),
		"nobody":            s.add(func(r *apikeyauth.Record) { r.Principal.Subject = "" }),
		"no hash":           s.add(func(r *apikeyauth.Record) { r.Hash = apikeyauth.Hash{} }),
		"record of another": s.add(func(r *apikeyauth.Record) { r.ID = "AAAAAAAAAAAA" }),
		"key of another":    s.add(func(r *apikeyauth.Record) { r.Hash = s[swapped].Hash }),
	} {
		p, err := a.Authenticate(t.Context(), bearer(key))
		if p != nil || err == nil || errors.Is(err, auth.ErrNone) || errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: want it bad, have %v, %v", name, p, err)
			continue
		}
		var challenge *auth.ChallengeError
		if !errors.As(err, &challenge) || challenge.Challenge != `Bearer realm="api", error="invalid_token"` {
			t.Errorf("%s: have %v", name, challenge)
		}
		if len(key) > 40 && strings.Contains(err.Error(), key[18:40]) {
			t.Errorf("%s: %v has the secret in it", name, err)
		}
	}
	if _, err := a.Authenticate(t.Context(), bearer(good, good)); err == nil || errors.Is(err, auth.ErrNone) {
		t.Errorf("want two fields refused, have %v", err)
	}
	if _, err := a.Authenticate(t.Context(), bearer(good)); err != nil {
		t.Error(err)
	}
}

func flip(s string) string {
	if s == "a" {
		return "b"
	}
	return "a"
}

// resum appends the checksum that the package would, found by trying a key of the package with the same beginning: the form is public.
func resum(text string) string { return text + crc62(text) }

func TestWhatTheStoreCannotSayIsUnavailable(t *testing.T) {
	t.Parallel()
	key := store{}.add(nil)
	for name, failure := range map[string]error{"store": errors.New("gone"), "none": auth.ErrNone, "canceled": context.Canceled} {
		a := must(apikeyauth.New("shop", func(context.Context, string) (apikeyauth.Record, error) { return apikeyauth.Record{}, failure }))
		if _, err := a.Authenticate(t.Context(), bearer(key)); !errors.Is(err, auth.ErrUnavailable) || errors.Is(err, auth.ErrNone) {
			t.Errorf("%s: want unavailable, have %v", name, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		a := must(apikeyauth.New("shop", func(ctx context.Context, _ string) (apikeyauth.Record, error) {
			<-ctx.Done()
			return apikeyauth.Record{}, ctx.Err()
		}, apikeyauth.Cache(1, time.Minute)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Authenticate(ctx, bearer(key)); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("want unavailable, have %v", err)
		}
	})
}

func TestAPanicOfFindGoesOn(t *testing.T) {
	t.Parallel()
	a := must(apikeyauth.New("shop", func(context.Context, string) (apikeyauth.Record, error) { panic("x") }, apikeyauth.Cache(1, time.Minute)))
	defer func() {
		if recover() != "x" {
			t.Error("want the panic")
		}
	}()
	_, _ = a.Authenticate(t.Context(), bearer(store{}.add(nil)))
}

func TestAKeyIsRotatedWithAnOverlap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := store{}
		old := s.add(nil)
		first := s[old[5:17]]
		key, r, expiring, err := apikeyauth.Rotate("shop", first, time.Hour, 24*time.Hour)
		if err != nil || r.ID == first.ID || r.Principal.Subject != "billing" {
			t.Fatalf("have %v, %v", r, err)
		}
		s[r.ID], s[first.ID] = r, expiring
		a := must(apikeyauth.New("shop", s.Find))
		ask := func(key string, good bool) {
			t.Helper()
			p, err := a.Authenticate(t.Context(), bearer(key))
			if (err == nil) != good || good && p.Expires.IsZero() {
				t.Errorf("want good %v, have %v, %v", good, p, err)
			}
		}
		ask(old, true)
		ask(key, true)
		time.Sleep(time.Hour)
		ask(old, false)
		ask(key, true)
		time.Sleep(23 * time.Hour)
		ask(key, false)
		if _, _, again, err := apikeyauth.Rotate("shop", expiring, time.Hour, 0); err != nil || !again.Expires.Equal(expiring.Expires) {
			t.Errorf("want an end that was earlier kept, have %v, %v", again.Expires, err)
		}
		if _, _, _, err := apikeyauth.Rotate("shop", first, -1, 0); err == nil {
			t.Error("want a negative overlap refused")
		}
	})
}

func TestARecordIsRememberedNoLongerThanSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, asked := store{}, 0
		one, two, three := s.add(nil), s.add(nil), s.add(nil)
		a := must(apikeyauth.New("shop", func(ctx context.Context, id string) (apikeyauth.Record, error) {
			asked++
			return s.Find(ctx, id)
		}, apikeyauth.Cache(2, time.Minute)))
		ask := func(key string, want int, good bool) {
			t.Helper()
			asked = 0
			if _, err := a.Authenticate(t.Context(), bearer(key)); (err == nil) != good || asked != want {
				t.Errorf("want %d questions and good %v, have %d, %v", want, good, asked, err)
			}
		}
		ask(one, 1, true)
		ask(one, 0, true)
		ask(two, 1, true)
		ask(three, 1, true) // for which the first goes
		ask(two, 0, true)
		ask(one, 1, true)
		r := s[one[5:17]]
		r.Revoked = true
		s[r.ID] = r
		ask(one, 0, true)
		time.Sleep(time.Minute)
		ask(one, 1, false)
		ask(one, 1, false)
		unknown := store{}.add(nil)
		ask(unknown, 1, false)
		ask(unknown, 1, false)
	})
}

func TestARememberedKeyExpiresAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := store{}
		key := s.add(func(r *apikeyauth.Record) { r.Expires = time.Now().Add(time.Second) })
		a := must(apikeyauth.New("shop", s.Find, apikeyauth.Cache(2, time.Minute)))
		_ = must(a.Verify(t.Context(), key))
		time.Sleep(time.Second)
		if _, err := a.Verify(t.Context(), key); err == nil {
			t.Error("want it refused")
		}
	})
}

func TestThePrincipalExpiresWithTheFirstOfBoth(t *testing.T) {
	t.Parallel()
	soon, late := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	for _, c := range []struct{ key, principal, want time.Time }{
		{soon, late, soon}, {late, soon, soon}, {soon, time.Time{}, soon}, {time.Time{}, soon, soon},
	} {
		s := store{}
		key := s.add(func(r *apikeyauth.Record) { r.Expires, r.Principal.Expires = c.key, c.principal })
		if p, err := must(apikeyauth.New("shop", s.Find)).Verify(t.Context(), key); err != nil || !p.Expires.Equal(c.want) {
			t.Errorf("want %v, have %v, %v", c.want, p, err)
		}
	}
}

func TestLastUsesAreKnownAndForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := store{}
		one, two := s.add(nil), s.add(nil)
		a := must(apikeyauth.New("shop", s.Find, apikeyauth.LastUsed(1)))
		_ = must(a.Verify(t.Context(), one))
		time.Sleep(time.Second)
		_, _ = must(a.Verify(t.Context(), one)), must(a.Verify(t.Context(), two))
		if _, err := a.Verify(t.Context(), (store{}).add(nil)); err == nil {
			t.Error("want it refused")
		}
		if have := a.Uses(); len(have) != 1 || !have[one[5:17]].Equal(time.Now()) {
			t.Errorf("want the first one, now, have %v", have)
		}
		if have := a.Uses(); len(have) != 0 {
			t.Errorf("want none, have %v", have)
		}
		_ = must(a.Verify(t.Context(), two))
		if have := a.Uses(); len(have) != 1 {
			t.Errorf("want the second, have %v", have)
		}
		if have := must(apikeyauth.New("shop", s.Find)).Uses(); have != nil {
			t.Errorf("want nothing without the option, have %v", have)
		}
	})
}

func TestMistakesAreRefused(t *testing.T) {
	t.Parallel()
	s := store{}
	for want, o := range map[string]apikeyauth.Option{
		`Header("")`: apikeyauth.Header(""), "other than Authorization": apikeyauth.Header("authorization"), `Header("a b")`: apikeyauth.Header("a b"),
		"Cache of entries": apikeyauth.Cache(0, time.Minute), "Cache for": apikeyauth.Cache(1, 2*time.Hour), "LastUsed": apikeyauth.LastUsed(0),
		"Realm": apikeyauth.Realm(`"`), "option": nil,
	} {
		if _, err := apikeyauth.New("shop", s.Find, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error of %s, have %v", want, err)
		}
	}
	for _, prefix := range []string{"", "_", "a_", "_a", "Shop", "a-b", strings.Repeat("a", 33), "a\x00"} {
		_, err := apikeyauth.New(prefix, s.Find)
		_, _, err2 := apikeyauth.Generate(prefix, auth.Principal{Subject: "a"}, 0)
		if err == nil || err2 == nil {
			t.Errorf("%q: want errors, have %v, %v", prefix, err, err2)
		}
	}
	_, err := apikeyauth.New("shop", nil)
	_, _, err2 := apikeyauth.Generate("shop", auth.Principal{}, 0)
	_, _, err3 := apikeyauth.Generate("shop", auth.Principal{Subject: "a"}, -1)
	if err == nil || err2 == nil || err3 == nil {
		t.Errorf("want errors, have %v, %v, %v", err, err2, err3)
	}
	for _, a := range []*apikeyauth.Authenticator{nil, {}} {
		_, err := a.Authenticate(t.Context(), bearer(s.add(nil)))
		_, err2 := a.Verify(t.Context(), s.add(nil))
		if err == nil || err2 == nil || errors.Is(err, auth.ErrNone) || a.Uses() != nil {
			t.Errorf("want them refused, have %v, %v", err, err2)
		}
	}
	for id, r := range s {
		text := string(must(r.Hash.MarshalText()))
		if all := fmt.Sprintf("%v %+v %#v %v %#v %s", r, r, r, r.Hash, r.Hash, r.LogValue()); strings.Contains(all, text[:8]) || !strings.Contains(all, id) {
			t.Errorf("%s has the hash in it, or not the id", all)
		}
		var back apikeyauth.Hash
		if err := json.Unmarshal(must(json.Marshal(r.Hash)), &back); err != nil || back != r.Hash {
			t.Errorf("want the hash back, have %v", err)
		}
	}
}

func TestASourceSendsWhatAnAuthenticatorTakes(t *testing.T) {
	t.Parallel()
	s := store{}
	key := s.add(nil)
	c := must(must(apikeyauth.NewSource(key, "")).Credential(t.Context()))
	if c.Header != "" || c.Value != "Bearer "+key {
		t.Errorf("have %v", c)
	}
	if c = must(must(apikeyauth.NewSource(key, "X-Api-Key")).Credential(t.Context())); c.Header != "X-Api-Key" || c.Value != key {
		t.Errorf("have %v", c)
	}
	for _, bad := range []string{"", "shop", key[1:], key + "a", key[:len(key)-1] + flip(key[len(key)-1:])} {
		if _, err := apikeyauth.NewSource(bad, ""); err == nil {
			t.Errorf("%q: want an error", bad)
		}
	}
	if _, err := apikeyauth.NewSource(key, "a b"); err == nil {
		t.Error("want the field refused")
	}
}

func FuzzVerify(f *testing.F) {
	s := store{}
	key := s.add(nil)
	f.Add(key)
	f.Add("shop_")
	a := must(apikeyauth.New("shop", s.Find))
	f.Fuzz(func(t *testing.T, other string) {
		if p, err := a.Verify(t.Context(), other); (err == nil) != (other == key) || (p == nil) == (err == nil) {
			t.Errorf("have %v, %v", p, err)
		}
	})
}
