package grpctransport_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

type ctxKey string

// stone is a type of the service that knows no Protocol Buffers.
type stone struct{ Name string }

// hooks notes everything that happens around a call, in the order of its happening.
func hooks(n *notes) ([]grpctransport.ServerOption, []grpctransport.ClientOption) {
	before := func(name string) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context {
			n.add("%s", name)
			return context.WithValue(ctx, ctxKey(name), name)
		}
	}
	mw := func(name string) endpoint.Middleware {
		return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			return func(ctx context.Context, request any) (any, error) {
				n.add("%s of %s %v", name, spec.Operation(), spec.Side)
				defer n.add("%s left", name)
				if r, ok := request.(*grpctransport.Request); ok && r.Info != transport.FromContext(ctx) {
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
	return []grpctransport.ServerOption{
			grpctransport.ServerMiddleware(mw("outer")), grpctransport.ServerMiddleware(mw("inner")),
			grpctransport.ServerBefore(before("before 1"), before("before 2")), grpctransport.ServerBefore(before("before 3")),
			grpctransport.ServerAfter(func(ctx context.Context) { n.add("after 1 %v", ctx.Value(ctxKey("before 1"))) }),
			grpctransport.ServerAfter(func(context.Context) { n.add("after 2") }),
			grpctransport.ServerFinalizer(func(ctx context.Context, o grpctransport.Outcome) {
				n.add("final 1 %v %v %d %d", ctx.Value(ctxKey("before 3")), status.CodeOf(o.Err), o.RequestSize, o.ResponseSize)
			}),
			grpctransport.ServerFinalizer(func(context.Context, grpctransport.Outcome) { n.add("final 2") }),
			grpctransport.ServerErrorHandler(func(ctx context.Context, err error) {
				n.add("error 1 %v %v", ctx.Value(ctxKey("before 2")), status.CodeOf(err))
			}),
			grpctransport.ServerErrorHandler(func(context.Context, error) { n.add("error 2") }),
			grpctransport.ServerDecoder(func(_ context.Context, m *request) (stone, error) {
				n.add("decode")
				return stone{string(m.GetPayload().GetBody())}, nil
			}),
			grpctransport.ServerEncoder(func(_ context.Context, s stone) (*response, error) {
				n.add("encode")
				return &response{Payload: payload(s.Name)}, nil
			}),
		}, []grpctransport.ClientOption{
			grpctransport.ClientBefore(clientHook("client before 1")), grpctransport.ClientBefore(clientHook("client before 2")),
			grpctransport.ClientAfter(clientHook("client after 1")), grpctransport.ClientAfter(clientHook("client after 2")),
			grpctransport.ClientFinalizer(func(ctx context.Context, o grpctransport.Outcome) {
				n.add("client final 1 %v %v %d %d", ctx.Value(ctxKey("client after 2")), status.CodeOf(o.Err), o.RequestSize, o.ResponseSize)
			}),
			grpctransport.ClientFinalizer(func(context.Context, grpctransport.Outcome) { n.add("client final 2") }),
			grpctransport.ClientEncoder(func(_ context.Context, s stone) (*request, error) {
				n.add("client encode")
				return requestOf(s.Name), nil
			}),
			grpctransport.ClientDecoder(func(_ context.Context, m *response) (stone, error) {
				n.add("client decode")
				return stone{string(m.GetPayload().GetBody())}, nil
			}),
		}
}

func TestHooksRunInOrder(t *testing.T) {
	t.Parallel()
	var n notes
	server, client := hooks(&n)
	var fail error
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, func(ctx context.Context, s stone) (stone, error) {
		n.add("endpoint %s %v", s.Name, ctx.Value(ctxKey("client before 1")))
		return stone{s.Name + "!"}, fail
	}, server...))
	call := newClient[stone, stone](t, unarySpec, dial(t, address), client...)
	begin := []string{
		"client before 1", "client before 2", "client encode", "before 1", "before 2", "before 3",
		"outer of grpc.testing.TestService/UnaryCall server", "inner of grpc.testing.TestService/UnaryCall server",
		"decode", "endpoint a <nil>", "inner left", "outer left",
	}
	if have, err := call(t.Context(), stone{"a"}); err != nil || have.Name != "a!" {
		t.Errorf("want a!, have %v, %v", have, err)
	}
	wantTexts(t, append(slices.Clone(begin), "after 1 before 1", "after 2", "encode", "final 1 before 3 ok 5 6", "final 2",
		"client after 1", "client after 2", "client decode", "client final 1 client after 2 ok 5 6", "client final 2"), n.take())
	fail = status.New(status.NotFound, "no")
	if _, err := call(t.Context(), stone{"a"}); !errors.Is(err, fail) {
		t.Errorf("want %v, have %v", fail, err)
	}
	wantTexts(t, append(slices.Clone(begin), "error 1 before 2 not_found", "error 2", "final 1 before 3 not_found 5 0", "final 2",
		"client after 1", "client after 2", "client final 1 client after 2 not_found 5 0", "client final 2"), n.take())
}

func TestHooksOfAStreamRunInOrder(t *testing.T) {
	t.Parallel()
	var n notes
	server, client := hooks(&n)
	finished := make(chan struct{}, 1)
	server = append(server,
		grpctransport.ServerDecoder(func(_ context.Context, m *ask) (stone, error) { return stone{string(m.GetPayload().GetBody())}, nil }),
		grpctransport.ServerEncoder(func(_ context.Context, s stone) (*answer, error) { return &answer{Payload: payload(s.Name)}, nil }),
		grpctransport.ServerFinalizer(func(context.Context, grpctransport.Outcome) { finished <- struct{}{} }))
	client = append(client,
		grpctransport.ClientEncoder(func(_ context.Context, s stone) (*ask, error) { return askOf(s.Name), nil }),
		grpctransport.ClientDecoder(func(_ context.Context, m *answer) (stone, error) { return stone{string(m.GetPayload().GetBody())}, nil }))
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewStreamServer(talkSpec, func(_ context.Context, in seq[stone], out func(stone) error) error {
		n.add("stream")
		for s, err := range in {
			if err := errors.Join(err, out(s)); err != nil {
				return err
			}
		}
		return nil
	}, server...))
	call := newStreamClient[stone, stone](t, talkSpec, dial(t, address), client...)
	begin := []string{
		"client before 1", "client before 2", "before 1", "before 2", "before 3",
		"outer of grpc.testing.TestService/FullDuplexCall server", "inner of grpc.testing.TestService/FullDuplexCall server", "stream",
	}
	first := make(chan struct{}) // has come back
	in := func(yield func(stone, error) bool) {
		if yield(stone{"a"}, nil) {
			<-first
			yield(stone{"b"}, nil)
		}
	}
	if err := call(t.Context(), in, func(s stone) error {
		if n.add("out %s", s.Name); s.Name == "a" {
			close(first)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	receive(t, finished)
	wantTexts(t, append(slices.Clone(begin), "after 1 before 1", "after 2", "client after 1", "client after 2", "out a"), n.texts[:13])
	have := n.take()[13:]
	slices.Sort(have) // the two sides end at the same time
	wantTexts(t, []string{"client final 1 client after 2 ok 10 10", "client final 2", "final 1 before 3 ok 10 10", "final 2", "inner left", "out b", "outer left"}, have)
	if err := call(t.Context(), endpoint.Seq[stone](), nil); err != nil {
		t.Error(err)
	}
	receive(t, finished)
	wantTexts(t, append(slices.Clone(begin), "inner left", "outer left", "after 1 before 1", "after 2"), n.texts[:12])
	have = n.take()[12:]
	slices.Sort(have)
	wantTexts(t, []string{"client after 1", "client after 2", "client final 1 client after 2 ok 0 0", "client final 2", "final 1 before 3 ok 0 0", "final 2"}, have)
}

// A refused request is never decoded.
func TestServerMiddlewareIsAroundDecoding(t *testing.T) {
	t.Parallel()
	refuse := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { return nil, status.New(status.Unauthenticated, "who?") }
	}
	var n notes
	server, _ := hooks(&n)
	address := start(t, grpctransport.NewGRPCServer(),
		grpctransport.NewServer(unarySpec, func(context.Context, stone) (stone, error) { n.add("endpoint"); return stone{}, nil },
			append(server, grpctransport.ServerMiddleware(refuse))...),
		grpctransport.NewStreamServer(talkSpec, echoes, grpctransport.ServerMiddleware(refuse)))
	conn := dial(t, address)
	if _, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{}); status.CodeOf(err) != status.Unauthenticated {
		t.Errorf("want unauthenticated, have %v", err)
	}
	if have := n.take(); slices.Contains(have, "decode") || slices.Contains(have, "endpoint") {
		t.Errorf("want no decoding, have %q", have)
	}
	if err := newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), endpoint.Seq(askOf("a")), nil); status.CodeOf(err) != status.Unauthenticated {
		t.Errorf("want unauthenticated, have %v", err)
	}
}

func TestAMiddlewareThatAnswersByItself(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer any
		want   string
	}{
		"right type": {&response{Payload: payload("cached")}, "cached"},
		"wrong type": {"text", ""},
	} {
		call := unary(t, echo, []grpctransport.ServerOption{
			grpctransport.ServerErrorHandler(func(context.Context, error) {}),
			grpctransport.ServerMiddleware(func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
				return func(context.Context, any) (any, error) { return tt.answer, nil }
			}),
		})
		have, err := call(t.Context(), requestOf("asked"))
		if string(have.GetPayload().GetBody()) != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: want %q, have %v, %v", name, tt.want, have, err)
		}
	}
}

// What a response cannot be encoded to is what the finalizers and the client see, and not success.
func TestAResponseThatCannotBeEncodedIsInternal(t *testing.T) {
	t.Parallel()
	outcomes := make(chan error, 1)
	opts := []grpctransport.ServerOption{
		grpctransport.ServerErrorHandler(func(context.Context, error) {}),
		grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err }),
	}
	secret := errors.New("hunter2")
	for name, call := range map[string]func() error{
		"invalid UTF-8": func() error {
			_, err := unary(t, func(context.Context, *request) (*response, error) { return &response{Username: "\xff"}, nil }, opts)(t.Context(), &request{})
			return err
		},
		"encoder": func() error {
			_, err := unary(t, echo, append(opts, grpctransport.ServerEncoder(func(context.Context, *response) (*response, error) { return nil, secret })))(t.Context(), &request{})
			return err
		},
		"encoder of a stream": func() error {
			out, _ := collect()
			return talk(t, echoes, append(opts, grpctransport.ServerEncoder(func(context.Context, *answer) (*answer, error) { return nil, secret })))(t.Context(), endpoint.Seq(askOf("a")), out)
		},
		"encoder of a stream that does not heed it": func() error {
			careless := func(_ context.Context, _ asks, out func(*answer) error) error {
				_ = out(&answer{})
				return nil
			}
			return talk(t, careless, append(opts, grpctransport.ServerEncoder(func(context.Context, *answer) (*answer, error) { return nil, secret })))(t.Context(), endpoint.Seq(askOf("a")), nil)
		},
	} {
		err, outcome := call(), receive(t, outcomes)
		if have := cross(t, err); have.Code != status.Internal || have.ID == "" || have.Message != "internal error" || status.As(outcome) == nil || status.As(outcome).ID != have.ID {
			t.Errorf("%s: want internal with the same ID, have %v and the outcome %v", name, err, outcome)
		}
	}
}
