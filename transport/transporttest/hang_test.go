package transporttest_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// An Authenticator that waits for what never comes refuses when the time of the call is up. What goes on then the leak check finds.
//
//nolint:paralleltest // as TestMatrix
func TestAnAuthenticatorThatHangsRefuses(t *testing.T) {
	for _, h := range harnesses(testserver.StartNATS(t).URL) {
		for _, kind := range kindsOf(h) {
			t.Run(h.Name+", "+kind.String(), func(t *testing.T) {
				hangs := auth.Func(func(ctx context.Context, _ *transport.Info) (*auth.Principal, error) {
					<-ctx.Done()
					return &auth.Principal{Subject: "ann"}, ctx.Err()
				})
				served := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
					return func(context.Context, any) (any, error) {
						t.Error("the call went through")
						return nil, nil
					}
				}
				call := open(t, h, kind, auth.Middleware(hangs), served)
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				err := call(ctx, endpoint.Seq(message{Text: "hello"}), func(message) error {
					t.Error("the client received a message")
					return nil
				})
				if code := status.CodeOf(err); code != status.DeadlineExceeded {
					t.Errorf("want the call refused, have %v", err)
				}
			})
		}
	}
}

// kindsOf are the shapes that go the harness's way.
func kindsOf(h transporttest.Harness) []endpoint.Kind {
	if len(h.Kinds) > 0 {
		return h.Kinds
	}
	return []endpoint.Kind{endpoint.Unary, endpoint.ClientStream, endpoint.ServerStream, endpoint.Bidirectional}
}

// open serves an operation of that shape behind the middleware, and returns a client of it.
func open(t *testing.T, h transporttest.Harness, kind endpoint.Kind, mw ...endpoint.Middleware) endpoint.Stream[message, message] {
	t.Helper()
	o := transporttest.Operation{
		Spec: endpoint.Spec{Service: "transporttest.Log", Method: "Call", Kind: kind}, Hooks: transporttest.ServerHooks{Middleware: mw},
	}
	greet := endpoint.Stream[message, message](func(_ context.Context, _ iter.Seq2[message, error], out func(message) error) error {
		return out(message{Text: "hello"})
	})
	if kind == endpoint.Unary {
		o.Endpoint = greet.Unary
	} else {
		o.Stream = greet
	}
	link, err := h.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	if kind != endpoint.Unary {
		call, err := link.Stream(o.Spec.Client(), transporttest.ClientHooks{})
		if err != nil {
			t.Fatal(err)
		}
		return call
	}
	call, err := link.Unary(o.Spec.Client(), transporttest.ClientHooks{})
	if err != nil {
		t.Fatal(err)
	}
	return call.Stream()
}
