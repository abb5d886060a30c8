package natstransport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/codec/msgpack"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

func TestStreamsOfAllShapes(t *testing.T) {
	t.Parallel()
	count := endpoint.FromServerStream(func(_ context.Context, n int, send func(int) error) error {
		for i := range n {
			if err := send(i); err != nil {
				return err
			}
		}
		return nil
	})
	sum := endpoint.FromClientStream(func(_ context.Context, requests iter.Seq2[int, error]) (total int, err error) {
		for n, err := range requests {
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	})
	twice := endpoint.Endpoint[int, int](func(_ context.Context, n int) (int, error) { return 2 * n, nil }).Stream()
	running := func(_ context.Context, in iter.Seq2[int, error], out func(int) error) error {
		total := 0
		for n, err := range in {
			if err != nil {
				return err
			}
			total += n
			if err := out(total); err != nil {
				return err
			}
		}
		return nil
	}
	b := newBroker(t)
	conn := b.conn()
	for i, row := range []struct {
		kind   endpoint.Kind
		stream endpoint.Stream[int, int]
		in     []int
		want   string
	}{
		{endpoint.ServerStream, count, []int{4}, "[0 1 2 3]"},
		{endpoint.ServerStream, count, []int{0}, "[]"},
		{endpoint.ClientStream, sum, []int{1, 2, 3}, "[6]"},
		{endpoint.ClientStream, sum, nil, "[0]"},
		{endpoint.Bidirectional, running, []int{1, 2, 3}, "[1 3 6]"},
		{endpoint.Bidirectional, running, nil, "[]"},
		{0, twice, []int{21}, "[42]"},
	} {
		spec := endpoint.Spec{Service: "numbers", Method: fmt.Sprint("Row", i), Kind: row.kind}
		b.serve(natstransport.NewStreamServer(spec, row.stream, natstransport.ServerCodecs(json.New(), msgpack.New())))
		for name, opts := range map[string][]natstransport.ClientOption{
			"json": nil, "msgpack": {natstransport.ClientCodecs(msgpack.New())}, "a window of one": {natstransport.ClientWindow(1, 1)},
		} {
			call, err := natstransport.NewStreamClient[int, int](spec.Client(), conn, opts...)
			if err != nil {
				t.Fatal(err)
			}
			have := []int{}
			ctx, observer := transport.Observe(deadline(t))
			err = call(ctx, endpoint.Seq(row.in...), func(n int) error { have = append(have, n); return nil })
			if err != nil || fmt.Sprint(have) != row.want {
				t.Errorf("%v of %v, %s: want %s, have %v, %v", row.kind, row.in, name, row.want, have, err)
			}
			if info := observer.Info(); (info.RequestSize == 0) != (len(row.in) == 0) || (info.ResponseSize == 0) != (len(have) == 0) {
				t.Errorf("%v, %s: sizes: have %d, %d", row.kind, name, info.RequestSize, info.ResponseSize)
			}
		}
	}
}

func TestHooksOfAStreamRunInOrder(t *testing.T) {
	t.Parallel()
	n, own := new(notes), new(notes)
	done := make(chan struct{}, 1)
	server, client := hooks(n, own, done)
	var fail error
	call := stream(t, func(ctx context.Context, in inSeq, out func(*number) error) error {
		n.add("stream")
		return errors.Join(echo(ctx, in, out), fail)
	}, server, client...)
	begin := []string{
		"before 1 numbers/Echo", "before 2 numbers/Echo", "before 3 numbers/Echo", "outer of numbers/Echo", "inner of numbers/Echo", "stream",
	}
	for _, row := range []struct {
		in           []*number
		fail         error
		server, main []string
	}{
		{
			[]*number{{1}, {2}}, nil,
			[]string{"after 1 before 1", "after 2", "inner left", "outer left", "final 1 before 3 ok", "final 2"},
			[]string{"after 1", "after 2", "out 1", "out 2", "final 1 after 2 ok", "final 2"},
		},
		{
			nil, nil,
			[]string{"inner left", "outer left", "after 1 before 1", "after 2", "final 1 before 3 ok", "final 2"},
			[]string{"after 1", "after 2", "final 1 after 2 ok", "final 2"},
		},
		{
			nil, status.New(status.NotFound, "no"),
			[]string{"inner left", "outer left", "error 1 before 2 not_found", "error 2", "final 1 before 3 not_found", "final 2"},
			[]string{"after 1", "after 2", "final 1 after 2 not_found", "final 2"},
		},
	} {
		fail = row.fail
		err := call(deadline(t), endpoint.Seq(row.in...), func(m *number) error { own.add("out %d", m.N); return nil })
		if status.CodeOf(err) != status.CodeOf(row.fail) {
			t.Error(err)
		}
		wait(t, done, "the finalizers")
		same(t, "server", append(slices.Clone(begin), row.server...), n.take())
		same(t, "client", append([]string{"before 1", "before 2"}, row.main...), own.take())
	}
}

// A middleware sees the messages of a stream, in order, and may refuse one.
func TestMiddlewareSeesMessages(t *testing.T) {
	t.Parallel()
	var n notes
	mw := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			m, _ := request.(*endpoint.Messages)
			return next(ctx, m.WithHooks(
				func(message any) error { n.add("in %v", message); return nil },
				func(message any) error { n.add("out %v", message); return nil }))
		}
	}
	call := stream(t, echo, []natstransport.ServerOption{natstransport.ServerMiddleware(mw)})
	if err := call(deadline(t), endpoint.Seq(&number{1}, &number{2}), func(*number) error { return nil }); err != nil {
		t.Error(err)
	}
	same(t, "messages", []string{"in &{1}", "out &{1}", "in &{2}", "out &{2}"}, n.take())
}

func TestHeaderAndTrailerOfAStreamCross(t *testing.T) {
	t.Parallel()
	var fail error
	call := stream(t, func(ctx context.Context, in inSeq, out func(*number) error) error {
		info := transport.FromContext(ctx)
		if info.Transport != "nats" || info.Operation != "numbers/Echo" || info.Request.Get("X-Tenant") != "acme" {
			t.Errorf("have %+v", info)
		}
		info.Response.Set("X-Shard", "7")
		err := echo(ctx, in, out)
		info.Response.Set("X-Late", "1")
		info.Trailer.Set("X-Cost", "3")
		return errors.Join(err, fail)
	}, nil, natstransport.ClientAfter(func(ctx context.Context, h transport.Header) context.Context {
		if have := h.Get("X-Shard"); have != "7" {
			t.Errorf("ClientAfter: want 7, have %q", have)
		}
		return ctx
	}))
	for _, fail = range []error{nil, status.New(status.NotFound, "no")} {
		ctx, observer := transport.Observe(transport.WithHeader(deadline(t), "X-Tenant", "acme"))
		if err := call(ctx, endpoint.Seq(&number{1}), func(*number) error { return nil }); !errors.Is(err, fail) {
			t.Errorf("want %v, have %v", fail, err)
		}
		info := observer.Info()
		if info.Response.Get("X-Shard") != "7" || info.Response.Get("X-Late") != "" || info.Trailer.Get("X-Cost") != "3" {
			t.Errorf("have %v and %v", info.Response, info.Trailer)
		}
	}
}

func TestARequestOfAServerStreamIsNeeded(t *testing.T) {
	t.Parallel()
	spec := endpoint.Spec{Service: "numbers", Method: "Echo", Kind: endpoint.ServerStream}
	b := newBroker(t)
	b.serve(natstransport.NewStreamServer(spec, echo))
	call, err := natstransport.NewStreamClient[*number, *number](spec, b.conn())
	if err != nil {
		t.Fatal(err)
	}
	err = call(deadline(t), endpoint.Seq[*number](), nil)
	if status.CodeOf(err) != status.InvalidArgument || !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want invalid_argument and not sent, have %v", err)
	}
	bad := func(yield func(*number, error) bool) { yield(nil, io.ErrNoProgress) }
	if err := call(deadline(t), bad, nil); err != io.ErrNoProgress { //nolint:errorlint // the error itself
		t.Errorf("want the error as it is, have %v", err)
	}
}

func TestShapesThatDifferAreUnimplemented(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	seen := make(chan error, 4)
	opts := []natstransport.ServerOption{
		natstransport.ServerErrorHandler(func(_ context.Context, err error) { seen <- err }),
		natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) { seen <- o.Err }),
	}
	b.serve(natstransport.NewServer(unarySpec, double, opts...), natstransport.NewStreamServer(streamSpec, echo, opts...))
	conn := b.conn()
	call := client[*number, *number](t, conn, natstransport.ClientSubject("numbers.Echo"))
	if _, err := call(deadline(t), &number{}); status.CodeOf(err) != status.Unimplemented {
		t.Errorf("unary to a stream: want unimplemented, have %v", err)
	}
	talk := streamClient[*number, *number](t, conn, natstransport.ClientSubject("numbers.Double"))
	if err := talk(deadline(t), endpoint.Seq[*number](), nil); status.CodeOf(err) != status.Unimplemented {
		t.Errorf("stream to unary: want unimplemented, have %v", err)
	}
	for range cap(seen) {
		if err := wait(t, seen, "the hooks"); status.CodeOf(err) != status.Unimplemented {
			t.Errorf("hooks: want unimplemented, have %v", err)
		}
	}
}

func TestMessagesOfAStreamHaveLimits(t *testing.T) {
	t.Parallel()
	b := newBroker(t, "max_payload: 4096")
	b.serve(natstransport.NewStreamServer(streamSpec, func(_ context.Context, in iter.Seq2[string, error], out func(string) error) error {
		for m, err := range in {
			if err != nil {
				return err
			}
			if err := out(m + m); err != nil {
				return err
			}
		}
		return nil
	}, natstransport.ServerMaxRequest(3000)))
	conn := b.conn()
	for n, row := range map[int]struct {
		max  int64
		want string
	}{
		500: {1 << 20, ""}, 3001: {1 << 20, "has 3001 bytes, and may have 3000"}, 2500: {1 << 20, "and may have 4096"},
		4100: {1 << 20, "and may have 4096"}, 1000: {1500, "has 1998 bytes, and may have 1500"},
	} {
		call := streamClient[string, string](t, conn, natstransport.ClientMaxResponse(row.max))
		err := call(deadline(t), endpoint.Seq("a", text(n)), func(string) error { return nil })
		if e := status.As(err); row.want == "" && err != nil || row.want != "" && (e == nil || e.Code != status.ResourceExhausted ||
			e.Reason != "BODY_TOO_LARGE" || !strings.Contains(e.Message, row.want)) {
			t.Errorf("%d bytes: want %q, have %v", n, row.want, err)
		}
	}
}

func TestMalformedMessagesAreRefusedByNumber(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewStreamServer(streamSpec, echo))
	call := streamClient[any, any](t, b.conn())
	err := call(deadline(t), endpoint.Seq[any](map[string]any{"N": 1}, map[string]any{"N": "x"}), func(any) error { return nil })
	e := status.As(err)
	if e == nil || e.Code != status.InvalidArgument || !strings.Contains(e.Message, "message 2: ") || len(e.Violations) != 1 || e.Violations[0].Field != "N" {
		t.Errorf("want the number and the field, have %v", err)
	}
	wrong := streamClient[any, string](t, b.conn())
	err = wrong(deadline(t), endpoint.Seq[any](map[string]any{"N": 1}), func(string) error { return nil })
	if status.CodeOf(err) != status.Internal || !strings.Contains(err.Error(), "message 1 of numbers/Echo") {
		t.Errorf("want internal with the number, have %v", err)
	}
	if err := call(deadline(t), endpoint.Seq[any](func() {}), func(any) error { return nil }); status.CodeOf(err) != status.Internal {
		t.Errorf("what cannot be encoded: want internal, have %v", err)
	}
}
