package natstransport_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/codec/msgpack"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// Go kit's client drops them.
func TestHeaderFieldsCrossBothWays(t *testing.T) {
	t.Parallel()
	call := unary(t, func(ctx context.Context, request *number) (*number, error) {
		info := transport.FromContext(ctx)
		if info.Transport != "nats" || info.Operation != "numbers/Double" || info.Peer != "" || info.TLS != nil || info.RequestSize != int64(len(`{"N":1}`)) {
			t.Errorf("have %+v", info)
		}
		if want, have := []string{"acme", "b b"}, info.Request.Values("x-tenant"); !reflect.DeepEqual(want, have) {
			t.Errorf("want %v, have %v", want, have)
		}
		if have := info.Request.Get("X-Hook"); have != "set" {
			t.Errorf("want what the hook set, have %q", have)
		}
		info.Response.Set("X-Shard", "7")
		info.Trailer.Set("X-Cost", "3")
		if request.N == 0 {
			return nil, status.New(status.OutOfRange, "too low")
		}
		return request, nil
	}, []natstransport.ServerOption{natstransport.ServerAfter(func(ctx context.Context) { transport.FromContext(ctx).Response.Set("X-After", "a") })},
		natstransport.ClientBefore(func(ctx context.Context, h transport.Header) context.Context {
			h.Set("X-Hook", "set")
			return ctx
		}),
		natstransport.ClientAfter(func(ctx context.Context, h transport.Header) context.Context {
			if have := h.Get("x-shard"); have != "7" {
				t.Errorf("ClientAfter: want 7, have %q", have)
			}
			return ctx
		}))
	for _, n := range []int{1, 0} {
		ctx, observer := transport.Observe(transport.WithHeader(t.Context(), "X-Tenant", "acme", "b b"))
		_, err := call(ctx, &number{n})
		if (err != nil) != (n == 0) {
			t.Fatal(err)
		}
		info := observer.Info()
		if info.Transport != "nats" || info.Operation != "numbers/Double" || info.Request.Get("X-Tenant") != "acme" ||
			info.Response.Get("X-Shard") != "7" || info.Trailer.Get("X-Cost") != "3" || info.RequestSize == 0 || info.ResponseSize == 0 {
			t.Errorf("want what the call was, have %+v", info)
		}
		if want := map[int]string{1: "a"}[n]; info.Response.Get("X-After") != want {
			t.Errorf("X-After: want %q, have %q", want, info.Response.Get("X-After"))
		}
	}
}

// Who hands a header on may hand on that of a stream.
func TestWhatOpenedAnotherStreamIsNotHandedOn(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewServer(unarySpec, double), natstransport.NewStreamServer(streamSpec,
		func(ctx context.Context, _ inSeq, _ func(*number) error) error {
			request := transport.FromContext(ctx).Request
			if have := request.Get("Ashlar-Credit") + ", " + request.Get("Ashlar-Heartbeat"); have != "7 700, 3000000u" {
				return status.New(status.Internal, have)
			}
			return nil
		}))
	conn := b.conn()
	ctx := transport.WithHeader(transport.WithHeader(transport.WithHeader(deadline(t), "Ashlar-Stream", "2"), "Ashlar-Credit", "1 1"),
		"Ashlar-Heartbeat", "1H")
	if _, err := client[*number, *number](t, conn)(ctx, &number{}); err != nil {
		t.Errorf("unary: %v", err)
	}
	call := streamClient[*number, *number](t, conn, natstransport.ClientWindow(7, 700), natstransport.ClientHeartbeat(3*time.Second))
	if err := call(ctx, endpoint.Seq(&number{}), nil); err != nil {
		t.Errorf("stream: %v", err)
	}
}

// NATS compares the names of header fields with regard to case. Ashlar does not, whoever sent them.
func TestTheHeaderOfAStreamCrossesWithItsError(t *testing.T) {
	t.Parallel()
	call := stream(t, func(ctx context.Context, _ inSeq, _ func(*number) error) error {
		info := transport.FromContext(ctx)
		info.Response.Set("X-Header", "yes")
		info.Trailer.Set("X-Trailer", "yes")
		return status.New(status.NotFound, "no")
	}, nil)
	ctx, observer := transport.Observe(deadline(t))
	if err := call(ctx, endpoint.Seq(&number{}), nil); status.CodeOf(err) != status.NotFound {
		t.Errorf("want not_found, have %v", err)
	}
	for _, key := range []string{"X-Header", "X-Trailer"} {
		if have := observer.Info().Response.Get(key); have != "yes" {
			t.Errorf("%s: want it in the header, have %v", key, observer.Info().Response)
		}
	}
	if have := observer.Info().Trailer.Get("X-Trailer"); have != "yes" {
		t.Errorf("want the trailer, have %v", observer.Info().Trailer)
	}
}

func TestForeignHeaderFieldsAreFound(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewServer(unarySpec, func(ctx context.Context, _ *number) (string, error) {
		h := transport.FromContext(ctx).Request
		return h.Get("Traceparent") + " " + strings.Join(h.Values("X-A"), ""), nil
	}))
	m, err := b.connect().RequestMsg(&nats.Msg{
		Subject: "numbers.Double", Data: []byte(`{"N":1}`),
		Header: nats.Header{"traceparent": {"00-1"}, "x-a": {"1"}, "content-type": {"application/json; charset=utf-8"}},
	}, limit)
	if err != nil || string(m.Data) != `"00-1 1"` {
		t.Errorf("want the fields, have %s, %v", m.Data, err)
	}
}

func TestHeaderFieldsThatNATSCannotCarryAreRefused(t *testing.T) {
	t.Parallel()
	errs := make(chan error, 1)
	call := unary(t, func(ctx context.Context, request *number) (*number, error) {
		if request.N == 1 {
			transport.FromContext(ctx).Response.Set("X-A", "1\r\nX-B: 2")
		}
		return request, nil
	}, []natstransport.ServerOption{natstransport.ServerErrorHandler(func(_ context.Context, err error) { errs <- err })})
	for key, value := range map[string]string{"X A": "1", "": "1", "X:A": "1", "X-Ä": "1", "X-A": "1\r\nX-B: 2", "X-B": "\x00"} {
		_, err := call(transport.WithHeader(deadline(t), key, value), &number{})
		if status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%q: %q: want internal and not sent, have %v", key, value, err)
		}
	}
	ctx, observer := transport.Observe(deadline(t))
	if _, err := call(ctx, &number{1}); status.CodeOf(err) != status.Internal || observer.Info().Response.Get("X-B") != "" {
		t.Errorf("the server's: want internal, have %v with %v", err, observer.Info().Response)
	}
	if err := wait(t, errs, "the error handler"); !strings.Contains(err.Error(), "X-A") {
		t.Errorf("want the name of the field, have %v", err)
	}
}

func TestMessagesSayTheirEncoding(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	types := make(chan string, 1)
	b.serve(natstransport.NewServer(unarySpec, double, natstransport.ServerCodecs(msgpack.New(), json.New()),
		natstransport.ServerBefore(func(ctx context.Context) context.Context {
			types <- transport.FromContext(ctx).Request.Get("Content-Type")
			return ctx
		})))
	conn := b.conn()
	for want, opts := range map[string][]natstransport.ClientOption{
		"":                    nil, // of JSON, so that calls without a header have none
		"application/msgpack": {natstransport.ClientCodecs(msgpack.New(), json.New())},
	} {
		ctx, observer := transport.Observe(t.Context())
		response, err := client[*number, *number](t, conn, opts...)(ctx, &number{4})
		if have := <-types; err != nil || response.N != 8 || want != have || want != observer.Info().Response.Get("Content-Type") {
			t.Errorf("%q: want 8, have %v, %v, %q", want, response, err, have)
		}
	}
	other := natstransport.NewServer(unarySpec, double, natstransport.ServerSubject("other"), natstransport.ServerCodecs(msgpack.New()))
	b.serve(other)
	nc := b.connect()
	data, _ := msgpack.New().Append(nil, &number{3})
	if m, err := nc.Request("other", data, limit); err != nil || m.Header.Get("Content-Type") != "application/msgpack" {
		t.Errorf("without a codec for JSON the first is meant: have %v, %v", m, err)
	}
	m, err := nc.RequestMsg(&nats.Msg{Subject: "other", Header: nats.Header{"Content-Type": {"text/csv"}}}, limit)
	if err != nil || m.Header.Get("Nats-Service-Error-Code") != "400" || !strings.Contains(string(m.Data), "UNSUPPORTED_MEDIA_TYPE") ||
		!strings.Contains(string(m.Data), "application/msgpack") {
		t.Errorf("want what is supported, have %v %s, %v", m.Header, m.Data, err)
	}
}

func TestRequestsThatCannotBeDecodedAreToldWhere(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewServer(unarySpec, double),
		natstransport.NewServer(unarySpec, func(context.Context, struct{}) (int, error) { return 7, nil }, natstransport.ServerSubject("nothing")))
	nc := b.connect()
	for text, want := range map[string]string{`{"N":"x"}`: `"field":"N"`, `{`: "invalid_argument", "": "invalid_argument"} {
		m, err := nc.Request("numbers.Double", []byte(text), limit)
		if err != nil || m.Header.Get("Nats-Service-Error-Code") != "400" || !strings.Contains(string(m.Data), want) {
			t.Errorf("%q: want %s, have %s, %v", text, want, m.Data, err)
		}
	}
	for _, text := range []string{"", "{}"} {
		if m, err := nc.Request("nothing", []byte(text), limit); err != nil || string(m.Data) != "7" {
			t.Errorf("%q for a request without fields: want 7, have %s, %v", text, m.Data, err)
		}
	}
	m, err := nc.RequestMsg(&nats.Msg{Subject: "numbers.Double", Header: nats.Header{"Ashlar-Timeout": {"soon"}}, Data: []byte(`{"N":1}`)}, limit)
	if err != nil || !strings.Contains(string(m.Data), `"field":"Ashlar-Timeout"`) {
		t.Errorf("want the field, have %s, %v", m.Data, err)
	}
}

func TestAResponseThatCannotBeDecodedIsInternal(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewServer(unarySpec, double))
	if _, err := client[*number, []string](t, b.conn())(deadline(t), &number{}); status.CodeOf(err) != status.Internal ||
		!strings.Contains(err.Error(), "response of numbers/Double") {
		t.Errorf("want internal, have %v", err)
	}
}

// A request that nobody waits for is served all the same.
func TestARequestWithoutAReplySubjectIsServed(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	served := make(chan int, 1)
	final := make(chan error, 2)
	service := b.serve(natstransport.NewServer(unarySpec, func(_ context.Context, request *number) (*number, error) {
		served <- request.N
		if request.N == 0 {
			return nil, status.New(status.NotFound, "no")
		}
		return request, nil
	}, natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) { final <- o.Err })))
	nc := b.connect()
	for _, n := range []string{"0", "5"} {
		if err := nc.Publish("numbers.Double", []byte(`{"N":`+n+`}`)); err != nil {
			t.Fatal(err)
		}
		wait(t, served, "the request")
		if err := wait(t, final, "the finalizer"); (err != nil) != (n == "0") {
			t.Errorf("%s: have %v", n, err)
		}
	}
	if err := service.Shutdown(deadline(t)); err != nil {
		t.Error(err)
	}
}
