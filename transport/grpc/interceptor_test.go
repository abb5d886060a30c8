package grpctransport_test

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

func TestInterceptorsOfTheServerRunAroundAshlars(t *testing.T) {
	t.Parallel()
	var n notes
	type key struct{}
	unaryInterceptor := func(ctx context.Context, r any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		m, ok := r.(*request)
		n.add("unary %s %t, %v", info.FullMethod, ok, transport.FromContext(ctx) != nil)
		m.FillUsername = true
		reply, err := next(context.WithValue(ctx, key{}, "value"), m)
		n.add("unary done %v", grpcstatus.Code(err))
		if a, ok := reply.(*response); ok {
			a.Username = "changed"
		}
		return reply, err
	}
	streamInterceptor := func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		n.add("stream %s %t, %t", info.FullMethod, info.IsClientStream, info.IsServerStream)
		err := next(srv, &counting{ServerStream: stream, n: &n})
		n.add("stream done %v", grpcstatus.Code(err))
		return err
	}
	var fail error
	before := grpctransport.ServerBefore(func(ctx context.Context) context.Context { n.add("before %v", ctx.Value(key{})); return ctx })
	address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.UnaryInterceptor(unaryInterceptor), grpc.StreamInterceptor(streamInterceptor))),
		grpctransport.NewServer(unarySpec, func(_ context.Context, r *request) (*response, error) {
			n.add("endpoint %t", r.GetFillUsername())
			return &response{}, fail
		}, before),
		grpctransport.NewStreamServer(talkSpec, echoes))
	conn := dial(t, address)
	call := newClient[*request, *response](t, unarySpec, conn)
	have, err := call(t.Context(), &request{})
	if err != nil || have.GetUsername() != "changed" {
		t.Errorf("want what the interceptor made of it, have %v, %v", have, err)
	}
	begin := []string{"unary /grpc.testing.TestService/UnaryCall true, true", "before value", "endpoint true"}
	wantTexts(t, append(begin, "unary done OK"), n.take())
	fail = status.New(status.NotFound, "none").WithReason("R")
	if _, err := call(t.Context(), &request{}); !errors.Is(err, fail) {
		t.Errorf("want %v, have %v", fail, err)
	}
	wantTexts(t, append(begin, "unary done NotFound"), n.take())
	out, _ := collect()
	if err := newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), endpoint.Seq(askOf("a")), out); err != nil {
		t.Error(err)
	}
	wantTexts(t, []string{"stream /grpc.testing.TestService/FullDuplexCall true, true", "received *grpc_testing.StreamingOutputCallRequest",
		"sent *grpc_testing.StreamingOutputCallResponse", "stream done OK"}, n.take())
}

// counting is a stream as an interceptor wraps it.
type counting struct {
	grpc.ServerStream

	n *notes
}

func (s *counting) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.n.add("received %T", m)
	}
	return err
}

func (s *counting) SendMsg(m any) error {
	s.n.add("sent %T", m)
	return s.ServerStream.SendMsg(m)
}

// What an interceptor answers by itself is what the client gets, and what the finalizers see.
func TestAnInterceptorThatAnswersByItself(t *testing.T) {
	t.Parallel()
	refused := grpcstatus.Error(codes.PermissionDenied, "not you")
	for name, tt := range map[string]struct {
		interceptor grpc.UnaryServerInterceptor
		want        status.Code
	}{
		"refuses": {func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return nil, refused }, status.PermissionDenied},
		"replaces an error": {func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			_, _ = next(ctx, r)
			return nil, refused
		}, status.PermissionDenied},
		"hides an error": {func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			_, _ = next(ctx, r)
			return &response{}, nil
		}, status.OK},
		"returns no message": {func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return "text", nil }, status.Internal},
		"passes on another type": {func(ctx context.Context, _ any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(ctx, &response{})
		}, status.Internal},
	} {
		outcomes := make(chan error, 1)
		address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.UnaryInterceptor(tt.interceptor))),
			grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) {
				return nil, status.New(status.NotFound, "none")
			}, grpctransport.ServerErrorHandler(func(context.Context, error) {}),
				grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })))
		_, err := newClient[*request, *response](t, unarySpec, dial(t, address))(t.Context(), &request{})
		if have := status.CodeOf(err); have != tt.want {
			t.Errorf("%s: want %v, have %v", name, tt.want, err)
		}
		if have := status.CodeOf(receive(t, outcomes)); have != tt.want {
			t.Errorf("%s: want %v in the outcome, have %v", name, tt.want, have)
		}
	}
}

func TestInterceptorsOfTheClientRun(t *testing.T) {
	t.Parallel()
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, echo))
	plain := errors.New("no status")
	for name, tt := range map[string]struct {
		err  error
		want status.Code
		text string
	}{
		"passes": {nil, status.OK, ""}, "refuses": {grpcstatus.Error(codes.PermissionDenied, "not you"), status.PermissionDenied, "not you"},
		"fails": {plain, status.Internal, "no status"},
	} {
		ran := 0
		conn := dial(t, address, grpctransport.DialOptions(grpc.WithChainUnaryInterceptor(
			func(ctx context.Context, method string, r, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				ran++
				if tt.err != nil {
					return tt.err
				}
				return invoke(ctx, method, r, reply, conn, opts...)
			})))
		_, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), requestOf("a"))
		if status.CodeOf(err) != tt.want || ran != 1 || errors.Is(err, transport.ErrNotSent) != (name == "refuses") {
			t.Errorf("%s: want %v, have %v after %d", name, tt.want, err, ran)
		}
	}
}

// An interceptor that watches the time answers while the endpoint is still at work.
func TestAnInterceptorThatDoesNotWait(t *testing.T) {
	t.Parallel()
	release, returned := make(chan struct{}), make(chan error, 1)
	outcomes := make(chan error, 1)
	hasty := func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		started := make(chan struct{})
		go func() {
			close(started)
			_, err := next(context.WithoutCancel(ctx), r)
			returned <- err
		}()
		<-started
		return nil, context.DeadlineExceeded
	}
	began := make(chan struct{}, 1)
	address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.ChainUnaryInterceptor(hasty,
		func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(ctx, r)
		}))),
		grpctransport.NewServer(unarySpec, func(ctx context.Context, _ *request) (*response, error) {
			began <- struct{}{}
			<-release
			transport.FromContext(ctx).Response.Set("X-Late", "yes")
			return nil, status.New(status.NotFound, "none")
		}, grpctransport.ServerErrorHandler(func(context.Context, error) {}),
			grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })))
	call := newClient[*request, *response](t, unarySpec, dial(t, address))
	for range 20 {
		_, err := call(t.Context(), &request{})
		if e := status.As(err); e == nil || e.Code != status.DeadlineExceeded {
			t.Errorf("want the interceptor's answer at once, have %v", err)
		}
		select {
		case <-began: // it has been passed on before the interceptor returned, and the finalizers wait
			if len(outcomes) > 0 {
				t.Error("the finalizers did not wait for the endpoint")
			}
			release <- struct{}{}
			if err := receive(t, returned); grpcstatus.Code(err) != codes.NotFound {
				t.Errorf("want the endpoint's own error for the interceptor, have %v", err)
			}
		case err := <-returned: // afterwards
			if grpcstatus.Code(err) != codes.Canceled {
				t.Errorf("want canceled, have %v", err)
			}
		}
		if have := receive(t, outcomes); status.CodeOf(have) != status.DeadlineExceeded {
			t.Errorf("want the interceptor's answer in the outcome, have %v", have)
		}
	}
}

// What an interceptor changes of the metadata is what the endpoint finds, as on a stream.
func TestAnInterceptorChangesTheHeaderOfTheRequest(t *testing.T) {
	t.Parallel()
	named := func(ctx context.Context) context.Context {
		md, _ := metadata.FromIncomingContext(ctx)
		md.Set("X-User", "mason")
		return metadata.NewIncomingContext(ctx, md)
	}
	users := make(chan string, 1)
	tell := func(ctx context.Context) { users <- transport.FromContext(ctx).Request.Get("X-User") }
	address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(
		grpc.UnaryInterceptor(func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(named(ctx), r)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			return next(srv, &elsewhere{ServerStream: stream, ctx: named(stream.Context())})
		}))),
		grpctransport.NewServer(unarySpec, func(ctx context.Context, r *request) (*response, error) { tell(ctx); return echo(ctx, r) }),
		grpctransport.NewStreamServer(talkSpec, func(ctx context.Context, _ asks, _ func(*answer) error) error { tell(ctx); return nil }))
	conn := dial(t, address)
	if _, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{}); err != nil {
		t.Error(err)
	}
	if have := receive(t, users); have != "mason" {
		t.Errorf("unary: want mason, have %q", have)
	}
	if err := newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), endpoint.Seq[*ask](), nil); err != nil {
		t.Error(err)
	}
	if have := receive(t, users); have != "mason" {
		t.Errorf("stream: want mason, have %q", have)
	}
}

// elsewhere is a stream with another context.
type elsewhere struct {
	grpc.ServerStream

	ctx context.Context
}

func (s *elsewhere) Context() context.Context { return s.ctx }

// An interceptor that tries again gets what came of each attempt, and what it panics with after an error is not lost.
func TestAnInterceptorSeesEachError(t *testing.T) {
	t.Parallel()
	var n, seen notes
	outcomes := make(chan error, 1)
	interceptor := func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		for range 2 {
			_, err := next(ctx, r)
			n.add("%v", grpcstatus.Code(err))
		}
		boom()
		return &response{}, nil
	}
	codes := []status.Code{status.NotFound, status.Aborted}
	address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.UnaryInterceptor(interceptor))),
		grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) {
			code := codes[0]
			codes = codes[1:]
			return nil, status.New(code, "no")
		}, grpctransport.ServerErrorHandler(func(_ context.Context, err error) { seen.add("%v", status.CodeOf(err)) }),
			grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })))
	if _, err := newClient[*request, *response](t, unarySpec, dial(t, address))(t.Context(), &request{}); status.CodeOf(err) != status.Internal {
		t.Errorf("want internal, have %v", err)
	}
	wantTexts(t, []string{"NotFound", "Aborted"}, n.take())
	wantTexts(t, []string{"not_found", "aborted", "internal"}, seen.take())
	if _, ok := errors.AsType[*endpoint.PanicError](receive(t, outcomes)); !ok {
		t.Error("want the panic in the outcome")
	}
}

// What an interceptor passes on when the call has been answered is not served.
func TestAnAnsweredCallIsNotServed(t *testing.T) {
	t.Parallel()
	answered, late := make(chan struct{}), make(chan error, 1)
	address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.UnaryInterceptor(
		func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			go func() {
				<-answered
				_, err := next(ctx, r)
				late <- err
			}()
			return nil, grpcstatus.Error(codes.PermissionDenied, "not you")
		}))), grpctransport.NewServer(unarySpec, echo))
	if _, err := newClient[*request, *response](t, unarySpec, dial(t, address))(t.Context(), &request{}); status.CodeOf(err) != status.PermissionDenied {
		t.Errorf("want permission denied, have %v", err)
	}
	close(answered)
	if err := receive(t, late); grpcstatus.Code(err) != codes.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
}
