package grpctransport_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// kinds are the streams of the interop service, one of each kind.
func kinds(t *testing.T) (feed, conversation endpoint.Stream[*ask, *answer], upload endpoint.Stream[*testpb.StreamingInputCallRequest, *testpb.StreamingInputCallResponse]) {
	t.Helper()
	conn := dial(t, start(t, grpctransport.NewGRPCServer(), interop()...))
	uploadSpec := endpoint.Spec{Service: service, Method: "StreamingInputCall", Kind: endpoint.ClientStream}
	return newStreamClient[*ask, *answer](t, feedSpec, conn), newStreamClient[*ask, *answer](t, talkSpec, conn),
		newStreamClient[*testpb.StreamingInputCallRequest, *testpb.StreamingInputCallResponse](t, uploadSpec, conn)
}

func sized(sizes ...int32) *ask {
	r := new(ask)
	for _, size := range sizes {
		r.ResponseParameters = append(r.ResponseParameters, &testpb.ResponseParameters{Size: size})
	}
	return r
}

func part(n int32) *testpb.StreamingInputCallRequest {
	return &testpb.StreamingInputCallRequest{Payload: zeros(n)}
}

func TestStreamsOfAllKinds(t *testing.T) {
	t.Parallel()
	feed, conversation, upload := kinds(t)
	var sizes []int
	for m, err := range feed.Receive(t.Context(), sized(1, 2, 3)) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(m.GetPayload().GetBody()))
	}
	if len(sizes) != 3 || sizes[0] != 1 || sizes[2] != 3 {
		t.Errorf("feed: want 1 2 3, have %v", sizes)
	}
	whole, err := upload.Send(t.Context(), endpoint.Seq(part(1), part(2), part(3)))
	if err != nil || whole.GetAggregatedPayloadSize() != 6 {
		t.Errorf("upload: want 6, have %v, %v", whole, err)
	}
	if whole, err := upload.Send(t.Context(), endpoint.Seq[*testpb.StreamingInputCallRequest]()); err != nil || whole.GetAggregatedPayloadSize() != 0 {
		t.Errorf("empty upload: want 0, have %v, %v", whole, err)
	}
	n := 0
	err = conversation(t.Context(), endpoint.Seq(sized(1), sized(), sized(2, 3)), func(*answer) error { n++; return nil })
	if err != nil || n != 3 {
		t.Errorf("conversation: want 3 messages, have %d, %v", n, err)
	}
	if err := feed(t.Context(), endpoint.Seq[*ask](), nil); status.CodeOf(err) != status.InvalidArgument || !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("feed without a request: have %v", err)
	}
	broken := errors.New("broken")
	if err := feed(t.Context(), func(yield func(*ask, error) bool) { yield(nil, broken) }, nil); !errors.Is(err, broken) {
		t.Errorf("feed with a broken request: have %v", err)
	}
}

func TestAClientStreamHasExactlyOneResponse(t *testing.T) {
	t.Parallel()
	type (
		in  = testpb.StreamingInputCallRequest
		out = testpb.StreamingInputCallResponse
	)
	spec := endpoint.Spec{Service: service, Method: "StreamingInputCall", Kind: endpoint.ClientStream}
	for n, want := range map[int]status.Code{0: status.Internal, 1: status.OK, 2: status.Internal} {
		address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewStreamServer(spec, func(_ context.Context, _ seq[*in], send func(*out) error) error {
			for i := range n {
				if err := send(&out{}); (err == nil) != (i == 0) {
					t.Errorf("response %d: have %v", i, err)
				}
			}
			return nil
		}, grpctransport.ServerErrorHandler(func(context.Context, error) {})))
		got := 0
		err := newStreamClient[*in, *out](t, spec, dial(t, address))(t.Context(), endpoint.Seq(part(1)), func(*out) error { got++; return nil })
		if status.CodeOf(err) != want || (got == 1) != (want == status.OK) {
			t.Errorf("%d responses: want %v, have %v and %d", n, want, err, got)
		}
	}
}

// waiting is a stream server that tells how each call of it ended, and for what reason.
func waiting(ended chan<- error, started chan<- struct{}) endpoint.Stream[*ask, *answer] {
	return func(ctx context.Context, in asks, out func(*answer) error) (err error) {
		if err := out(&answer{}); err != nil {
			return err
		}
		if started != nil {
			started <- struct{}{}
		}
		for _, err = range in {
			if err != nil {
				break
			}
		}
		<-ctx.Done()
		ended <- err
		return err
	}
}

// untilDone is an in that waits for the end of ctx.
func untilDone(ctx context.Context) asks {
	return func(yield func(*ask, error) bool) {
		if yield(&ask{}, nil) {
			<-ctx.Done()
		}
	}
}

func TestTheServerSeesThatItsClientWent(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	outcomes := make(chan error, 1)
	call := talk(t, waiting(ended, nil), []grpctransport.ServerOption{
		grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err }),
	})
	own := errors.New("the caller's own")
	for name, tt := range map[string]struct {
		run  func(ctx context.Context, cancel func()) error
		want error
	}{
		"cancelled": {func(ctx context.Context, cancel func()) error {
			return call(ctx, untilDone(ctx), func(*answer) error { cancel(); return nil })
		}, context.Canceled},
		"out failed": {func(ctx context.Context, _ func()) error {
			return call(ctx, untilDone(ctx), func(*answer) error { return own })
		}, own},
		"in failed": {func(ctx context.Context, _ func()) error {
			first := make(chan struct{})
			return call(ctx, func(yield func(*ask, error) bool) {
				<-first
				yield(nil, own)
			}, func(*answer) error { close(first); return nil })
		}, own},
		"in panicked": {func(ctx context.Context, _ func()) error {
			first := make(chan struct{})
			err := call(ctx, func(func(*ask, error) bool) {
				<-first
				panic("in the caller's own in")
			}, func(*answer) error { close(first); return nil })
			if _, ok := errors.AsType[*endpoint.PanicError](err); ok && status.CodeOf(err) == status.Internal {
				return own
			}
			return err
		}, own},
		"in ended its goroutine": {func(ctx context.Context, _ func()) error {
			first := make(chan struct{})
			err := call(ctx, func(func(*ask, error) bool) {
				<-first
				runtime.Goexit()
			}, func(*answer) error { close(first); return nil })
			if e := status.As(err); e != nil && e.Code == status.Internal && e.Message == "the messages of the client ended their goroutine" {
				return own
			}
			return err
		}, own},
		"out panicked": {func(ctx context.Context, _ func()) (err error) {
			defer func() {
				if recover() == "in the caller's own out" {
					err = own
				}
			}()
			return call(ctx, untilDone(ctx), func(*answer) error { panic("in the caller's own out") })
		}, own},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if err := tt.run(ctx, cancel); !errors.Is(err, tt.want) {
			t.Errorf("%s: want %v, have %v", name, tt.want, err)
		}
		cancel()
		seen, outcome := receive(t, ended), receive(t, outcomes)
		for _, err := range []error{seen, outcome} {
			if status.CodeOf(err) != status.Canceled {
				t.Errorf("%s: want canceled on the server, have %v and %v", name, seen, outcome)
			}
		}
	}
}

func TestTheServerSeesThatTheDeadlineHasPassed(t *testing.T) {
	t.Parallel()
	reached := false
	for late := 50 * time.Millisecond; !reached; late *= 2 { // until it is long enough for the call to reach the server
		ended, outcomes := make(chan error, 1), make(chan error, 1)
		call := talk(t, waiting(ended, nil), []grpctransport.ServerOption{
			grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err }),
		})
		ctx, cancel := context.WithTimeout(t.Context(), late)
		err := call(ctx, untilDone(ctx), func(*answer) error { reached = true; return nil })
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("want %v, have %v", context.DeadlineExceeded, err)
		}
		if !reached {
			continue
		}
		for _, err := range []error{receive(t, ended), receive(t, outcomes)} { // whichever side sees it first
			if code := status.CodeOf(err); code != status.DeadlineExceeded && code != status.Canceled {
				t.Errorf("want the deadline on the server, have %v", err)
			}
		}
	}
}

func TestTheCallEndsWithTheServersStream(t *testing.T) {
	t.Parallel()
	want := status.New(status.FailedPrecondition, "enough")
	for name, end := range map[string]error{"cleanly": nil, "with an error": want} {
		call := talk(t, func(context.Context, asks, func(*answer) error) error { return end }, nil)
		ended := make(chan struct{})
		more := make(chan struct{})
		err := call(t.Context(), func(yield func(*ask, error) bool) {
			defer close(ended)
			for yield(&ask{}, nil) {
				<-more
			}
		}, nil)
		if (end == nil) != (err == nil) || end != nil && !errors.Is(err, end) {
			t.Errorf("%s: want %v, have %v", name, end, err)
		}
		close(more) // in yields once more, and ends
		receive(t, ended)
	}
}

// What the stream of a server does with an error of out, or does not, changes nothing.
func TestTheFirstErrorOfOutIsTheStreams(t *testing.T) {
	t.Parallel()
	outcomes := make(chan error, 1)
	call := talk(t, func(ctx context.Context, _ asks, out func(*answer) error) error {
		_ = out(&answer{})
		<-ctx.Done()
		first := out(&answer{})
		if second := out(&answer{}); first == nil || !errors.Is(second, first) {
			t.Errorf("want the same error again, have %v and %v", first, second)
		}
		return nil
	}, []grpctransport.ServerOption{grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_ = call(ctx, untilDone(ctx), func(*answer) error { cancel(); return nil })
	if have := receive(t, outcomes); status.CodeOf(have) != status.Canceled {
		t.Errorf("want canceled, have %v", have)
	}
}

// Out blocks while the client does not read, by gRPC's flow control.
func TestOutBlocksWhileTheClientDoesNotRead(t *testing.T) {
	t.Parallel()
	const size, messages = 256 << 10, 100
	var sent atomic.Int64
	call := talk(t, func(_ context.Context, _ asks, out func(*answer) error) error {
		for range messages {
			if err := out(&answer{Payload: zeros(size)}); err != nil {
				return err
			}
			sent.Add(1)
		}
		return nil
	}, nil)
	read := 0
	err := call(t.Context(), endpoint.Seq[*ask](), func(*answer) error {
		if read++; read == 1 {
			last := int64(-1)
			for last != sent.Load() { // until it stands still
				last = sent.Load()
				<-time.After(100 * time.Millisecond)
			}
			if last > messages/2 {
				t.Errorf("%d messages were sent, and none read", last)
			}
		}
		return nil
	})
	if err != nil || read != messages {
		t.Errorf("want %d messages, have %d, %v", messages, read, err)
	}
}

func TestMiddlewareRunsOnceAroundAStream(t *testing.T) {
	t.Parallel()
	var n notes
	mw := func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			m, ok := request.(*endpoint.Messages)
			if !ok {
				t.Errorf("want *endpoint.Messages, have %T", request)
				return next(ctx, request)
			}
			n.add("%v %v", spec.Kind, spec.Side)
			return next(ctx, m.WithHooks(func(message any) error {
				n.add("in %T", message)
				return nil
			}, func(message any) error {
				n.add("out %T", message)
				return nil
			}))
		}
	}
	address := start(t, grpctransport.NewGRPCServer(),
		grpctransport.NewStreamServer(talkSpec, endpoint.NewStream(talkSpec, echoes, mw), grpctransport.ServerMiddleware(mw)))
	out, _ := collect()
	if err := newStreamClient[*ask, *answer](t, talkSpec, dial(t, address))(t.Context(), endpoint.Seq(askOf("a")), out); err != nil {
		t.Fatal(err)
	}
	wantTexts(t, []string{"bidirectional server", "bidirectional server", "in *grpc_testing.StreamingOutputCallRequest", "in *grpc_testing.StreamingOutputCallRequest",
		"out *grpc_testing.StreamingOutputCallResponse", "out *grpc_testing.StreamingOutputCallResponse"}, n.take())
}

func TestAThousandStreamsCancelledAtRandom(t *testing.T) {
	t.Parallel()
	const streams = 1000
	ended, started := make(chan error, streams), make(chan struct{}, streams)
	call := talk(t, waiting(ended, started), nil)
	var wg sync.WaitGroup
	cancels := make([]context.CancelFunc, streams)
	for i := range streams {
		ctx, cancel := context.WithCancel(t.Context())
		cancels[i] = cancel
		wg.Go(func() {
			if err := call(ctx, untilDone(ctx), func(*answer) error { return nil }); status.CodeOf(err) != status.Canceled {
				t.Errorf("want canceled, have %v", err)
			}
		})
	}
	for range streams {
		receive(t, started)
	}
	for _, i := range rand.Perm(streams) {
		cancels[i]()
	}
	wg.Wait()
	for range streams {
		if err := receive(t, ended); status.CodeOf(err) != status.Canceled {
			t.Errorf("want canceled on the server, have %v", err)
		}
	}
}

func TestWrongStreamsAreRefused(t *testing.T) {
	t.Parallel()
	conn := dial(t, "127.0.0.1:1")
	kind := func(k endpoint.Kind) endpoint.Spec {
		return endpoint.Spec{Service: service, Method: "FullDuplexCall", Kind: k}
	}
	for want, f := range map[string]func(){
		"the stream is nil":                         func() { grpctransport.NewStreamServer[*ask, *answer](talkSpec, nil) },
		"the operation is unary; use NewServer":     func() { grpctransport.NewStreamServer(kind(endpoint.Unary), echoes) },
		"the kind 9 is unknown":                     func() { grpctransport.NewStreamServer(kind(9), echoes) },
		"the endpoint is nil":                       func() { grpctransport.NewServer[*request, *response](unarySpec, nil) },
		"client stream; use NewStreamServer":        func() { grpctransport.NewServer(kind(endpoint.ClientStream), echo) },
		"gRPC needs the name of a service, such as": func() { grpctransport.NewServer(endpoint.Spec{Method: "UnaryCall"}, echo) },
	} {
		wantPanic(t, want, f)
	}
	for want, spec := range map[string]endpoint.Spec{
		"the operation is unary; use NewClient": kind(endpoint.Unary), "the kind 9 is unknown": kind(9),
		"gRPC needs the name of a service": {Service: service},
	} {
		if _, err := grpctransport.NewStreamClient[*ask, *answer](spec, conn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if _, err := grpctransport.NewStreamClient[*ask, *answer](talkSpec, nil); err == nil || !strings.Contains(err.Error(), "the connection is nil") {
		t.Errorf("have %v", err)
	}
	if _, err := grpctransport.NewClient[*request, *response](kind(endpoint.ServerStream), conn); err == nil || !strings.Contains(err.Error(), "use NewStreamClient") {
		t.Errorf("have %v", err)
	}
}
