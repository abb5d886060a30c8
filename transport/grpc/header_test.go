package grpctransport_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

const anyBytes = "\x00\xff any bytes, and = signs\n"

// answerFields sets fields of the response from those of the request.
func answerFields(ctx context.Context) {
	info := transport.FromContext(ctx)
	info.Response.Set("X-Tenant-Seen", info.Request.Values("x-TENANT")...)
	info.Response.Set("Seen-Bin", info.Request.Values("Trace-Bin")...)
	info.Response.Set("X-Gone", "a")
	info.Response.Set("x-gone")
	info.Response.Set("X-Spaces", " a  b ")
	info.Trailer.Set("X-Sum", "a", "b")
	info.Trailer.Set("Sum-Bin", anyBytes)
}

func TestHeaderFieldsCrossBothWays(t *testing.T) {
	t.Parallel()
	fail := status.New(status.NotFound, "no")
	address := start(t, grpctransport.NewGRPCServer(),
		grpctransport.NewServer(unarySpec, func(ctx context.Context, r *request) (*response, error) {
			answerFields(ctx)
			if r.GetFillUsername() {
				return nil, fail
			}
			return &response{}, nil
		}),
		grpctransport.NewStreamServer(talkSpec, func(ctx context.Context, in asks, out func(*answer) error) error {
			answerFields(ctx)
			if err := echoes(ctx, in, out); err != nil {
				return err
			}
			transport.FromContext(ctx).Response.Set("X-Late", "has no effect")
			return fail
		}))
	conn := dial(t, address)
	call := newClient[*request, *response](t, unarySpec, conn)
	stream := newStreamClient[*ask, *answer](t, talkSpec, conn)
	for name, run := range map[string]func(context.Context) error{
		"unary":       func(ctx context.Context) error { _, err := call(ctx, &request{}); return err },
		"unary error": func(ctx context.Context) error { _, err := call(ctx, &request{FillUsername: true}); return err },
		"stream": func(ctx context.Context) error {
			return stream(ctx, endpoint.Seq(askOf("a")), func(*answer) error { return nil })
		},
		"empty stream": func(ctx context.Context) error { return stream(ctx, endpoint.Seq[*ask](), nil) },
	} {
		late := map[string][]string{"empty stream": {"has no effect"}} // on which nothing was sent before
		ctx := transport.WithHeader(transport.WithHeader(t.Context(), "X-Tenant", "masons", "guild"), "Trace-Bin", anyBytes, "second")
		ctx, observer := transport.Observe(ctx)
		if err := run(ctx); err != nil && !errors.Is(err, fail) {
			t.Errorf("%s: %v", name, err)
		}
		info := observer.Info()
		for _, tt := range []struct {
			key    string
			header transport.Header
			want   []string
		}{
			{"X-Tenant", info.Request, []string{"masons", "guild"}},
			{"X-Tenant-Seen", info.Response, []string{"masons", "guild"}},
			{"seen-bin", info.Response, []string{anyBytes, "second"}},
			{"X-Gone", info.Response, nil},
			{"X-Late", info.Response, late[name]},
			{"X-Spaces", info.Response, []string{" a  b "}},
			{"X-Sum", info.Trailer, []string{"a", "b"}},
			{"Sum-BIN", info.Trailer, []string{anyBytes}},
		} {
			if have := tt.header.Values(tt.key); !slices.Equal(tt.want, have) {
				t.Errorf("%s, %s: want %q, have %q", name, tt.key, tt.want, have)
			}
		}
		if info.Transport != "grpc" || info.Operation != operationOf(name) || info.Peer != address || info.TLS != nil {
			t.Errorf("%s: have %+v", name, info)
		}
	}
}

func operationOf(name string) string {
	if strings.HasPrefix(name, "unary") {
		return unarySpec.Operation()
	}
	return talkSpec.Operation()
}

func TestAServerKnowsItsCall(t *testing.T) {
	t.Parallel()
	infos := make(chan transport.Info, 2)
	tell := func(ctx context.Context) {
		info := *transport.FromContext(ctx)
		all := make(map[string]bool)
		for key := range info.Request.All() {
			all[key] = true
		}
		if !all["x-tenant"] || !all["content-type"] || info.Request.Get("X-Missing") != "" {
			t.Errorf("have the fields %v", all)
		}
		info.Request.Set("X-Tenant", "changed")
		if info.Request.Get("X-Tenant") != "masons" {
			t.Error("a server changed what it was sent")
		}
		infos <- info
	}
	address := start(t, grpctransport.NewGRPCServer(),
		grpctransport.NewServer(unarySpec, func(ctx context.Context, r *request) (*response, error) {
			tell(ctx)
			return echo(ctx, r)
		}),
		grpctransport.NewStreamServer(talkSpec, func(ctx context.Context, in asks, out func(*answer) error) error {
			err := echoes(ctx, in, out)
			tell(ctx)
			return err
		}, grpctransport.ServerFinalizer(func(context.Context, grpctransport.Outcome) {})))
	conn := dial(t, address)
	ctx, observer := transport.Observe(transport.WithHeader(t.Context(), "X-Tenant", "masons"))
	if _, err := newClient[*request, *response](t, unarySpec, conn)(ctx, requestOf("stone")); err != nil {
		t.Error(err)
	}
	out, _ := collect()
	if have := observer.Info(); have.RequestSize != 9 || have.ResponseSize != 9 {
		t.Errorf("unary client: want 9 bytes each way, have %d and %d", have.RequestSize, have.ResponseSize)
	}
	if err := newStreamClient[*ask, *answer](t, talkSpec, conn)(ctx, endpoint.Seq(askOf("stone"), askOf("a")), out); err != nil {
		t.Error(err)
	}
	if have := observer.Info(); have.RequestSize != 14 || have.ResponseSize != 14 {
		t.Errorf("stream client: want 14 bytes each way, have %d and %d", have.RequestSize, have.ResponseSize)
	}
	for _, want := range []transport.Info{
		{Operation: unarySpec.Operation(), RequestSize: 9}, {Operation: talkSpec.Operation(), RequestSize: 14},
	} {
		have := receive(t, infos)
		if have.Transport != "grpc" || have.Operation != want.Operation || have.RequestSize != want.RequestSize || !strings.HasPrefix(have.Peer, "127.0.0.1:") {
			t.Errorf("want %+v, have %+v", want, have)
		}
	}
}

func TestAPeerOverIPv4IsWrittenSo(t *testing.T) {
	t.Parallel()
	s := grpctransport.NewGRPCServer()
	peers := make(chan string, 1)
	grpctransport.Register(s, grpctransport.NewServer(unarySpec, func(ctx context.Context, r *request) (*response, error) {
		peers <- transport.FromContext(ctx).Peer
		return echo(ctx, r)
	}))
	_, port, err := net.SplitHostPort(serveOn(t, s.Server, ":0")) // where IPv6 takes IPv4 as well
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newClient[*request, *response](t, unarySpec, dial(t, "127.0.0.1:"+port))(t.Context(), &request{}); err != nil {
		t.Fatal(err)
	}
	if have := receive(t, peers); !strings.HasPrefix(have, "127.0.0.1:") {
		t.Errorf("want 127.0.0.1, have %s", have)
	}
}

func TestOutgoingMetadataOfTheContextIsKept(t *testing.T) {
	t.Parallel()
	var seen metadata.MD
	call := unary(t, func(ctx context.Context, r *request) (*response, error) {
		seen, _ = metadata.FromIncomingContext(ctx)
		return echo(ctx, r)
	}, nil, grpctransport.ClientBefore(func(ctx context.Context, header transport.Header) context.Context {
		transport.AddHeader(header, "added", "2")
		header.Set("Removed")
		if header.Get("Kept") != "1" || header.Get("Nothing") != "" {
			t.Errorf("have %q and %q", header.Values("Kept"), header.Values("Nothing"))
		}
		return metadata.AppendToOutgoingContext(ctx, "hooked", "3")
	}))
	ctx := metadata.NewOutgoingContext(t.Context(), metadata.Pairs("kept", "1", "replaced", "1", "added", "1", "removed", "1", "raw-bin", anyBytes))
	ctx = metadata.AppendToOutgoingContext(ctx, "kept", "2")
	ctx = transport.WithHeader(ctx, "Replaced", "2")
	if _, err := call(ctx, &request{}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][]string{
		"kept": {"1", "2"}, "replaced": {"2"}, "added": {"1", "2"}, "removed": nil, "hooked": {"3"}, "raw-bin": {anyBytes},
	} {
		if have := seen.Get(key); !slices.Equal(want, have) {
			t.Errorf("%s: want %q, have %q", key, want, have)
		}
	}
	if md, _ := metadata.FromOutgoingContext(ctx); md.Get("replaced")[0] != "1" {
		t.Error("the caller's metadata changed")
	}
}

// A field that gRPC cannot carry is never dropped without a word.
func TestAResponseWithAFieldThatCannotBeSentFails(t *testing.T) {
	t.Parallel()
	for key, value := range map[string]string{
		"X-Line": "a\nb", "X-Ünicode": "a", "X-Text": "ü", "Grpc-Status": "0", "Content-Type": "text/plain", ":path": "/", "TE": "a", "Content-Length": "5", "Connection": "close", "": "a",
	} {
		for _, trailer := range []bool{false, true} {
			set := func(ctx context.Context) {
				info := transport.FromContext(ctx)
				if trailer {
					info.Trailer.Set(key, value)
				} else {
					info.Response.Set(key, value)
				}
			}
			var seen notes
			opts := []grpctransport.ServerOption{grpctransport.ServerErrorHandler(func(_ context.Context, err error) { seen.add("%v", err) })}
			address := start(t, grpctransport.NewGRPCServer(),
				grpctransport.NewServer(unarySpec, func(ctx context.Context, r *request) (*response, error) {
					set(ctx)
					if r.GetFillUsername() {
						return nil, status.New(status.NotFound, "none")
					}
					return echo(ctx, r)
				}, opts...),
				grpctransport.NewStreamServer(talkSpec, func(ctx context.Context, in asks, out func(*answer) error) error {
					set(ctx)
					return echoes(ctx, in, out)
				}, opts...))
			conn := dial(t, address)
			call := newClient[*request, *response](t, unarySpec, conn)
			out, _ := collect()
			_, ok := call(t.Context(), &request{})
			_, notFound := call(t.Context(), &request{FillUsername: true})
			stream := newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), endpoint.Seq(askOf("a")), out)
			if status.CodeOf(ok) != status.Internal || status.CodeOf(stream) != status.Internal || status.CodeOf(notFound) != status.NotFound {
				t.Errorf("%q, trailer %t: have %v, %v and %v", key, trailer, ok, stream, notFound)
			}
			texts := seen.take()
			if len(texts) != 3 {
				t.Errorf("%q, trailer %t: want 3 errors, have %q", key, trailer, texts)
			}
			for _, text := range texts {
				if !strings.Contains(text, "the response cannot be sent") || !strings.Contains(text, strings.ToLower(key)) {
					t.Errorf("%q, trailer %t: want an error that names the field, have %s", key, trailer, text)
				}
			}
		}
	}
}

// What was set before the response could not be encoded is sent with the error, once.
func TestHeaderFieldsOfAFailedEncodingAreSentOnce(t *testing.T) {
	t.Parallel()
	call := unary(t, echo, []grpctransport.ServerOption{
		grpctransport.ServerErrorHandler(func(context.Context, error) {}),
		grpctransport.ServerAfter(func(ctx context.Context) {
			info := transport.FromContext(ctx)
			info.Response.Set("X-Header", "a")
			info.Trailer.Set("X-Trailer", "a")
		}),
		grpctransport.ServerEncoder(func(context.Context, *response) (*response, error) { return nil, errors.New("hunter2") }),
	})
	ctx, observer := transport.Observe(t.Context())
	if _, err := call(ctx, &request{}); status.CodeOf(err) != status.Internal {
		t.Errorf("want internal, have %v", err)
	}
	info := observer.Info()
	wantTexts(t, []string{"a"}, info.Response.Values("X-Header"))
	wantTexts(t, []string{"a"}, info.Trailer.Values("X-Trailer"))
}

func TestTheTrailerOfAClientStreamIsObserved(t *testing.T) {
	t.Parallel()
	type (
		in  = testpb.StreamingInputCallRequest
		out = testpb.StreamingInputCallResponse
	)
	spec := endpoint.Spec{Service: service, Method: "StreamingInputCall", Kind: endpoint.ClientStream}
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewStreamServer(spec, func(ctx context.Context, _ seq[*in], send func(*out) error) error {
		transport.FromContext(ctx).Trailer.Set("X-Sum", "6")
		return send(&out{})
	}))
	ctx, observer := transport.Observe(t.Context())
	if _, err := newStreamClient[*in, *out](t, spec, dial(t, address)).Send(ctx, endpoint.Seq(part(1))); err != nil {
		t.Error(err)
	}
	wantTexts(t, []string{"6"}, observer.Info().Trailer.Values("X-Sum"))
}
