package oauth2auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

const tokens = "https://login.example/token"

// asked is a token endpoint that no network is between, and remembers what it was asked.
type asked struct {
	said []string // one after the other, the last for ever
	form []url.Values
	auth []string
	wait time.Duration
}

func (a *asked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	select {
	case <-time.After(a.wait):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	a.form, a.auth = append(a.form, r.PostForm), append(a.auth, r.Header.Get("Authorization"))
	return answer(a.said[min(len(a.form), len(a.said))-1]), nil
}

func TestTheGrantIsThatOfTheRFC(t *testing.T) {
	t.Parallel()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("ca%3Art:s%26cret"))
	for name, c := range map[string]struct {
		make func(opts ...oauth2auth.SourceOption) (*oauth2auth.TokenSource, error)
		opts []oauth2auth.SourceOption
		form string
		auth string
	}{
		"client credentials": {
			func(opts ...oauth2auth.SourceOption) (*oauth2auth.TokenSource, error) {
				return oauth2auth.NewClientCredentials(tokens, "ca:rt", "s&cret", opts...)
			},
			[]oauth2auth.SourceOption{oauth2auth.SourceScopes("a", "b"), oauth2auth.SourceParam("audience", "orders")},
			"audience=orders&grant_type=client_credentials&scope=a+b", basic,
		},
		"in the body": {
			func(opts ...oauth2auth.SourceOption) (*oauth2auth.TokenSource, error) {
				return oauth2auth.NewClientCredentials(tokens, "ca:rt", "s&cret", opts...)
			},
			[]oauth2auth.SourceOption{oauth2auth.SourceSecretInBody()},
			"client_id=ca%3Art&client_secret=s%26cret&grant_type=client_credentials", "",
		},
		"refresh": {
			func(opts ...oauth2auth.SourceOption) (*oauth2auth.TokenSource, error) {
				return oauth2auth.NewRefresh(tokens, "ca:rt", "s&cret", "r1", opts...)
			},
			[]oauth2auth.SourceOption{oauth2auth.SourceScopes("a"), oauth2auth.SourceParam("resource", "x", "y")},
			"grant_type=refresh_token&refresh_token=r1&resource=x&resource=y&scope=a", basic,
		},
		"refresh of a public client": {
			func(opts ...oauth2auth.SourceOption) (*oauth2auth.TokenSource, error) {
				return oauth2auth.NewRefresh(tokens, "ca:rt", "", "r1", opts...)
			},
			nil, "client_id=ca%3Art&grant_type=refresh_token&refresh_token=r1", "",
		},
	} {
		server := &asked{said: []string{`{"access_token":"t1","token_type":"bearer","expires_in":60}`}}
		s := must(c.make(append(c.opts, by(server))...))(t)
		start := time.Now()
		credential := must(s.Credential(t.Context()))(t)
		if left := credential.Expires.Sub(start); credential.Value != "Bearer t1" || left < time.Minute || left > time.Minute+10*time.Second {
			t.Errorf("%s: have %v", name, credential)
		}
		if have := server.form[0].Encode(); have != c.form || server.auth[0] != c.auth {
			t.Errorf("%s: want %s, %q, have %s, %q", name, c.form, c.auth, have, server.auth[0])
		}
	}
}

func TestARefreshTokenGivesWayToTheNext(t *testing.T) {
	t.Parallel()
	server := &asked{said: []string{
		`{"access_token":"t1","token_type":"bearer","expires_in":60,"refresh_token":"r2"}`,
		`{"access_token":"t2","token_type":"bearer","expires_in":60}`,
		`{"access_token":"t3","token_type":"bearer","expires_in":60,"refresh_token":"r2"}`,
		`{"access_token":"t4","token_type":"mac","expires_in":60,"refresh_token":"r3"}`,
		`{"error":"invalid_grant","error_description":"r3 is good no longer"}`,
	}}
	var told []string
	s := must(oauth2auth.NewRefresh(tokens, "cart", "secret", "r1", by(server), oauth2auth.SourceOnRefreshToken(func(token string) {
		told = append(told, token)
		if token == "r2" {
			panic("cannot be stored")
		}
	})))(t)
	func() {
		defer func() { _ = recover() }()
		_, _ = s.Credential(t.Context())
		t.Error("want the panic go on")
	}()
	for range 2 {
		must(s.Credential(t.Context()))(t)
	}
	for range 2 {
		_, err := s.Credential(t.Context())
		if err == nil || strings.Contains(err.Error(), "r3") {
			t.Errorf("have %v", err)
		}
	}
	var sent []string
	for _, form := range server.form {
		sent = append(sent, form.Get("refresh_token"))
	}
	if want, have := "r1,r2,r2,r2,r3 r2,r3", strings.Join(sent, ",")+" "+strings.Join(told, ","); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
}

func TestARefreshTokenIsNotLostWithTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &asked{wait: time.Second, said: []string{
			`{"access_token":"t1","token_type":"Bearer","refresh_token":"r2"}`, `{"access_token":"t2","token_type":"Bearer"}`,
		}}
		var told []string
		s := must(oauth2auth.NewRefresh(tokens, "cart", "secret", "r1", by(server), oauth2auth.SourceOnRefreshToken(func(token string) {
			told = append(told, token)
		})))(t)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if c, err := s.Credential(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second/2 {
			t.Errorf("after %v have %v, %v", time.Since(start), c, err)
		}
		if c := must(s.Credential(t.Context()))(t); c.Value != "Bearer t1" || time.Since(start) != time.Second {
			t.Errorf("want the answer that the other has left, have %v after %v", c, time.Since(start))
		}
		if c := must(s.Credential(t.Context()))(t); c.Value != "Bearer t2" {
			t.Errorf("have %v", c)
		}
		if c, err := s.Credential(ctx); err == nil || len(server.form) != 2 {
			t.Errorf("want no question for a call that has ended, have %v", c)
		}
		if sent := server.form[1].Get("refresh_token"); sent != "r2" || strings.Join(told, ",") != "r2" {
			t.Errorf("want r2 sent and told, have %s, %v", sent, told)
		}
	})
}

func TestATokenWhoseLifeIsNotKnownIsTakenForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := must(oauth2auth.NewClientCredentials(tokens, "cart", "secret", by(answering(`{"access_token":"t1","token_type":"Bearer"}`))))(t)
		if c := must(s.Credential(t.Context()))(t); !c.Expires.Equal(time.Now().Add(oauth2auth.UnknownLifetime)) {
			t.Errorf("have %v", c)
		}
	})
}

func TestATokenThatHasEndedIsNotTaken(t *testing.T) {
	t.Parallel()
	for _, life := range []string{`0`, `"0"`, `-1`} {
		said := `{"access_token":"t1","token_type":"Bearer","expires_in":` + life + `}`
		s := must(oauth2auth.NewClientCredentials(tokens, "cart", "secret", by(answering(said))))(t)
		if c, err := s.Credential(t.Context()); err == nil {
			t.Errorf("%s: have %v", life, c)
		}
	}
	unknown := answering(`{"access_token":"t1","token_type":"Bearer","expires_in":null}`)
	must(must(oauth2auth.NewClientCredentials(tokens, "cart", "secret", by(unknown)))(t).Credential(t.Context()))(t)
}

func TestSourcesAskOneAtATimeAndWaitNoLongerThanTheyMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &asked{said: []string{`{"access_token":"t1","token_type":"Bearer"}`}, wait: 3 * time.Second} // has no lock
		s := must(oauth2auth.NewClientCredentials(tokens, "cart", "secret", by(server)))(t)
		start := time.Now()
		var all sync.WaitGroup
		var good, late atomic.Int32
		for range 2 {
			all.Go(func() {
				switch _, err := s.Credential(t.Context()); {
				case err == nil && time.Since(start) == 3*time.Second:
					good.Add(1)
				case err != nil && time.Since(start) == oauth2auth.DefaultTimeout:
					late.Add(1)
				}
			})
		}
		all.Wait()
		if good.Load() != 1 || late.Load() != 1 {
			t.Errorf("have %d, %d", good.Load(), late.Load())
		}
	})
}

func TestTokenEndpointsThatDoNotAnswerAsTheyShould(t *testing.T) {
	t.Parallel()
	const secret = "top secret & more"
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, `{"access_token":"t1","token_type":"Bearer"}`)
	})
	text := func(said string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, said) }
	}
	echo := func(code int, kind, format string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(code)
			all := secret + " " + url.QueryEscape(secret) + " " + r.Header.Get("Authorization") + " " + r.PostForm.Get("refresh_token")
			if strings.HasSuffix(kind, "urlencoded") {
				all = url.QueryEscape(all)
			}
			_, _ = fmt.Fprintf(w, format, all)
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"mac":             text(`{"access_token":"t1","token_type":"mac"}`),
		"DPoP":            text(`{"access_token":"t1","token_type":"DPoP"}`),
		"no type":         text(`{"access_token":"t1"}`),
		"no token":        text(`{"token_type":"Bearer"}`),
		"huge":            text(`{"access_token":"` + strings.Repeat("x", 1<<20) + `","token_type":"Bearer"}`),
		"long":            text(`{"access_token":"` + strings.Repeat("x", auth.MaxCredentials) + `","token_type":"Bearer"}`),
		"line break":      text(`{"access_token":"a\r\nX-Admin: yes","token_type":"Bearer"}`),
		"space":           text(`{"access_token":"a b","token_type":"Bearer"}`),
		"not ASCII":       text(`{"access_token":"schl\u00fcssel","token_type":"Bearer"}`),
		"garbage":         text(`}{` + secret),
		"deep":            text(strings.Repeat(`{"a":`, 20_000)),
		"expires in text": text(`{"access_token":"t1","token_type":"Bearer","expires_in":"` + secret + `"}`),
		"redirect":        func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusTemporaryRedirect) },
		"slow":            func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"hangs up":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"401":             echo(http.StatusUnauthorized, "application/json", `{"error":"invalid_client","error_description":"%s"}`),
		"in the code":     echo(http.StatusBadRequest, "application/json", `{"error":"%s"}`),
		"200 with error":  echo(http.StatusOK, "application/json", `{"error":"invalid_client","error_description":"%s"}`),
		"500":             echo(http.StatusInternalServerError, "text/html", "<html>%s"),
		"form":            echo(http.StatusBadRequest, "application/x-www-form-urlencoded", "error=invalid_client&error_description=%s"),
		"type":            echo(http.StatusOK, "application/json", `{"access_token":"t1","token_type":"%s"}`),
	} {
		address := serve(t, handler)
		for _, source := range []*oauth2auth.TokenSource{
			must(oauth2auth.NewClientCredentials(address, "cart", secret, oauth2auth.Timeout(250*time.Millisecond)))(t),
			must(oauth2auth.NewRefresh(address, "cart", secret, "the-refresh-token", oauth2auth.Timeout(250*time.Millisecond)))(t),
		} {
			c, err := source.Credential(t.Context())
			if err == nil || c.Value != "" {
				t.Errorf("%s: have %v", name, c)
				continue
			}
			for _, part := range []string{secret, "top+secret", "top secret", "Y2FydDp0b3A", "the-refresh-token", "X-Admin", "\n"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%s: %q is in %v", name, part, err)
				}
			}
			if strings.HasPrefix(name, "4") {
				if e, ok := errors.AsType[*oauth2auth.EndpointError](err); !ok || e.Status != 401 || e.Code != "invalid_client" || !strings.Contains(e.Description, "***") {
					t.Errorf("%s: have %v", name, err)
				}
			}
		}
	}
}

func TestALongDescriptionIsCutOff(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusBadRequest, `{"error":"invalid_request","error_description":"`+strings.Repeat("x", 10_000)+`"}`)
	})
	_, err := must(oauth2auth.NewClientCredentials(address, "cart", "secret"))(t).Credential(t.Context())
	if e, ok := errors.AsType[*oauth2auth.EndpointError](err); !ok || len(e.Description) != 203 || e.Status != http.StatusBadRequest {
		t.Errorf("have %v", err)
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	source := must(oauth2auth.NewRefresh(tokens, "cart", "top-secret", "refresh-secret"))(t)
	attempt := oauth2auth.Attempt{URL: "top-secret", State: "top-secret", Nonce: "top-secret", Verifier: "top-secret"}
	session := oauth2auth.Session{AccessToken: "top-secret", RefreshToken: "refresh-secret", IDToken: "top-secret", Principal: &auth.Principal{Subject: "ann"}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		for _, value := range []any{source, oauth2auth.ClientBasic("cart", "top-secret"), oauth2auth.ClientBearer(auth.Bearer("top-secret")), attempt, &attempt, session, &session} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "secret") || strings.Contains(text, "746f702d") {
				t.Errorf("%s of a %T is %s", format, value, text)
			}
		}
	}
	if have := source.String(); have != "tokens for cart from login.example" {
		t.Errorf("have %s", have)
	}
	if have := fmt.Sprint(session); have != "session of ann" {
		t.Errorf("have %s", have)
	}
}
