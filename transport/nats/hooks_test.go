package natstransport_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// loud is a message that notes when it is encoded and decoded.
type loud struct{ N int }

var loudNotes notes

func (l *loud) MarshalJSON() ([]byte, error) {
	loudNotes.add("encode %d", l.N)
	return []byte(fmt.Sprint(l.N)), nil
}

func (l *loud) UnmarshalJSON(data []byte) error {
	_, err := fmt.Sscan(string(data), &l.N)
	loudNotes.add("decode %d", l.N)
	return err
}

type ctxKey string

// hooks notes everything that happens around a call, in the order of its happening. The client's notes are its own, since the server's
// finalizers run beside what the client does with the answer. Done gets a value when the last of the server's has run.
func hooks(server, client *notes, done chan<- struct{}) ([]natstransport.ServerOption, []natstransport.ClientOption) {
	before := func(name string) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context {
			server.add("%s %s", name, transport.FromContext(ctx).Operation)
			return context.WithValue(ctx, ctxKey(name), name)
		}
	}
	mw := func(name string) endpoint.Middleware {
		return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			return func(ctx context.Context, request any) (any, error) {
				server.add("%s of %s", name, spec.Operation())
				defer server.add("%s left", name)
				if r, ok := request.(*natstransport.Request); ok && (r.Info != transport.FromContext(ctx) || r.Message.Subject != "numbers.Double") {
					server.add("with another request")
				}
				return next(ctx, request)
			}
		}
	}
	clientHook := func(name string) func(context.Context, transport.Header) context.Context {
		return func(ctx context.Context, _ transport.Header) context.Context {
			client.add("%s", name)
			return context.WithValue(ctx, ctxKey(name), name)
		}
	}
	return []natstransport.ServerOption{
			natstransport.ServerMiddleware(mw("outer")), natstransport.ServerMiddleware(mw("inner")),
			natstransport.ServerBefore(before("before 1"), before("before 2")), natstransport.ServerBefore(before("before 3")),
			natstransport.ServerAfter(func(ctx context.Context) { server.add("after 1 %v", ctx.Value(ctxKey("before 1"))) }),
			natstransport.ServerAfter(func(context.Context) { server.add("after 2") }),
			natstransport.ServerFinalizer(func(ctx context.Context, o natstransport.Outcome) {
				server.add("final 1 %v %v", ctx.Value(ctxKey("before 3")), status.CodeOf(o.Err))
			}),
			natstransport.ServerFinalizer(func(context.Context, natstransport.Outcome) {
				server.add("final 2")
				done <- struct{}{}
			}),
			natstransport.ServerErrorHandler(func(ctx context.Context, err error) {
				server.add("error 1 %v %v", ctx.Value(ctxKey("before 2")), status.CodeOf(err))
			}),
			natstransport.ServerErrorHandler(func(context.Context, error) { server.add("error 2") }),
		}, []natstransport.ClientOption{
			natstransport.ClientBefore(clientHook("before 1")), natstransport.ClientBefore(clientHook("before 2")),
			natstransport.ClientAfter(clientHook("after 1")), natstransport.ClientAfter(clientHook("after 2")),
			natstransport.ClientFinalizer(func(ctx context.Context, o natstransport.Outcome) {
				client.add("final 1 %v %v", ctx.Value(ctxKey("after 2")), status.CodeOf(o.Err))
			}),
			natstransport.ClientFinalizer(func(context.Context, natstransport.Outcome) { client.add("final 2") }),
		}
}

func same(t *testing.T, what string, want, have []string) {
	t.Helper()
	if !slices.Equal(want, have) {
		t.Errorf("%s:\nwant %q\nhave %q", what, want, have)
	}
}

//nolint:paralleltest // a message's methods have one place to write to
func TestHooksRunInOrder(t *testing.T) {
	n, own := &loudNotes, new(notes)
	done := make(chan struct{}, 1)
	server, client := hooks(n, own, done)
	var fail error
	call := unary(t, func(ctx context.Context, request *loud) (*loud, error) {
		n.add("endpoint %d %v", request.N, ctx.Value(ctxKey("before 1")))
		return &loud{N: 2 * request.N}, fail
	}, append(server, natstransport.ServerFinalizer()), client...)
	begin := []string{
		"encode 1", "before 1 numbers/Double", "before 2 numbers/Double", "before 3 numbers/Double",
		"outer of numbers/Double", "inner of numbers/Double", "decode 1", "endpoint 1 before 1", "inner left", "outer left",
	}
	n.take()
	if have, err := call(t.Context(), &loud{N: 1}); err != nil || have.N != 2 {
		t.Errorf("want 2, have %v, %v", have, err)
	}
	wait(t, done, "the finalizers")
	have := slices.DeleteFunc(n.take(), func(text string) bool { return text == "decode 2" }) // on the client, beside the finalizers
	same(t, "success", append(slices.Clone(begin), "after 1 before 1", "after 2", "encode 2", "final 1 before 3 ok", "final 2"), have)
	same(t, "success, client", []string{"before 1", "before 2", "after 1", "after 2", "final 1 after 2 ok", "final 2"}, own.take())
	fail = status.New(status.NotFound, "no")
	if _, err := call(t.Context(), &loud{N: 1}); !errors.Is(err, fail) {
		t.Errorf("want %v, have %v", fail, err)
	}
	wait(t, done, "the finalizers")
	same(t, "failure", append(slices.Clone(begin), "error 1 before 2 not_found", "error 2", "final 1 before 3 not_found", "final 2"), n.take())
	same(t, "failure, client", []string{"before 1", "before 2", "after 1", "after 2", "final 1 after 2 not_found", "final 2"}, own.take())
}

// A refused request is never decoded.
//
//nolint:paralleltest // a message's methods have one place to write to
func TestServerMiddlewareIsAroundDecoding(t *testing.T) {
	refuse := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { return nil, status.New(status.Unauthenticated, "who?") }
	}
	call := unary(t, func(_ context.Context, request *loud) (*loud, error) { return request, nil },
		[]natstransport.ServerOption{natstransport.ServerMiddleware(refuse)})
	loudNotes.take()
	if _, err := call(t.Context(), &loud{N: 1}); status.CodeOf(err) != status.Unauthenticated {
		t.Errorf("want unauthenticated, have %v", err)
	}
	same(t, "notes", []string{"encode 1"}, loudNotes.take())
}

// A middleware may answer by itself, or be wrong.
func TestWhatMiddlewareReturnsIsTheResponse(t *testing.T) {
	t.Parallel()
	var answer any = &number{7}
	mw := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { return answer, nil }
	}
	call := unary(t, double, []natstransport.ServerOption{
		natstransport.ServerMiddleware(mw), natstransport.ServerErrorHandler(func(context.Context, error) {}),
	})
	if have, err := call(deadline(t), &number{1}); err != nil || have.N != 7 {
		t.Errorf("want 7, have %v, %v", have, err)
	}
	answer = "text"
	if _, err := call(deadline(t), &number{1}); status.CodeOf(err) != status.Internal {
		t.Errorf("want internal for a response of another type, have %v", err)
	}
}

func TestAHookThatReturnsNoContextIsSaidSo(t *testing.T) {
	t.Parallel()
	ended := make(chan context.Context, 1)
	for name, call := range failing(t, func() error { return nil },
		natstransport.ServerBefore(func(context.Context) context.Context { return nil }),
		natstransport.ServerErrorHandler(func(_ context.Context, err error) {
			if caught, ok := errors.AsType[*endpoint.PanicError](err); !ok || caught.Value != "a ServerBefore hook returned a nil context" {
				t.Errorf("want whose fault it is, have %v", err)
			}
		}),
		natstransport.ServerFinalizer(func(ctx context.Context, _ natstransport.Outcome) { ended <- ctx }),
	) {
		if err := call(); status.CodeOf(err) != status.Internal {
			t.Errorf("%s: want internal, have %v", name, err)
		}
		if ctx := wait(t, ended, "the finalizer"); ctx == nil || transport.FromContext(ctx) == nil {
			t.Errorf("%s: want the context that there was, have %v", name, ctx)
		}
	}
}
