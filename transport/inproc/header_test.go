package inproc_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

// serveHeader answers with what it found in the request's header.
func serveHeader(ctx context.Context, t *testing.T, operation string) {
	t.Helper()
	info := transport.FromContext(ctx)
	if info == nil || info.Transport != "inproc" || info.Operation != operation {
		t.Errorf("want an Info of %s by inproc, have %+v", operation, info)
		return
	}
	info.Response.Set("x-got", info.Request.Get("X-TENANT"), info.Request.Get("X-Hook"))
	info.Response.Set("X-Gone", "1")
	info.Response.Set("X-Gone")
	info.Trailer.Set("X-Sum", "9")
}

func TestHeadersCrossBothWays(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]inproc.ClientOption{"as it is": nil, "copied": {inproc.ClientCopy(json.New())}} {
		for _, fail := range []error{nil, status.New(status.NotFound, "no")} {
			var after string
			opts := append(opts,
				inproc.ClientBefore(func(ctx context.Context, request transport.Header) context.Context {
					request.Set("X-Hook", "hooked")
					return transport.WithHeader(ctx, "X-Later", "1")
				}),
				inproc.ClientAfter(func(ctx context.Context, response transport.Header) context.Context {
					after = response.Get("X-Got")
					return ctx
				}))
			call := unary(t, func(ctx context.Context, request *number) (*number, error) {
				serveHeader(ctx, t, "numbers/Double")
				return request, fail
			}, nil, opts...)
			talk := stream(t, func(ctx context.Context, in inSeq, out func(*number) error) error {
				serveHeader(ctx, t, "numbers/Echo")
				if err := echo(ctx, in, out); err != nil {
					return err
				}
				transport.FromContext(ctx).Response.Set("X-Late", "has no effect")
				return fail
			}, nil, opts...)
			for operation, do := range map[string]func(context.Context) error{
				"numbers/Double": func(ctx context.Context) error { _, err := call(ctx, &number{}); return err },
				"numbers/Echo": func(ctx context.Context) error {
					return talk(ctx, endpoint.Seq(&number{}), func(*number) error { return nil })
				},
			} {
				after = ""
				ctx, outer := transport.Observe(transport.WithHeader(t.Context(), "X-Tenant", "masons"))
				ctx, inner := transport.Observe(ctx)
				if err := do(ctx); status.CodeOf(err) != status.CodeOf(fail) {
					t.Errorf("%s, %s: want %v, have %v", name, operation, fail, err)
				}
				for _, info := range []transport.Info{outer.Info(), inner.Info()} {
					if info.Transport != "inproc" || info.Operation != operation || info.Peer != "" {
						t.Errorf("%s: have %+v", name, info)
						continue
					}
					if want, have := "map[X-Got:[masons hooked]]", fmt.Sprint(maps.Collect(info.Response.All())); want != have {
						t.Errorf("%s, %s: response: want %s, have %s", name, operation, want, have)
					}
					if want, have := "[9] [masons] [1]", fmt.Sprint(info.Trailer.Values("X-Sum"), info.Request.Values("X-Tenant"), info.Request.Values("X-Later")); want != have {
						t.Errorf("%s, %s: trailer and request: want %s, have %s", name, operation, want, have)
					}
				}
				if want := "masons"; want != after {
					t.Errorf("%s, %s: ClientAfter: want %q, have %q", name, operation, want, after)
				}
			}
		}
	}
}

// What the caller of this process sent is not passed on by itself.
func TestHeadersDoNotPassOn(t *testing.T) {
	t.Parallel()
	var mux inproc.Mux
	second, err := inproc.NewClient[*number, *number](streamSpec, &mux)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle(inproc.NewServer(unarySpec, func(ctx context.Context, request *number) (*number, error) { return second(ctx, request) }))
	mux.Handle(inproc.NewServer(streamSpec, func(ctx context.Context, request *number) (*number, error) {
		if have := transport.FromContext(ctx); have.Request.Get("X-Tenant") != "" || have.Operation != "numbers/Echo" {
			t.Errorf("want its own Info without the header, have %+v", have)
		}
		return request, nil
	}))
	first, err := inproc.NewClient[*number, *number](unarySpec, &mux)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first(transport.WithHeader(t.Context(), "X-Tenant", "masons"), &number{}); err != nil {
		t.Fatal(err)
	}
}
