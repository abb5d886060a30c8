package grpctransport_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

func TestMessagesAreLimited(t *testing.T) {
	t.Parallel()
	const overhead = 16
	sized := func(_ context.Context, r *request) (*response, error) {
		return &response{Payload: zeros(r.GetResponseSize())}, nil
	}
	for name, tt := range map[string]struct {
		server     []grpctransport.GRPCOption
		client     []grpctransport.ClientOption
		there      int // bytes
		back       int
		want       status.Code
		compressed bool
	}{
		"largest request":               {there: grpctransport.DefaultMaxRequest - overhead},
		"too large a request":           {there: grpctransport.DefaultMaxRequest, want: status.ResourceExhausted},
		"option":                        {server: []grpctransport.GRPCOption{grpctransport.GRPCMaxRequest(100)}, there: 100 - overhead},
		"more than the option":          {server: []grpctransport.GRPCOption{grpctransport.GRPCMaxRequest(100)}, there: 100, want: status.ResourceExhausted},
		"largest response":              {back: grpctransport.DefaultMaxResponse - overhead},
		"too large a response":          {back: grpctransport.DefaultMaxResponse, want: status.ResourceExhausted},
		"client's option":               {client: []grpctransport.ClientOption{grpctransport.ClientMaxResponse(100)}, back: 100 - overhead},
		"more than the client's":        {client: []grpctransport.ClientOption{grpctransport.ClientMaxResponse(100)}, back: 100, want: status.ResourceExhausted},
		"more than the default":         {client: []grpctransport.ClientOption{grpctransport.ClientMaxResponse(8 << 20)}, back: 5 << 20},
		"a bomb as a request":           {client: []grpctransport.ClientOption{grpctransport.ClientGzip()}, there: grpctransport.DefaultMaxRequest, want: status.ResourceExhausted},
		"a bomb as a response":          {client: []grpctransport.ClientOption{grpctransport.ClientGzip()}, back: grpctransport.DefaultMaxResponse, want: status.ResourceExhausted},
		"compressed, within the limits": {client: []grpctransport.ClientOption{grpctransport.ClientGzip()}, there: 100_000, back: 100_000},
	} {
		outcomes := make(chan error, 2)
		opts := []grpctransport.ServerOption{grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })}
		address := start(t, grpctransport.NewGRPCServer(tt.server...), grpctransport.NewServer(unarySpec, sized, opts...),
			grpctransport.NewStreamServer(talkSpec, func(_ context.Context, in asks, out func(*answer) error) error {
				for _, err := range in {
					if err != nil {
						return err
					}
					if err := out(&answer{Payload: zeros(int32(tt.back))}); err != nil {
						return err
					}
				}
				return nil
			}, opts...))
		conn := dial(t, address)
		_, err := newClient[*request, *response](t, unarySpec, conn, tt.client...)(t.Context(), &request{Payload: zeros(int32(tt.there)), ResponseSize: int32(tt.back)})
		out, _ := collect()
		stream := newStreamClient[*ask, *answer](t, talkSpec, conn, tt.client...)(t.Context(), endpoint.Seq(&ask{Payload: zeros(int32(tt.there))}), out)
		for kind, err := range map[string]error{"unary": err, "stream": stream} {
			if have := status.CodeOf(err); have != tt.want {
				t.Errorf("%s, %s: want %v, have %v", name, kind, tt.want, err)
			}
			outcome := receive(t, outcomes)
			if tt.want != status.OK && tt.there > 0 && status.CodeOf(outcome) != tt.want {
				t.Errorf("%s: want %v in the outcome, have %v", name, tt.want, outcome)
			}
		}
	}
}

func TestHeadersAreLimited(t *testing.T) {
	t.Parallel()
	served := 0
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, func(ctx context.Context, r *request) (*response, error) {
		if served++; r.GetFillUsername() {
			transport.FromContext(ctx).Response.Set("X-Large", strings.Repeat("x", grpctransport.DefaultMaxHeader))
		}
		return &response{}, nil
	}))
	call := newClient[*request, *response](t, unarySpec, dial(t, address))
	for name, tt := range map[string]struct {
		size    int
		request *request
		want    status.Code
	}{
		"large":                       {grpctransport.DefaultMaxHeader - 1000, &request{}, status.OK},
		"too large":                   {grpctransport.DefaultMaxHeader, &request{}, status.Internal},
		"too large a response header": {0, &request{FillUsername: true}, status.Internal},
	} {
		_, err := call(transport.WithHeader(t.Context(), "X-Large", strings.Repeat("x", tt.size)), tt.request)
		if have := status.CodeOf(err); have != tt.want {
			t.Errorf("%s: want %v, have %v", name, tt.want, err)
		}
	}
	if served != 2 {
		t.Errorf("want 2 calls served, have %d", served)
	}
}

func TestAConnectionHasSoManyCallsAtATime(t *testing.T) {
	t.Parallel()
	started := make(chan struct{}, grpctransport.DefaultMaxStreams+1)
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewStreamServer(talkSpec, func(ctx context.Context, _ asks, _ func(*answer) error) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}))
	client := testpb.NewTestServiceClient(dial(t, address))
	for range grpctransport.DefaultMaxStreams {
		if _, err := client.FullDuplexCall(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range grpctransport.DefaultMaxStreams {
		receive(t, started)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1e8)
	defer cancel()
	if _, err := client.FullDuplexCall(ctx); err == nil {
		t.Error("want one call more to wait")
	}
}

// wire counts what goes over the wire, as grpc-go tells it.
type wire struct {
	stats.Handler

	sent, received int
	compression    []string
}

func (w *wire) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (w *wire) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (w *wire) HandleConn(context.Context, stats.ConnStats)                       {}
func (w *wire) HandleRPC(_ context.Context, s stats.RPCStats) {
	switch s := s.(type) {
	case *stats.OutPayload:
		w.sent += s.CompressedLength
	case *stats.InPayload:
		w.received += s.CompressedLength
	case *stats.InHeader:
		w.compression = append(w.compression, s.Compression)
	}
}

func TestCompressionIsAskedForByTheClient(t *testing.T) {
	t.Parallel()
	const size = 100_000
	for name, tt := range map[string]struct {
		opts []grpctransport.ClientOption
		want string
	}{"plain": {nil, ""}, "gzip": {[]grpctransport.ClientOption{grpctransport.ClientGzip()}, "gzip"}} {
		w := new(wire)
		address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, echo))
		conn := dial(t, address, grpctransport.DialOptions(grpc.WithStatsHandler(w)))
		ctx, observer := transport.Observe(t.Context())
		if _, err := newClient[*request, *response](t, unarySpec, conn, tt.opts...)(ctx, &request{Payload: zeros(size)}); err != nil {
			t.Fatal(err)
		}
		small := w.sent < size/10 && w.received < size/10
		if small != (tt.want != "") || len(w.compression) != 1 || w.compression[0] != tt.want {
			t.Errorf("%s: have %d bytes sent, %d received in %q", name, w.sent, w.received, w.compression)
		}
		if info := observer.Info(); info.RequestSize < size || info.ResponseSize < size {
			t.Errorf("%s: want sizes before compression, have %d and %d", name, info.RequestSize, info.ResponseSize)
		}
	}
}

func TestCallOptionsArePassedOn(t *testing.T) {
	t.Parallel()
	var header metadata.MD
	call := unary(t, func(ctx context.Context, r *request) (*response, error) {
		transport.FromContext(ctx).Response.Set("X-Seen", "1")
		return echo(ctx, r)
	}, nil, grpctransport.ClientCallOptions(grpc.Header(&header)), grpctransport.ClientCallOptions(grpc.MaxCallRecvMsgSize(3)))
	if _, err := call(t.Context(), requestOf("stone")); status.CodeOf(err) != status.ResourceExhausted {
		t.Errorf("want the limit of an option, have %v", err)
	}
	if have := header.Get("x-seen"); len(have) != 1 {
		t.Errorf("want the header by an option, have %v", header)
	}
}
