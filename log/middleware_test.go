package log_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// recorder keeps the lines that it is given, each as the map of its keys to their texts.
type recorder struct {
	mu    sync.Mutex
	lines []map[string]string
	keys  [][]string
}

func (r *recorder) Log(keyvals ...any) error {
	line := map[string]string{}
	var keys []string
	for i := 0; i < len(keyvals); i += 2 {
		key := fmt.Sprint(keyvals[i])
		keys = append(keys, key)
		line[key] = fmt.Sprint(keyvals[i+1])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines, r.keys = append(r.lines, line), append(r.keys, keys)
	return nil
}

func (r *recorder) only(t *testing.T) map[string]string {
	t.Helper()
	if len(r.lines) != 1 {
		t.Fatalf("want 1 line, have %v", r.lines)
	}
	return r.lines[0]
}

var place = endpoint.Spec{Service: "orders", Method: "Place"}

// served makes an endpoint that takes the time and ends with the error.
func served(logger log.Logger, takes time.Duration, err error, opts ...log.Option) endpoint.Endpoint[int, int] {
	return endpoint.New(place, func(context.Context, int) (int, error) {
		<-time.After(takes) // by the clock of a synctest bubble
		return 1, err
	}, log.Middleware(logger, opts...))
}

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func serverContext(t *testing.T) (context.Context, *transport.Info) {
	t.Helper()
	return transport.NewServerContext(t.Context(), transport.Info{
		Transport: "http", Peer: "[::1]:4711", Request: transport.HeaderMap{"Traceparent": {traceparent}}, RequestSize: 12, ResponseSize: 34,
	})
}

func TestServerLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out recorder
		ctx, _ := serverContext(t)
		if _, err := served(&out, 3*time.Millisecond, nil)(ctx, 1); err != nil {
			t.Fatal(err)
		}
		want := "map[code:ok duration:3ms kind:unary level:info msg:call operation:orders/Place peer:[::1]:4711 request_size:12 " +
			"response_size:34 side:server trace_id:4bf92f3577b34da6a3ce929d0e0e4736 transport:http]"
		if have := fmt.Sprint(out.only(t)); want != have {
			t.Errorf("want %s\nhave %s", want, have)
		}
		order := "level msg side operation kind transport peer code duration request_size response_size trace_id"
		if have := strings.Join(out.keys[0], " "); order != have {
			t.Errorf("want the order %s\nhave %s", order, have)
		}
	})
}

func TestClientLineHasWhatTheTransportReports(t *testing.T) {
	t.Parallel()
	var out recorder
	other := strings.Replace(traceparent, "4bf9", "aaaa", 1)
	call := endpoint.New(place.Client(), func(ctx context.Context, _ int) (int, error) {
		transport.Report(ctx, transport.Info{
			Transport: "grpc", Peer: "10.0.0.1:80", RequestSize: 1, ResponseSize: 2, Request: transport.HeaderMap{"Traceparent": {other}},
		})
		return 0, status.New(status.Unavailable, "draining")
	}, log.Middleware(&out))
	ctx, _ := serverContext(t) // the client is called while a call is being served
	ctx, observed := transport.Observe(ctx)
	if _, err := call(ctx, 1); status.CodeOf(err) != status.Unavailable {
		t.Fatal(err)
	}
	line := out.only(t)
	for key, want := range map[string]string{
		"side": "client", "transport": "grpc", "peer": "10.0.0.1:80", "request_size": "1", "response_size": "2", "level": "error",
		"code": "unavailable", "trace_id": "aaaa2f3577b34da6a3ce929d0e0e4736", "err": "unavailable: draining",
	} {
		if have := line[key]; want != have {
			t.Errorf("%s: want %q, have %q", key, want, have)
		}
	}
	if observed.Info().Peer != "10.0.0.1:80" {
		t.Error("an outer observer learnt nothing")
	}
}

// A client that never reached a transport is not described by the call that is being served.
func TestClientLineDoesNotShowTheServersPeer(t *testing.T) {
	t.Parallel()
	var out recorder
	call := endpoint.New(place.Client(), func(context.Context, int) (int, error) { return 0, nil }, log.Middleware(&out))
	ctx, _ := serverContext(t)
	_, _ = call(ctx, 1)
	if line := out.only(t); line["peer"] != "" || line["transport"] != "" || line["trace_id"] == "" {
		t.Errorf("have %v", line)
	}
}

func TestIDInTheLogIsTheCallers(t *testing.T) {
	t.Parallel()
	cause := errors.New("sql: password=hunter2")
	for name, err := range map[string]error{
		"plain": cause, "wrapped": fmt.Errorf("placing: %w", cause), "status with ID": status.From(cause),
		"wrapped status with ID": fmt.Errorf("placing: %w", status.From(cause)),
	} {
		var out recorder
		_, returned := served(&out, 0, err)(t.Context(), 1)
		line, e := out.only(t), status.From(returned)
		if e.ID == "" || line["error_id"] != e.ID {
			t.Errorf("%s: the caller has ID %q, the log %q", name, e.ID, line["error_id"])
		}
		if !errors.Is(returned, cause) || !strings.Contains(line["err"], "sql: password=hunter2") || strings.Contains(e.Message, "sql") {
			t.Errorf("%s: returned %v, logged %s, shown %s", name, returned, line["err"], e.Message)
		}
	}
}

func TestStatusIsReturnedAsItWas(t *testing.T) {
	t.Parallel()
	want := fmt.Errorf("placing: %w", status.New(status.NotFound, "no such article"))
	if _, have := served(&recorder{}, 0, want)(t.Context(), 1); have != want { //nolint:errorlint // the very same
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestErrorIsAStatusAlsoWhenNothingIsLogged(t *testing.T) {
	t.Parallel()
	logger := log.Filter(&recorder{}, log.LevelError+1)
	if _, err := served(logger, 0, io.EOF)(t.Context(), 1); status.As(err) == nil || !errors.Is(err, io.EOF) {
		t.Errorf("have %v", err)
	}
}

// The table in Middleware's comment.
func TestLevelByCode(t *testing.T) {
	t.Parallel()
	for want, codes := range map[string][]status.Code{
		"info": {
			status.OK, status.Canceled, status.InvalidArgument, status.NotFound, status.AlreadyExists, status.FailedPrecondition, status.OutOfRange,
		},
		"warn":  {status.Unauthenticated, status.PermissionDenied, status.ResourceExhausted, status.Aborted, status.Unimplemented},
		"error": {status.Unknown, status.DeadlineExceeded, status.Internal, status.Unavailable, status.DataLoss},
	} {
		for _, code := range codes {
			var (
				out recorder
				err error
			)
			if code != status.OK {
				err = status.New(code, "x")
			}
			_, _ = served(&out, 0, err)(t.Context(), 1)
			if line := out.only(t); line["level"] != want || line["code"] != code.String() {
				t.Errorf("%v: want %s, have %v", code, want, line)
			}
		}
	}
}

func TestContextErrorsAreNoServerFault(t *testing.T) {
	t.Parallel()
	var out recorder
	_, _ = served(&out, 0, context.Canceled)(t.Context(), 1)
	if line := out.only(t); line["level"] != "info" || line["code"] != "canceled" {
		t.Errorf("have %v", line)
	}
}

func TestPanicIsLoggedWithItsStack(t *testing.T) {
	t.Parallel()
	for _, spec := range []endpoint.Spec{place, place.Client()} {
		var out recorder
		mw := endpoint.Chain(log.Middleware(&out), endpoint.Recover())
		call := endpoint.New(spec, func(context.Context, int) (int, error) { return panicking() }, mw)
		_, err := call(t.Context(), 1)
		checkPanic(t, out.only(t), err, "boom")

		out.lines = nil
		stream := endpoint.NewStream(spec, func(context.Context, iter.Seq2[int, error], func(int) error) error {
			_, err := panicking()
			return err
		}, mw)
		checkPanic(t, func() map[string]string { err = stream(t.Context(), nil, nil); return out.only(t) }(), err, "boom")
	}
}

func panicking() (int, error) { panic("boom") }

func checkPanic(t *testing.T, line map[string]string, err error, text string) {
	t.Helper()
	if line["code"] != "internal" || line["level"] != "error" || !strings.Contains(line["err"], text) || !strings.Contains(line["stack"], "panicking") {
		t.Errorf("have %v", line)
	}
	if e := status.As(err); e == nil || e.ID == "" || e.ID != line["error_id"] {
		t.Errorf("the caller has %v, the log %v", err, line["error_id"])
	}
}

func TestPanicThatNobodyRecoversIsLoggedAndGoesOn(t *testing.T) {
	t.Parallel()
	var out recorder
	call := endpoint.New(place, func(context.Context, int) (int, error) { return panicking() }, log.Middleware(&out))
	value := func() (value any) {
		defer func() { value = recover() }()
		_, _ = call(t.Context(), 1)
		return nil
	}()
	line := out.only(t)
	if value != "boom" || line["code"] != "internal" || line["level"] != "error" || !strings.Contains(line["stack"], "panicking") {
		t.Errorf("panic %v, have %v", value, line)
	}
}

func TestStreamIsOneLine(t *testing.T) {
	t.Parallel()
	for _, spec := range []endpoint.Spec{place, place.Client()} {
		for kind := endpoint.ClientStream; kind <= endpoint.Bidirectional; kind++ {
			spec.Kind = kind
			var out recorder
			stream := endpoint.NewStream(spec, echo, log.Middleware(&out, log.CountMessages()))
			sent := 0
			if err := stream(t.Context(), endpoint.Seq(1, 2, 3), func(int) error { sent++; return nil }); err != nil || sent != 2 {
				t.Fatal(err, sent)
			}
			line := out.only(t)
			if line["messages_in"] != "3" || line["messages_out"] != "2" || line["kind"] != kind.String() || line["side"] != spec.Side.String() {
				t.Errorf("%v: have %v", kind, line)
			}
		}
	}
}

// echo sends all messages but the first.
func echo(_ context.Context, in iter.Seq2[int, error], out func(int) error) error {
	first := true
	for m, err := range in {
		if err != nil {
			return err
		}
		if !first {
			if err := out(m); err != nil {
				return err
			}
		}
		first = false
	}
	return nil
}

func TestEmptyStreamIsOneLine(t *testing.T) {
	t.Parallel()
	var out recorder
	stream := endpoint.NewStream(place, echo, log.Middleware(&out))
	if err := stream(t.Context(), endpoint.Seq[int](), nil); err != nil {
		t.Fatal(err)
	}
	if line := out.only(t); line["messages_in"] != "" || line["code"] != "ok" {
		t.Errorf("have %v", line)
	}
}

func TestStreamErrorIsAStatus(t *testing.T) {
	t.Parallel()
	var out recorder
	stream := endpoint.NewStream(place, func(context.Context, iter.Seq2[int, error], func(int) error) error { return io.ErrUnexpectedEOF },
		log.Middleware(&out))
	err := stream(t.Context(), endpoint.Seq[int](), nil)
	if e := status.As(err); e == nil || out.only(t)["error_id"] != e.ID {
		t.Errorf("have %v and %v", err, out.lines)
	}
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	var (
		out recorder
		wg  sync.WaitGroup
	)
	mw := log.Middleware(&out, log.CountMessages(), log.SampleEvery(3), log.SamplePerSecond(1000), log.Slow(time.Hour))
	unary := endpoint.New(place.Client(), func(ctx context.Context, n int) (int, error) {
		transport.Report(ctx, transport.Info{Peer: "p"})
		return n, nil
	}, mw)
	stream := endpoint.NewStream(place, echo, mw)
	const goroutines, calls = 8, 60
	for range goroutines {
		wg.Go(func() {
			for range calls {
				_, _ = unary(t.Context(), 1)
				_ = stream(t.Context(), endpoint.Seq(1), nil)
			}
		})
	}
	wg.Wait()
	if want, have := 2*goroutines*calls/3, len(out.lines); want != have {
		t.Errorf("want %d lines, have %d", want, have)
	}
}
