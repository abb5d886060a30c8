package inproc_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
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

// hooks notes everything that happens around a call, in the order of its happening.
func hooks(n *notes) ([]inproc.ServerOption, []inproc.ClientOption) {
	before := func(name string) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context {
			n.add("%s", name)
			return context.WithValue(ctx, ctxKey(name), name)
		}
	}
	mw := func(name string) endpoint.Middleware {
		return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			return func(ctx context.Context, request any) (any, error) {
				n.add("%s of %s", name, spec.Operation())
				defer n.add("%s left", name)
				if r, ok := request.(*inproc.Request); ok && r.Info != transport.FromContext(ctx) {
					n.add("with another Info")
				}
				return next(ctx, request)
			}
		}
	}
	clientHook := func(name string) func(context.Context, transport.Header) context.Context {
		return func(ctx context.Context, _ transport.Header) context.Context {
			n.add("%s", name)
			return context.WithValue(ctx, ctxKey(name), name)
		}
	}
	return []inproc.ServerOption{
			inproc.ServerMiddleware(mw("outer")), inproc.ServerMiddleware(mw("inner")),
			inproc.ServerBefore(before("before 1"), before("before 2")), inproc.ServerBefore(before("before 3")),
			inproc.ServerAfter(func(ctx context.Context) { n.add("after 1 %v", ctx.Value(ctxKey("before 1"))) }),
			inproc.ServerAfter(func(context.Context) { n.add("after 2") }),
			inproc.ServerFinalizer(func(ctx context.Context, o inproc.Outcome) {
				n.add("final 1 %v %v", ctx.Value(ctxKey("before 3")), status.CodeOf(o.Err))
			}),
			inproc.ServerFinalizer(func(context.Context, inproc.Outcome) { n.add("final 2") }),
			inproc.ServerErrorHandler(func(ctx context.Context, err error) {
				n.add("error 1 %v %v", ctx.Value(ctxKey("before 2")), status.CodeOf(err))
			}),
			inproc.ServerErrorHandler(func(context.Context, error) { n.add("error 2") }),
		}, []inproc.ClientOption{
			inproc.ClientBefore(clientHook("client before 1")), inproc.ClientBefore(clientHook("client before 2")),
			inproc.ClientAfter(clientHook("client after 1")), inproc.ClientAfter(clientHook("client after 2")),
			inproc.ClientFinalizer(func(ctx context.Context, o inproc.Outcome) {
				n.add("client final 1 %v %v", ctx.Value(ctxKey("client after 2")), status.CodeOf(o.Err))
			}),
			inproc.ClientFinalizer(func(context.Context, inproc.Outcome) { n.add("client final 2") }),
		}
}

//nolint:paralleltest // a message's methods have one place to write to
func TestHooksRunInOrder(t *testing.T) {
	n := &loudNotes
	server, client := hooks(n)
	client = append(client, inproc.ClientCopy(json.New()))
	var fail error
	call := unary(t, func(ctx context.Context, request *loud) (*loud, error) {
		n.add("endpoint %d %v", request.N, ctx.Value(ctxKey("client before 1")))
		return &loud{N: 2 * request.N}, fail
	}, server, client...)
	begin := []string{
		"encode 1", "client before 1", "client before 2", "before 1", "before 2", "before 3",
		"outer of numbers/Double", "inner of numbers/Double", "decode 1", "endpoint 1 <nil>", "inner left", "outer left",
	}
	n.take()
	if have, err := call(t.Context(), &loud{N: 1}); err != nil || have.N != 2 {
		t.Errorf("want 2, have %v, %v", have, err)
	}
	want := append(slices.Clone(begin), "after 1 before 1", "after 2", "encode 2", "final 1 before 3 ok", "final 2",
		"client after 1", "client after 2", "decode 2", "client final 1 client after 2 ok", "client final 2")
	if have := n.take(); !slices.Equal(want, have) {
		t.Errorf("success:\nwant %q\nhave %q", want, have)
	}
	fail = status.New(status.NotFound, "no")
	if _, err := call(t.Context(), &loud{N: 1}); !errors.Is(err, fail) {
		t.Errorf("want %v, have %v", fail, err)
	}
	want = append(slices.Clone(begin), "error 1 before 2 not_found", "error 2", "final 1 before 3 not_found", "final 2",
		"client after 1", "client after 2", "client final 1 client after 2 not_found", "client final 2")
	if have := n.take(); !slices.Equal(want, have) {
		t.Errorf("failure:\nwant %q\nhave %q", want, have)
	}
}

func TestHooksOfAStreamRunInOrder(t *testing.T) {
	t.Parallel()
	for _, copied := range []bool{false, true} {
		n := new(notes)
		server, client := hooks(n)
		if copied {
			client = append(client, inproc.ClientCopy(json.New()))
		}
		call := stream(t, func(ctx context.Context, in inSeq, out func(*number) error) error {
			n.add("stream")
			return echo(ctx, in, out)
		}, server, client...)
		begin := []string{
			"client before 1", "client before 2", "before 1", "before 2", "before 3",
			"outer of numbers/Echo", "inner of numbers/Echo", "stream",
		}
		if err := call(t.Context(), endpoint.Seq(&number{1}, &number{2}), func(m *number) error { n.add("out %d", m.N); return nil }); err != nil {
			t.Error(err)
		}
		want := append(slices.Clone(begin), "after 1 before 1", "after 2", "client after 1", "client after 2", "out 1", "out 2", "inner left", "outer left",
			"final 1 before 3 ok", "final 2", "client final 1 client after 2 ok", "client final 2")
		if have := n.take(); !slices.Equal(want, have) {
			t.Errorf("copied %t:\nwant %q\nhave %q", copied, want, have)
		}
		if err := call(t.Context(), endpoint.Seq[*number](), nil); err != nil {
			t.Error(err)
		}
		want = append(slices.Clone(begin), "inner left", "outer left", "after 1 before 1", "after 2",
			"final 1 before 3 ok", "final 2", "client after 1", "client after 2", "client final 1 client after 2 ok", "client final 2")
		if have := n.take(); !slices.Equal(want, have) {
			t.Errorf("copied %t, no message:\nwant %q\nhave %q", copied, want, have)
		}
	}
}

// A refused request is never decoded.
//
//nolint:paralleltest // a message's methods have one place to write to
func TestServerMiddlewareIsAroundDecoding(t *testing.T) {
	refuse := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { return nil, status.New(status.Unauthenticated, "who?") }
	}
	call := unary(t, func(_ context.Context, request *loud) (*loud, error) { return request, nil },
		[]inproc.ServerOption{inproc.ServerMiddleware(refuse)}, inproc.ClientCopy(json.New()))
	loudNotes.take()
	if _, err := call(t.Context(), &loud{N: 1}); status.CodeOf(err) != status.Unauthenticated {
		t.Errorf("want unauthenticated, have %v", err)
	}
	if want, have := []string{"encode 1"}, loudNotes.take(); !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestFinalizersSeeAnEndpointThatEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	var server, client error
	call := unary(t, func(context.Context, *number) (*number, error) {
		runtime.Goexit()
		return &number{}, nil
	}, []inproc.ServerOption{inproc.ServerFinalizer(func(_ context.Context, o inproc.Outcome) { server = o.Err })},
		inproc.ClientFinalizer(func(_ context.Context, o inproc.Outcome) { client = o.Err }))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = call(t.Context(), &number{})
		t.Error("the goroutine goes on")
	}()
	<-done
	if status.CodeOf(server) != status.Internal || status.CodeOf(client) != status.Internal {
		t.Errorf("want internal on both sides, have %v and %v", server, client)
	}
}
