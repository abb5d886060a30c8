package apikeyauth_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	apikeyauth "github.com/ashlar-go/ashlar/auth/apikey"
)

func TestPrefixesThatBeginAlikeStandBesideEachOther(t *testing.T) {
	t.Parallel()
	s := store{}
	a := auth.AnyOf(must(apikeyauth.New("shop", s.Find)), must(apikeyauth.New("shop_test", s.Find)))
	for _, prefix := range []string{"shop", "shop_test"} {
		key, record, err := apikeyauth.Generate(prefix, auth.Principal{Subject: prefix}, 0)
		if err != nil {
			t.Fatal(err)
		}
		s[record.ID] = record
		if p, err := a.Authenticate(t.Context(), bearer(key)); err != nil || p.Subject != prefix {
			t.Errorf("want %s, have %v, %v", prefix, p, err)
		}
	}
}

// A look-up that began before the key was revoked, and ends late, does not bring it back.
func TestARevokedKeyDoesNotComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := store{}
		key := s.add(nil)
		var asked atomic.Int64
		var revoked atomic.Bool
		a := must(apikeyauth.New("shop", func(ctx context.Context, id string) (apikeyauth.Record, error) {
			record, err := s.Find(ctx, id)
			record.Revoked = revoked.Load()
			if asked.Add(1) == 1 {
				<-time.After(9 * time.Second)
			}
			return record, err
		}, apikeyauth.Cache(10, time.Second)))
		late := make(chan error, 1)
		go func() {
			_, err := a.Verify(t.Context(), key)
			late <- err
		}()
		synctest.Wait()
		revoked.Store(true)
		if _, err := a.Verify(t.Context(), key); err == nil {
			t.Error("want it revoked")
		}
		if err := <-late; err != nil {
			t.Errorf("want what it was when it was looked up, have %v", err)
		}
		if _, err := a.Verify(t.Context(), key); err == nil {
			t.Error("want it revoked still")
		}
	})
}

func TestARefusedKeyIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, asked := store{}, 0
		key := s.add(func(r *apikeyauth.Record) { r.Expires = time.Now().Add(time.Minute) })
		a := must(apikeyauth.New("shop", func(ctx context.Context, id string) (apikeyauth.Record, error) {
			asked++
			return s.Find(ctx, id)
		}, apikeyauth.Cache(10, time.Hour)))
		for _, wait := range []time.Duration{0, time.Second, time.Minute, 0} { // remembered, expired and dropped, asked again
			<-time.After(wait)
			_, _ = a.Verify(t.Context(), key)
		}
		if asked != 2 {
			t.Errorf("want the store asked at first and after the refusal, have %d times", asked)
		}
	})
}

func TestARevokedKeyGetsNoOther(t *testing.T) {
	t.Parallel()
	_, record, err := apikeyauth.Generate("shop", auth.Principal{Subject: "billing"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	record.Revoked = true
	if key, _, _, err := apikeyauth.Rotate("shop", record, time.Hour, 0); err == nil || key != "" {
		t.Errorf("want it refused, have %q, %v", key, err)
	}
}
