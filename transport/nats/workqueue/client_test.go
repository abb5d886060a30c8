package workqueue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/cbor"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

func TestAReceiptSaysWhereTheMessageIs(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	call := client(t, q, workqueue.ClientMessageID(func(j *job) string {
		if j.N == 0 {
			return ""
		}
		return fmt.Sprint(j.N)
	}), workqueue.ClientStream("JOBS"))
	for _, row := range []struct {
		n    int
		want workqueue.Receipt
	}{
		{1, workqueue.Receipt{Stream: "JOBS", Sequence: 1}},
		{2, workqueue.Receipt{Stream: "JOBS", Sequence: 2}},
		{1, workqueue.Receipt{Stream: "JOBS", Sequence: 1, Duplicate: true}},
		{0, workqueue.Receipt{Stream: "JOBS", Sequence: 3}},
		{0, workqueue.Receipt{Stream: "JOBS", Sequence: 4}},
	} {
		if have, err := call(t.Context(), &job{row.n}); err != nil || have != row.want {
			t.Errorf("job %d: want %+v, have %+v, %v", row.n, row.want, have, err)
		}
	}
}

func TestHooksAndHeadersOfTheClient(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var have notes
	opts := []workqueue.ClientOption{workqueue.ClientCodecs(cbor.New(), json.New()), workqueue.ClientSubject(func(j *job) string { return fmt.Sprintf("jobs.n%d", j.N) })}
	for n := range 2 {
		opts = append(opts,
			workqueue.ClientFinalizer(func(ctx context.Context, o workqueue.Outcome) {
				have.add("finalizer %d: %v %d %v", n, o.Err, o.RequestSize, ctx.Value(key(n)))
			}),
			workqueue.ClientAfter(func(ctx context.Context, r workqueue.Receipt) context.Context {
				have.add("after %d: %d", n, r.Sequence)
				return ctx
			}),
			workqueue.ClientBefore(func(ctx context.Context, h transport.Header) context.Context {
				have.add("before %d: %s", n, h.Get("Content-Type"))
				h.Set(fmt.Sprintf("X-Before-%d", n), "1")
				return context.WithValue(transport.WithHeader(ctx, "X-Hook", "2"), key(n), n)
			}))
	}
	call, err := workqueue.NewClient[*job](spec.Client(), q, "", opts...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, observer := transport.Observe(transport.WithHeader(t.Context(), "x-tenant", "masons", "others"))
	if _, err := call(ctx, &job{3}); err != nil {
		t.Fatal(err)
	}
	want := []string{"before 0: application/cbor", "before 1: application/cbor", "after 0: 1", "after 1: 1", "finalizer 0: <nil> 4 0", "finalizer 1: <nil> 4 1"}
	if !slices.Equal(want, have.all()) {
		t.Errorf("want %q\nhave %q", want, have.all())
	}
	info := observer.Info()
	if info.Transport != "workqueue" || info.Operation != "jobs/Do" || "nats://"+info.Peer != q.URL || info.RequestSize != 4 || info.Request.Get("X-Hook") != "2" {
		t.Errorf("have %+v", info)
	}
	stream, err := q.Stream(t.Context(), "JOBS")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := stream.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	h := msg.Header
	if msg.Subject != "jobs.n3" || h.Get("Content-Type") != "application/cbor" || len(h.Values("X-Tenant")) != 2 || h.Get("X-Hook") != "2" ||
		h.Get("X-Before-0") != "1" || h.Get("X-Before-1") != "1" || h.Get(transport.TimeoutHeader) != "" {
		t.Errorf("have %s, %v", msg.Subject, h)
	}
}

func TestErrorsOfTheClient(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	_, err := q.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "SMALL", Subjects: []string{"small.>"}, MaxMsgs: 1, MaxMsgSize: 100, Discard: jetstream.DiscardNew,
	})
	if err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	closed := q.connect()
	closed.Conn().Close()
	outage := q.connect()
	hung := func(t *testing.T) context.Context {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	for _, row := range []struct {
		name    string
		js      jetstream.JetStream
		subject string
		ctx     context.Context
		text    string
		code    status.Code
		unsent  bool
		message string
		opts    []workqueue.ClientOption
	}{
		{"fits", q, "small.x", t.Context(), "a", status.OK, false, "", nil},
		{"the stream is full", q, "small.x", t.Context(), "b", status.ResourceExhausted, false, "maximum messages exceeded", nil},
		{"too large for the stream", q, "small.x", t.Context(), strings.Repeat("x", 200), status.ResourceExhausted, false, "message size exceeds", nil},
		{"too large for the server", q, "jobs.x", t.Context(), strings.Repeat("x", 2<<20), status.ResourceExhausted, true, "larger than the server takes, 1048576 bytes", nil},
		{"no stream", q, "nowhere", t.Context(), "a", status.Unavailable, true, `no stream takes messages of "nowhere"`, nil},
		{"another stream", q, "jobs.x", t.Context(), "a", status.FailedPrecondition, false, "expected stream does not match", []workqueue.ClientOption{workqueue.ClientStream("OTHER")}},
		{"canceled before", q, "jobs.x", canceled, "a", status.Canceled, true, "the call was canceled", nil},
		{"a closed connection", closed, "jobs.x", t.Context(), "a", status.Unavailable, true, "there is no connection", nil},
		{"a header that cannot be", q, "jobs.x", transport.WithHeader(t.Context(), "a b", "1"), "a", status.Internal, true, "could not be written", nil},
		{"a subject that cannot be", q, "jobs.x", t.Context(), "a", status.Internal, true, "has no subject", []workqueue.ClientOption{workqueue.ClientSubject(func(string) string { return "a b" })}},
		{"during an outage", outage, "jobs.x", nil, "a", status.DeadlineExceeded, false, "the stream has not answered in time", nil},
	} {
		ctx := row.ctx
		if ctx == nil {
			q.Suspend()
			ctx = hung(t)
		}
		call, err := workqueue.NewClient[string](spec, row.js, row.subject, row.opts...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = call(ctx, row.text)
		if status.CodeOf(err) != row.code || errors.Is(err, transport.ErrNotSent) != row.unsent {
			t.Errorf("%s: want %v, not sent: %t, have %v", row.name, row.code, row.unsent, err)
		}
		if err != nil && (status.As(err) == nil || !strings.Contains(status.As(err).Message, row.message)) {
			t.Errorf("%s: want a status with %q, have %v", row.name, row.message, err)
		}
	}
	q.Resume()
}

func TestARequestThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	call, err := workqueue.NewClient[chan int](spec, q, "jobs.x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call(t.Context(), nil); status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want internal, and that nothing was sent; have %v", err)
	}
}

func TestAPanicOfAClientReachesItsCallerAfterTheFinalizers(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var outcome workqueue.Outcome
	call := client(t, q, workqueue.ClientBefore(func(context.Context, transport.Header) context.Context { panic("in a hook") }),
		workqueue.ClientFinalizer(func(_ context.Context, o workqueue.Outcome) { outcome = o }))
	func() {
		defer func() {
			if have := recover(); have != "in a hook" {
				t.Errorf("want the panic, have %v", have)
			}
		}()
		_, _ = call(t.Context(), &job{})
	}()
	if _, ok := errors.AsType[*endpoint.PanicError](outcome.Err); !ok {
		t.Errorf("want the panic in the outcome, have %v", outcome.Err)
	}
}

func TestMistakesOfClientsAreErrors(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var noCodec codec.Codec
	for name, row := range map[string]struct {
		want    string
		js      jetstream.JetStream
		subject string
		spec    endpoint.Spec
		opt     workqueue.ClientOption
	}{
		"no JetStream":             {"the JetStream is nil", nil, "a", spec, workqueue.ClientStream("x")},
		"no subject":               {`the subject(""): want a subject`, q, "", spec, workqueue.ClientStream("x")},
		"a wildcard":               {`the subject("a.*"): want a subject`, q, "a.*", spec, workqueue.ClientStream("x")},
		"a stream of messages":     {"the operation is client stream", q, "a", endpoint.Spec{Kind: endpoint.ClientStream}, workqueue.ClientStream("x")},
		"no name of a stream":      {"ClientStream without a name", q, "a", spec, workqueue.ClientStream("")},
		"no codec":                 {"codec 0 of the set is nil", q, "a", spec, workqueue.ClientCodecs(noCodec)},
		"a nil before":             {"ClientBefore: function 0 is nil", q, "a", spec, workqueue.ClientBefore(nil)},
		"a nil after":              {"ClientAfter: function 0 is nil", q, "a", spec, workqueue.ClientAfter(nil)},
		"a nil finalizer":          {"ClientFinalizer: function 0 is nil", q, "a", spec, workqueue.ClientFinalizer(nil)},
		"a nil name":               {"ClientMessageID: function 0 is nil", q, "a", spec, workqueue.ClientMessageID[*job](nil)},
		"a nil subject":            {"ClientSubject: function 0 is nil", q, "a", spec, workqueue.ClientSubject[*job](nil)},
		"a name of another type":   {"ClientMessageID is a func(int) string, want func(*workqueue_test.job) string", q, "a", spec, workqueue.ClientMessageID(func(int) string { return "" })},
		"a subject of another one": {"ClientSubject is a func(int) string", q, "a", spec, workqueue.ClientSubject(func(int) string { return "" })},
		"a nil option":             {"the list of options: function 0 is nil", q, "a", spec, nil},
	} {
		_, err := workqueue.NewClient[*job](row.spec, row.js, row.subject, row.opt)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "workqueue: client of ") {
			t.Errorf("%s: want an error with %q, have %v", name, row.want, err)
		}
	}
}
