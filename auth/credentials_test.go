package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// mint is a Source whose credentials are numbered, good for some time, and take a second to get.
type mint struct {
	good time.Duration
	n    atomic.Int64
	err  atomic.Pointer[error]
}

func (m *mint) Credential(ctx context.Context) (auth.Credential, error) {
	n := m.n.Add(1)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return auth.Credential{}, ctx.Err()
	}
	if err := m.err.Load(); err != nil {
		return auth.Credential{}, *err
	}
	return auth.Credential{Value: fmt.Sprintf("Bearer %d", n), Expires: time.Now().Add(m.good)}, nil
}

func newCredentials(t *testing.T, source auth.Source, opts ...auth.CredentialsOption) *auth.Credentials {
	t.Helper()
	c, err := auth.NewCredentials(source, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// sent returns a call of a client with the credentials, and what it sent.
func sent(c *auth.Credentials, fails error) func(ctx context.Context) (string, error) {
	h := c.Middleware(endpoint.Spec{Method: "Who"}.Client(), func(ctx context.Context, _ any) (any, error) {
		header := make(transport.HeaderMap)
		transport.SetOutgoing(ctx, header)
		return header.Get("Authorization"), fails
	})
	return func(ctx context.Context) (string, error) {
		value, err := h(ctx, nil)
		text, _ := value.(string)
		return text, err
	}
}

func wantSent(t *testing.T, call func(context.Context) (string, error), want string, took time.Duration) {
	t.Helper()
	began := time.Now()
	if have, err := call(t.Context()); have != want || err != nil || time.Since(began) != took {
		t.Errorf("want %q after %v, have %q, %v after %v", want, took, have, err, time.Since(began))
	}
}

func TestCredentialsAreFetchedOnceAndRenewedBeforeTheyExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &mint{good: time.Hour}
		call := sent(newCredentials(t, source), nil)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { wantSent(t, call, "Bearer 1", time.Second) })
		}
		all.Wait()
		time.Sleep(59*time.Minute - time.Millisecond)
		wantSent(t, call, "Bearer 1", 0)
		if source.n.Load() != 1 {
			t.Errorf("want one question, have %d", source.n.Load())
		}
		time.Sleep(time.Millisecond)
		wantSent(t, call, "Bearer 1", 0) // which has the next one fetched
		synctest.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		wantSent(t, call, "Bearer 2", 0)
		time.Sleep(2 * time.Hour)
		wantSent(t, call, "Bearer 3", time.Second)
	})
}

func TestAShortCredentialIsRenewedInItsLastQuarter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &mint{good: 8 * time.Second}
		call := sent(newCredentials(t, source), nil)
		wantSent(t, call, "Bearer 1", time.Second)
		time.Sleep(6*time.Second - time.Millisecond)
		wantSent(t, call, "Bearer 1", 0)
		synctest.Wait()
		if source.n.Load() != 1 {
			t.Errorf("want one question, have %d", source.n.Load())
		}
		time.Sleep(time.Millisecond)
		wantSent(t, call, "Bearer 1", 0)
		synctest.Wait()
		if source.n.Load() != 2 {
			t.Errorf("want two questions, have %d", source.n.Load())
		}
	})
}

func TestAnOutageOfTheSourceIsBridged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		source := &mint{good: time.Hour}
		var told atomic.Int64
		call := sent(newCredentials(t, source, auth.OnRefreshError(func(err error) {
			if errors.Is(err, down) {
				told.Add(1)
			}
		})), nil)
		wantSent(t, call, "Bearer 1", time.Second)
		source.err.Store(&down)
		time.Sleep(59*time.Minute + 30*time.Second)
		for range 20 { // of a second and a half
			wantSent(t, call, "Bearer 1", 0)
			time.Sleep(1500 * time.Millisecond)
			synctest.Wait()
		}
		if told.Load() != source.n.Load()-1 || told.Load() < 8 || told.Load() > 15 {
			t.Errorf("want a question in two seconds, have %d, told of %d", source.n.Load()-1, told.Load())
		}
		_, err := call(t.Context())
		if e := status.As(err); e == nil || e.Code != status.Unavailable || e.Reason != auth.ReasonUnavailable ||
			!errors.Is(err, transport.ErrNotSent) || !errors.Is(err, down) {
			t.Errorf("want unavailable, %s, not sent and the reason, have %v", auth.ReasonUnavailable, err)
		}
		asked := source.n.Load()
		if _, err := call(t.Context()); !errors.Is(err, down) || source.n.Load() != asked {
			t.Errorf("want a pause after %d questions, have %d, %v", asked, source.n.Load(), err)
		}
		source.err.Store(nil)
		time.Sleep(time.Second)
		wantSent(t, call, fmt.Sprintf("Bearer %d", asked+1), time.Second)
	})
}

func TestACredentialThatAServerDoesNotTakeIsThrownAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &mint{good: time.Hour}
		c := newCredentials(t, source)
		refused, other, good := sent(c, status.New(status.Unauthenticated, "no")), sent(c, status.New(status.NotFound, "no")), sent(c, nil)
		_, _ = other(t.Context())
		wantSent(t, good, "Bearer 1", 0)
		_, _ = refused(t.Context())
		wantSent(t, good, "Bearer 2", time.Second)
		time.Sleep(time.Second)
		_, _ = refused(t.Context())
		_, _ = refused(t.Context()) // fetches the third, of the same second
		wantSent(t, good, "Bearer 4", time.Second)
	})
}

// One server that is wrong does not take the credential from all others, while nobody gives out another.
func TestADoubtedCredentialIsBetterThanNone(t *testing.T) {
	t.Parallel()
	for name, life := range map[string]time.Duration{"for an hour": time.Hour, "for ever": 0} {
		synctest.Test(t, func(t *testing.T) {
			down, asked := false, 0
			c := newCredentials(t, auth.SourceFunc(func(context.Context) (auth.Credential, error) {
				if asked++; down {
					return auth.Credential{}, errors.New("the issuer is down")
				}
				credential := auth.Credential{Value: fmt.Sprint("Bearer ", asked)}
				if life > 0 {
					credential.Expires = time.Now().Add(life)
				}
				return credential, nil
			}))
			wrong, good := sent(c, status.New(status.Unauthenticated, "no")), sent(c, nil)
			wantSent(t, good, "Bearer 1", 0)
			time.Sleep(time.Minute)
			down = true
			_, _ = wrong(t.Context())
			wantSent(t, good, "Bearer 1", 0)
			wantSent(t, good, "Bearer 1", 0)
			if asked != 2 {
				t.Errorf("%s: want one question more, have %d", name, asked)
			}
			time.Sleep(time.Minute)
			down = false
			wantSent(t, good, "Bearer 3", 0)
			time.Sleep(2 * time.Hour)
			if life > 0 {
				down = true
				if _, err := good(t.Context()); status.CodeOf(err) != status.Unavailable {
					t.Errorf("want none when it has expired, have %v", err)
				}
			}
		})
	}
}

func TestACallWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &mint{good: time.Hour}
		c := newCredentials(t, source, auth.RefreshLimit(500*time.Millisecond))
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := sent(c, nil)(short); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("want the end of the context, and not sent, have %v", err)
		}
		if _, err := sent(c, nil)(t.Context()); status.CodeOf(err) != status.Unavailable || source.n.Load() != 1 {
			t.Errorf("want unavailable at the limit, have %v after %d questions", err, source.n.Load())
		}
		time.Sleep(time.Minute)
		going := make(chan error)
		go func() {
			_, err := sent(c, nil)(t.Context())
			going <- err
		}()
		synctest.Wait()
		_, _ = c.Close(), c.Close()
		if err := <-going; status.CodeOf(err) != status.Unavailable {
			t.Errorf("want unavailable, have %v", err)
		}
		if _, err := c.Credential(t.Context()); status.CodeOf(err) != status.Unavailable {
			t.Errorf("want unavailable after Close, have %v", err)
		}
	})
}

func TestCredentialsRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, wrong := range map[string]func() (*auth.Credentials, error){
		"Source is nil":     func() (*auth.Credentials, error) { return auth.NewCredentials(nil) },
		"the Source is nil": func() (*auth.Credentials, error) { return auth.NewCredentials(auth.SourceFunc(nil)) },
		"Early(0s)":         func() (*auth.Credentials, error) { return auth.NewCredentials(auth.Bearer("x"), auth.Early(0)) },
		"Pause(-1ns)":       func() (*auth.Credentials, error) { return auth.NewCredentials(auth.Bearer("x"), auth.Pause(-1)) },
		"RefreshLimit(2h0m0s)": func() (*auth.Credentials, error) {
			return auth.NewCredentials(auth.Bearer("x"), auth.RefreshLimit(2*time.Hour))
		},
		"OnRefreshError: functi": func() (*auth.Credentials, error) {
			return auth.NewCredentials(auth.Bearer("x"), auth.OnRefreshError(nil))
		},
	} {
		if _, err := wrong(); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "auth: NewCredentials: ") {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
	past := func(context.Context) (auth.Credential, error) {
		return auth.Credential{Value: "Bearer old", Expires: time.Now().Add(-time.Hour)}, nil
	}
	for want, source := range map[string]auth.Source{
		"token is empty":  auth.Bearer(""),
		"a byte at 8":     auth.Bearer("a\r\nX-Admin: 1"),
		"that expired at": auth.SourceFunc(past),
		"empty Credential": auth.SourceFunc(func(context.Context) (auth.Credential, error) {
			return auth.Credential{}, nil
		}),
		"panicked: out": auth.SourceFunc(func(context.Context) (auth.Credential, error) { panic("out") }),
	} {
		_, err := newCredentials(t, source).Credential(t.Context())
		if status.CodeOf(err) != status.Unavailable || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "X-Admin") {
			t.Errorf("want unavailable with %q, have %v", want, err)
		}
	}
	var zero auth.Credentials
	if _, err := zero.Credential(t.Context()); status.CodeOf(err) != status.Unavailable || zero.Close() != nil {
		t.Errorf("want unavailable, have %v", err)
	}
	server := zero.Middleware(endpoint.Spec{Method: "Who"}, nil)
	if _, err := server(t.Context(), nil); status.CodeOf(err) != status.Internal {
		t.Errorf("want internal, have %v", err)
	}
}

func TestACredentialIsNotWritten(t *testing.T) {
	t.Parallel()
	c := auth.Credential{Value: "Bearer " + secret, Expires: time.Unix(0, 0).UTC()}
	for _, verb := range []string{"%v", "%+v", "%s", "%#v"} {
		if have := fmt.Sprintf(verb, c); strings.Contains(have, secret) || have != "Authorization: ***, until 1970-01-01T00:00:00Z" {
			t.Errorf("want no secret, have %s", have)
		}
	}
	if have := (auth.Credential{Header: "X-Key", Value: secret}).String(); have != "X-Key: ***" {
		t.Errorf("want X-Key: ***, have %s", have)
	}
}

func BenchmarkCredentials(b *testing.B) {
	c, err := auth.NewCredentials(auth.SourceFunc(func(context.Context) (auth.Credential, error) {
		return auth.Credential{Value: "Bearer " + secret, Expires: time.Now().Add(time.Hour)}, nil
	}))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	header := func(ctx context.Context, r any) (any, error) {
		return served(transport.WithHeader(ctx, "Authorization", "Bearer "+secret), r)
	}
	for name, h := range map[string]endpoint.Handler{"WithHeader": header, "Middleware": c.Middleware(endpoint.Spec{}.Client(), served)} {
		b.Run(name, func(b *testing.B) {
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h(ctx, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMiddleware(b *testing.B) {
	h := auth.Middleware(auth.Func(tokens))(endpoint.Spec{}, served)
	ctx, info := transport.NewServerContext(b.Context(), transport.Info{Request: make(transport.HeaderMap)})
	info.Request.Set("Authorization", "Bearer "+secret)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h(ctx, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCloseWaitsForTheSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := false
		c := newCredentials(t, auth.SourceFunc(func(ctx context.Context) (auth.Credential, error) {
			<-ctx.Done()
			<-time.After(time.Second) // to tidy up
			ended = true
			return auth.Credential{}, ctx.Err()
		}))
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = c.Credential(short)
		began := time.Now()
		if err := c.Close(); err != nil || !ended || time.Since(began) != time.Second {
			t.Errorf("want the Source ended at once, before Close returns, have %t after %v, %v", ended, time.Since(began), err)
		}
	})
}
