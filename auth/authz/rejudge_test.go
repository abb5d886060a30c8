package authz_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// changing allows until it is told otherwise.
type changing struct {
	now  atomic.Pointer[func() (authz.Decision, error)]
	asks atomic.Int64
}

func (c *changing) Authorize(ctx context.Context, operation string, p *auth.Principal) (authz.Decision, error) {
	c.asks.Add(1)
	if operation != "orders/All" || p == nil || transport.FromContext(ctx).Response != nil || transport.FromContext(ctx).Peer != "peer" {
		return authz.Decision{}, errors.New("it is not asked as it should be")
	}
	if f := c.now.Load(); f != nil {
		return (*f)()
	}
	return authz.Decision{Allowed: true}, nil
}

func TestAStreamThatIsNotAllowedAnyMoreEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		now  func() (authz.Decision, error)
		code status.Code
	}{
		{"refused", func() (authz.Decision, error) { return authz.Decision{Why: "secret"}, nil }, status.PermissionDenied},
		{"error", func() (authz.Decision, error) { return authz.Decision{Allowed: true}, errors.New("secret") }, status.Internal},
		{"unavailable", func() (authz.Decision, error) { return authz.Decision{}, auth.ErrUnavailable }, status.Unavailable},
		{"panic", func() (authz.Decision, error) { panic("secret") }, status.Internal},
		{"ends its goroutine", func() (authz.Decision, error) { runtime.Goexit(); return authz.Decision{}, nil }, status.Internal},
	} {
		synctest.Test(t, func(t *testing.T) {
			var a changing
			var outErr, inErr, ctxErr error
			begun, got := time.Now(), 0
			s := endpoint.NewStream(endpoint.Spec{Service: "orders", Method: "All"}, func(ctx context.Context, in iter.Seq2[int, error], out func(string) error) error {
				for _, err := range in {
					if got++; err != nil {
						inErr = err
						break
					}
					if err := out("x"); err != nil {
						outErr = err
					}
				}
				ctxErr = context.Cause(ctx)
				return nil // as it should not
			}, authz.Rejudge(&a, time.Second))
			ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Transport: "test", Peer: "peer", Response: make(transport.HeaderMap)})
			sent := 0
			err := s(auth.WithPrincipal(ctx, who("", "")), func(yield func(int, error) bool) {
				for i := range 3 {
					if i == 2 {
						a.now.Store(&test.now)
					}
					time.Sleep(1500 * time.Millisecond)
					synctest.Wait()
					if !yield(i, nil) {
						return
					}
				}
			}, func(string) error { sent++; return nil })
			if status.CodeOf(err) != test.code || strings.Contains(status.From(err).Message, "secret") {
				t.Errorf("%s: want %v, have %v", test.name, test.code, err)
			}
			if got != 3 || sent != 2 || status.CodeOf(inErr) != test.code || outErr != nil || status.CodeOf(ctxErr) != test.code {
				t.Errorf("%s: want the third message refused, have %d, %d, %v, %v and %v", test.name, got, sent, inErr, outErr, ctxErr)
			}
			if asks := a.asks.Load(); asks != 4 && test.name != "refused" && asks < 3 || time.Since(begun) != 4500*time.Millisecond {
				t.Errorf("%s: want it asked once a second, have %d in %v", test.name, asks, time.Since(begun))
			}
		})
	}
}

func TestRejudgeLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	var a changing
	ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Peer: "peer"})
	ctx = auth.WithPrincipal(ctx, who("", ""))
	stream := endpoint.Spec{Service: "orders", Method: "All", Kind: endpoint.ServerStream}
	unary := stream
	unary.Kind = endpoint.Unary
	for _, spec := range []endpoint.Spec{stream, unary} {
		if have, err := authz.Rejudge(&a, time.Second)(spec, served)(ctx, nil); have != "served" || err != nil {
			t.Errorf("%v: have %v and %v", spec.Kind, have, err)
		}
	}
	for name, mw := range map[string]endpoint.Middleware{
		"nil": authz.Rejudge(nil, time.Second), "short": authz.Rejudge(&a, time.Millisecond), "long": authz.Rejudge(&a, 2*time.Hour),
	} {
		if _, err := mw(stream, served)(ctx, nil); status.CodeOf(err) != status.Internal {
			t.Errorf("%s: want Internal, have %v", name, err)
		}
	}
	if _, err := authz.Rejudge(&a, time.Second)(stream.Client(), served)(ctx, nil); status.CodeOf(err) != status.Internal {
		t.Errorf("client: want Internal, have %v", err)
	}
	if have := a.asks.Load(); have != 0 {
		t.Errorf("want nothing asked, have %d", have)
	}
}
