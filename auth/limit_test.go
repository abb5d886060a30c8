package auth_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// through makes a call without a transport's own deadline, and says whether it went through.
func through(ctx context.Context, f auth.Func, opts ...auth.Option) (passed bool, response transport.Header, err error) {
	ctx, info := transport.NewServerContext(ctx, transport.Info{Request: make(transport.HeaderMap), Response: make(transport.HeaderMap)})
	h := auth.Middleware(f, opts...)(endpoint.Spec{Method: "Who"}, func(context.Context, any) (any, error) {
		passed = true
		return struct{}{}, nil
	})
	_, err = h(ctx, nil)
	return passed, info.Response, err
}

func TestAnAuthenticatorHasATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ann := &auth.Principal{Subject: "ann"}
		sleep := func(d time.Duration) auth.Func {
			return func(context.Context, *transport.Info) (*auth.Principal, error) {
				time.Sleep(d)
				return ann, nil
			}
		}
		wait := func(ctx context.Context, _ *transport.Info) (*auth.Principal, error) {
			deadline, has := ctx.Deadline()
			if ctx.Err() != nil || !has || time.Until(deadline) <= 0 {
				t.Errorf("want a deadline ahead, have %v, %v, %v", deadline, has, ctx.Err())
			}
			<-ctx.Done()
			if time.Now().Before(deadline) || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("want its end at %v, have %v", deadline, ctx.Err())
			}
			return nil, auth.ErrNone
		}
		for name, test := range map[string]struct {
			by     auth.Func
			opts   []auth.Option
			short  time.Duration // of the call
			after  time.Duration
			code   status.Code
			reason string
		}{
			"in time":                {by: sleep(9 * time.Second), after: 9 * time.Second},
			"waits":                  {by: wait, after: 10 * time.Second, code: status.Unavailable, reason: auth.ReasonUnavailable},
			"waits, by option":       {by: wait, opts: []auth.Option{auth.Limit(time.Second)}, after: time.Second, code: status.Unavailable, reason: auth.ReasonUnavailable},
			"waits, in a short call": {by: wait, short: time.Second, after: time.Second, code: status.DeadlineExceeded},
			"late":                   {by: sleep(11 * time.Second), after: 11 * time.Second, code: status.Unavailable, reason: auth.ReasonUnavailable},
			"late for a short call":  {by: sleep(2 * time.Second), short: time.Second, after: 2 * time.Second, code: status.DeadlineExceeded},
		} {
			ctx, cancel := t.Context(), context.CancelFunc(func() {})
			if test.short > 0 {
				ctx, cancel = context.WithTimeout(ctx, test.short)
			}
			began := time.Now()
			passed, _, err := through(ctx, test.by, test.opts...)
			cancel()
			if passed != (test.code == status.OK) || status.CodeOf(err) != test.code || time.Since(began) != test.after {
				t.Errorf("%s: want %v after %v, have %v after %v, passed %v", name, test.code, test.after, err, time.Since(began), passed)
			}
			if test.reason != "" && status.As(err).Reason != test.reason {
				t.Errorf("%s: want %s, have %v", name, test.reason, err)
			}
		}
	})
	if passed, _, err := through(t.Context(), tokens, auth.Limit(0)); passed || status.CodeOf(err) != status.Internal {
		t.Errorf("want a wrong option to refuse, have %v", err)
	}
}

func TestOnlyNothingIsNothing(t *testing.T) {
	t.Parallel()
	none := fmt.Errorf("tokens: %w", auth.ErrNone)
	for name, test := range map[string]struct {
		err    error
		reason string // empty where Optional lets it through
	}{
		"none":              {err: none},
		"none of two":       {err: errors.Join(none, auth.ErrNone)},
		"joined with bad":   {err: errors.Join(none, errors.New("the signature is bad")), reason: auth.ReasonInvalid},
		"of what is bad":    {err: fmt.Errorf("%w, and %w", errors.New("bad"), none), reason: auth.ReasonInvalid},
		"cannot say":        {err: fmt.Errorf("%w: %w", auth.ErrUnavailable, none), reason: auth.ReasonUnavailable},
		"a nil challenge":   {err: (*auth.ChallengeError)(nil), reason: auth.ReasonInvalid},
		"an empty join":     {err: empty{}, reason: auth.ReasonInvalid},
		"a challenge alone": {err: &auth.ChallengeError{Challenge: "Basic"}, reason: auth.ReasonInvalid},
	} {
		f := auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) { return nil, test.err })
		second := auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) {
			return &auth.Principal{Subject: "other"}, nil
		})
		for kind, by := range map[string]auth.Authenticator{"Optional": auth.Optional(f), "AnyOf": auth.AnyOf(f, second)} {
			passed, _, err := through(t.Context(), by.Authenticate)
			if kind == "Optional" {
				passed, err = optional(t, by)
			}
			if passed != (test.reason == "") || test.reason != "" && (status.As(err) == nil || status.As(err).Reason != test.reason) {
				t.Errorf("%s, %s: want %q, have %v, passed %v", name, kind, test.reason, err, passed)
			}
		}
	}
}

// optional makes a call whose Middleware sees that by is Optional.
func optional(t *testing.T, by auth.Authenticator) (passed bool, err error) {
	t.Helper()
	ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Request: make(transport.HeaderMap), Response: make(transport.HeaderMap)})
	_, err = auth.Middleware(by)(endpoint.Spec{Method: "Who"}, func(context.Context, any) (any, error) {
		passed = true
		return struct{}{}, nil
	})(ctx, nil)
	return passed, err
}

// empty is a join of nothing.
type empty struct{}

func (empty) Error() string   { return "" }
func (empty) Unwrap() []error { return nil }

func TestAChallengeIsVisible(t *testing.T) {
	t.Parallel()
	const good = `Bearer realm="a"`
	for _, bad := range []string{"Bearer\r\nX-Evil: 1", "Bearer \x00", "Bearer é"} {
		_, response, _ := through(t.Context(), func(context.Context, *transport.Info) (*auth.Principal, error) {
			return nil, errors.Join(&auth.ChallengeError{Challenge: bad}, &auth.ChallengeError{Challenge: good})
		})
		if have := response.Values("WWW-Authenticate"); !slices.Equal(have, []string{good}) {
			t.Errorf("want %q without %q, have %q", good, bad, have)
		}
	}
}

func TestASourceThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int64
		told := make(chan error, 10)
		source := auth.SourceFunc(func(context.Context) (auth.Credential, error) {
			n := asked.Add(1)
			if n == 1 {
				<-release
			}
			return auth.Credential{Value: fmt.Sprint("Bearer ", n), Expires: time.Now().Add(time.Hour)}, nil
		})
		c := newCredentials(t, source, auth.RefreshLimit(time.Second), auth.OnRefreshError(func(err error) {
			told <- err
			panic("the log is full")
		}))
		began := time.Now()
		_, err := c.Credential(t.Context())
		if took := time.Since(began); status.CodeOf(err) != status.Unavailable || took < time.Second || took > 2*time.Second {
			t.Errorf("want unavailable after a second, have %v after %v", err, took)
		}
		if err := <-told; !strings.Contains(err.Error(), "does not return") {
			t.Errorf("want it told, have %v", err)
		}
		time.Sleep(time.Hour)
		began = time.Now()
		if _, err := c.Credential(t.Context()); status.CodeOf(err) != status.Unavailable || time.Since(began) != 0 || asked.Load() != 1 {
			t.Errorf("want unavailable at once, and no second question, have %v after %v, %d questions", err, time.Since(began), asked.Load())
		}
		close(release)
		synctest.Wait()
		time.Sleep(time.Second)
		if credential, err := c.Credential(t.Context()); err != nil || credential.Value != "Bearer 2" {
			t.Errorf("want the second, and not what came too late, have %v, %v", credential.Value, err)
		}
	})
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := newCredentials(t, auth.SourceFunc(func(context.Context) (auth.Credential, error) {
			<-release
			return auth.Credential{}, errors.New("late")
		}), auth.RefreshLimit(time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, _ = c.Credential(ctx)
		began := time.Now()
		if err := c.Close(); err == nil || time.Since(began) != time.Second {
			t.Errorf("want an error after a second, have %v after %v", err, time.Since(began))
		}
		close(release)
		if err := c.Close(); err != nil {
			t.Errorf("want it closed, have %v", err)
		}
	})
}

func TestFieldsOfCredentials(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"": true, "X-Api-Key": true, "x_key": true, "Authorization": true, "Cookie": true,
		"Host": false, "Content-Length": false, "grpc-timeout": false, "TE": false, "Transfer-Encoding": false, "Bad Header": false,
		"X-A\r\nX-Evil": false, ":path": false, "X-Ä": false, "Nats-Expected-Stream": false, "ashlar-timeout": false, "Status": false,
	} {
		_, err := newCredentials(t, auth.SourceFunc(func(context.Context) (auth.Credential, error) {
			return auth.Credential{Header: name, Value: "v"}, nil
		})).Credential(t.Context())
		if (err == nil) != good {
			t.Errorf("%q: want good %v, have %v", name, good, err)
		}
	}
}

func TestExpiringEndsStreamsThatDoNotHeedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spec := endpoint.Spec{Method: "Talk", Kind: endpoint.Bidirectional}
		counts := map[string]int{}
		ticks := func(yield func(string, error) bool) {
			for range 10 {
				if !yield("in", nil) {
					return
				}
				time.Sleep(time.Second)
			}
		}
		for name, s := range map[string]endpoint.Stream[string, string]{
			"reads": func(_ context.Context, in inSeq, _ func(string) error) error {
				for _, err := range in {
					if err != nil {
						return err
					}
					counts["reads"]++
				}
				return nil
			},
			"sends": func(_ context.Context, _ inSeq, out func(string) error) error {
				for range 10 {
					if err := out("out"); err != nil {
						return err
					}
					counts["sends"]++
					time.Sleep(time.Second)
				}
				return nil
			},
			"ends well": func(ctx context.Context, _ inSeq, _ func(string) error) error {
				<-ctx.Done()
				counts["ends well"] += 3
				return nil
			},
		} {
			call := endpoint.NewStream(spec, s, auth.Expiring())
			ctx := auth.WithPrincipal(t.Context(), &auth.Principal{Subject: "ann", Expires: time.Now().Add(2500 * time.Millisecond)})
			err := call(ctx, ticks, func(string) error { return nil })
			if e := status.As(err); e == nil || e.Reason != auth.ReasonExpired || counts[name] != 3 {
				t.Errorf("%s: want %s after 3 messages, have %v after %d", name, auth.ReasonExpired, err, counts[name])
			}
		}
		ctx, cancel := context.WithCancel(auth.WithPrincipal(t.Context(), &auth.Principal{Subject: "ann", Expires: time.Now().Add(time.Hour)}))
		cancel()
		gone := endpoint.NewStream(spec, func(ctx context.Context, _ inSeq, _ func(string) error) error { return ctx.Err() }, auth.Expiring())
		if err := gone(ctx, ticks, func(string) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("want what the endpoint says of a caller who has gone, have %v", err)
		}
	})
}

type inSeq = iter.Seq2[string, error]
