package inproc_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
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

var badFields = map[string][2]string{
	"a line break":         {"X-Bad", "a\r\nX-Admin: 1"},
	"a control character":  {"X-Bad", "a\x00"},
	"a name with a space":  {"X Bad", "a"},
	"a name with a colon":  {"X-Bad:", "a"},
	"a name out of ASCII":  {"X-Bäd", "a"},
	"a field without name": {"", "a"},
}

// What HTTP would refuse is found in the process.
func TestARequestWithABadHeaderIsNotSent(t *testing.T) {
	t.Parallel()
	for name, field := range badFields {
		for how, opts := range bothWays {
			before := inproc.ServerBefore(func(ctx context.Context) context.Context {
				t.Errorf("%s, %s: the server was called", name, how)
				return ctx
			})
			call := unary(t, double, []inproc.ServerOption{before}, opts...)
			talk := stream(t, echo, []inproc.ServerOption{before}, opts...)
			ctx := transport.WithHeader(t.Context(), field[0], "fine", field[1])
			_, err := call(ctx, &number{})
			for shape, err := range map[string]error{"unary": err, "stream": talk(ctx, endpoint.Seq(&number{}), func(*number) error { return nil })} {
				if status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) || !strings.Contains(err.Error(), "header field") {
					t.Errorf("%s, %s, %s: want internal, not sent, have %v", name, how, shape, err)
				}
			}
		}
	}
}

func TestAResponseWithABadHeaderIsAFailureOfTheServer(t *testing.T) {
	t.Parallel()
	for name, field := range badFields {
		for how, opts := range bothWays {
			for part, header := range map[string]func(*transport.Info) transport.Header{
				"response": func(info *transport.Info) transport.Header { return info.Response },
				"trailer":  func(info *transport.Info) transport.Header { return info.Trailer },
			} {
				var seen []error
				handler := []inproc.ServerOption{inproc.ServerErrorHandler(func(_ context.Context, err error) { seen = append(seen, err) })}
				for shape, do := range map[string]func(context.Context) error{
					"unary": func(ctx context.Context) error {
						_, err := unary(t, func(ctx context.Context, request *number) (*number, error) {
							header(transport.FromContext(ctx)).Set(field[0], field[1])
							return request, nil
						}, handler, opts...)(ctx, &number{})
						return err
					},
					"stream": func(ctx context.Context) error {
						return stream(t, func(ctx context.Context, in inSeq, out func(*number) error) error {
							header(transport.FromContext(ctx)).Set(field[0], field[1])
							_ = echo(ctx, in, out) // as if nothing had happened
							return nil
						}, handler, opts...)(ctx, endpoint.Seq(&number{}), func(*number) error {
							if part == "response" {
								t.Errorf("%s, %s: a message came without the header", name, how)
							}
							return nil
						})
					},
				} {
					seen = nil
					ctx, observed := transport.Observe(t.Context())
					if err := do(ctx); status.CodeOf(err) != status.Internal || status.As(err).ID == "" {
						t.Errorf("%s, %s, %s, %s: want internal with an ID, have %v", name, how, part, shape, err)
					}
					if len(seen) != 1 || !strings.Contains(seen[0].Error(), "header field") {
						t.Errorf("%s, %s, %s, %s: want one error that names the field, have %v", name, how, part, shape, seen)
					}
					info := observed.Info()
					if have := len(maps.Collect(info.Response.All())) + len(maps.Collect(info.Trailer.All())); have != 0 {
						t.Errorf("%s, %s, %s, %s: want no field, have %d", name, how, part, shape, have)
					}
				}
			}
		}
	}
}

// An error crosses in any case, and the bad field does not.
func TestAnErrorWithABadHeaderCrossesWithoutIt(t *testing.T) {
	t.Parallel()
	set := func(ctx context.Context) { transport.FromContext(ctx).Response.Set("X-Bad", "a\nb") }
	for name, opts := range map[string][]inproc.ServerOption{
		"of the endpoint": {inproc.ServerBefore(func(ctx context.Context) context.Context { set(ctx); return ctx })},
		"of a handler":    {inproc.ServerErrorHandler(func(ctx context.Context, _ error) { set(ctx) })},
	} {
		call := unary(t, func(context.Context, *number) (*number, error) { return nil, status.New(status.NotFound, "no") }, opts)
		ctx, observed := transport.Observe(t.Context())
		_, err := call(ctx, &number{})
		if have := observed.Info().Response.Get("X-Bad"); status.CodeOf(err) != status.NotFound || have != "" {
			t.Errorf("%s: want not_found without the field, have %v with %q", name, err, have)
		}
	}
}
