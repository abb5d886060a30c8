package workqueue_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec/cbor"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

// hooks adds one of each kind that notes its name; given twice they show that options append.
func hooks(n *notes, number int) []workqueue.ServerOption {
	return []workqueue.ServerOption{
		workqueue.ServerFinalizer(func(_ context.Context, o workqueue.Outcome) { n.add("finalizer %d: %v", number, o.Verdict) }),
		workqueue.ServerErrorHandler(func(_ context.Context, err error) { n.add("error %d: %v", number, status.CodeOf(err)) }),
		workqueue.ServerAfter(func(context.Context) { n.add("after %d", number) }),
		workqueue.ServerMiddleware(func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			return func(ctx context.Context, request any) (any, error) {
				if d, ok := request.(*workqueue.Delivery); ok {
					n.add("middleware %d: %s", number, d.Subject)
				}
				return next(ctx, request)
			}
		}),
		workqueue.ServerBefore(func(ctx context.Context) context.Context {
			n.add("before %d", number)
			return context.WithValue(ctx, key(number), number)
		}),
	}
}

type key int

func TestOrderOfTheServersHooks(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		err  error
		want []string
	}{
		{"success", nil, []string{
			"before 1", "before 2", "middleware 1: jobs.do", "middleware 2: jobs.do", "decode", "endpoint", "after 1", "after 2",
			"finalizer 1: acknowledged", "finalizer 2: acknowledged",
		}},
		{"failure", status.New(status.NotFound, "x"), []string{
			"before 1", "before 2", "middleware 1: jobs.do", "middleware 2: jobs.do", "decode", "endpoint", "error 1: not_found", "error 2: not_found",
			"finalizer 1: terminated", "finalizer 2: terminated",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t)
			var have notes
			e := func(ctx context.Context, _ *job) error {
				have.add("endpoint")
				if ctx.Value(key(1)) != 1 || ctx.Value(key(2)) != 2 {
					t.Error("the hooks' context does not reach the endpoint")
				}
				return row.err
			}
			decode := workqueue.ServerDecoder(func(context.Context, *workqueue.Delivery) (*job, error) { have.add("decode"); return &job{}, nil })
			q.put(1)
			done, ended := outcomes()
			q.serve(e, slices.Concat([]workqueue.ServerOption{decode}, hooks(&have, 1), hooks(&have, 2), []workqueue.ServerOption{done})...)
			receive(t, "the end", ended)
			if !slices.Equal(row.want, have.all()) {
				t.Errorf("want %q\nhave %q", row.want, have.all())
			}
			q.until("the message to be gone", func() bool { return q.stored("JOBS") == 0 })
		})
	}
}

func TestTheEndpointKnowsItsDelivery(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	before := time.Now()
	q.publish(&nats.Msg{Subject: "jobs.x", Data: []byte(`{"n":7}`), Header: nats.Header{"x-tenant": {"masons", "others"}}})
	type seen struct {
		delivery workqueue.Delivery
		info     transport.Info
		deadline time.Time
		job      job
	}
	have := make(chan seen, 2)
	first := true
	q.serve(func(ctx context.Context, j *job) error {
		deadline, _ := ctx.Deadline()
		have <- seen{*workqueue.FromContext(ctx), *transport.FromContext(ctx), deadline, *j}
		if first {
			first = false
			return status.New(status.Unavailable, "again")
		}
		return nil
	}, workqueue.ServerTimeLimit(time.Hour), workqueue.ServerMaxDeliver(7))
	for attempt := 1; attempt <= 2; attempt++ {
		s := receive(t, "a delivery", have)
		d := s.delivery
		if d.Stream != "JOBS" || d.Consumer != "worker" || d.Subject != "jobs.x" || d.Sequence != 1 || d.Attempt != attempt || d.Limit != 7 ||
			d.Pending != 0 || string(d.Data) != `{"n":7}` || s.job.N != 7 {
			t.Errorf("delivery %d: have %+v", attempt, d)
		}
		if d.Stored.Before(before.Add(-time.Second)) || d.Stored.After(time.Now().Add(time.Second)) || !strings.HasPrefix(d.ID(), "JOBS.worker.1.") {
			t.Errorf("stored %v, ID %q", d.Stored, d.ID())
		}
		if left := time.Until(s.deadline); left > time.Hour || left < time.Hour-patience {
			t.Errorf("want a deadline in an hour, have %v", left)
		}
		info := s.info
		if info.Transport != "workqueue" || info.Operation != "jobs/Do" || "nats://"+info.Peer != q.URL || info.TLS != nil || info.RequestSize != 7 {
			t.Errorf("have %+v", info)
		}
		if info.Request.Get("X-Tenant") != "masons" || len(info.Request.Values("X-TENANT")) != 2 || info.Request.Get("none") != "" {
			t.Errorf("have the header %v", info.Request)
		}
		info.Request.Set("X-Tenant", "forged")
		if n := 0; true {
			for range info.Request.All() {
				n++
			}
			if n != 1 || info.Request.Get("X-Tenant") != "masons" {
				t.Errorf("want the one field as it came, have %v", info.Request)
			}
		}
	}
	if workqueue.FromContext(t.Context()) != nil {
		t.Error("want no delivery outside of any")
	}
}

func TestMessagesAreReadByTheirContentType(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	binary, err := cbor.New().Append(nil, &job{2})
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range []nats.Msg{
		{Data: []byte(`{"n":1}`)},
		{Data: binary, Header: nats.Header{"Content-Type": {"application/cbor"}}},
		{Data: []byte(`{"n":3}`), Header: nats.Header{"content-type": {"application/vnd.shop+json; charset=utf-8"}}},
	} {
		msg.Subject = "jobs.do"
		q.publish(&msg)
	}
	have := make(chan int, 3)
	q.serve(func(_ context.Context, j *job) error { have <- j.N; return nil },
		workqueue.ServerOrdered(), workqueue.ServerCodecs(json.New(), cbor.New()))
	for want := 1; want <= 3; want++ {
		if n := receive(t, "a job", have); n != want {
			t.Errorf("want job %d, have %d", want, n)
		}
	}
}

// A request may be a value, and a codec may be asked for it by its address.
func TestRequestsMayBeValues(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	call, err := workqueue.NewClient[job](spec.Client(), q, "jobs.do")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call(t.Context(), job{5}); err != nil {
		t.Fatal(err)
	}
	have := make(chan job, 1)
	q.work(workqueue.NewServer(spec, func(_ context.Context, j job) (int, error) { have <- j; return 1, nil }))
	if j := receive(t, "the job", have); j.N != 5 {
		t.Errorf("have %v", j)
	}
}

func TestAPanicIsContainedAndTriedAgain(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	done, ended := outcomes()
	errs := make(chan error, 10)
	q.serve(func(context.Context, *job) error { panic("in the endpoint") }, done, workqueue.ServerMaxDeliver(2),
		workqueue.ServerDeadLetter("dead.do"), workqueue.ServerErrorHandler(func(_ context.Context, err error) { errs <- err }))
	for _, want := range []workqueue.Verdict{workqueue.Retried, workqueue.DeadLettered} {
		o := receive(t, "an outcome", ended)
		p, ok := errors.AsType[*endpoint.PanicError](o.Err)
		if o.Verdict != want || !ok || p.Value != "in the endpoint" || !strings.Contains(string(p.Stack), "server_test.go") {
			t.Errorf("want %v and the panic, have %v, %v", want, o.Verdict, o.Err)
		}
		if err := receive(t, "the error", errs); status.As(err).ID == "" || !errors.Is(err, o.Err) {
			t.Errorf("want the error of the outcome with an ID, have %v", err)
		}
	}
	if text := q.letter(1).Header.Get(workqueue.DeadError); strings.Contains(text, "in the endpoint") || !strings.Contains(text, `"id":"`) {
		t.Errorf("want an ID, and not what panicked, have %s", text)
	}
}

func TestPanicsOfHooksEndNothing(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	done, ended := outcomes()
	q.serve(func(context.Context, *job) error { return status.New(status.NotFound, "no") }, workqueue.ServerMaxDeliver(2),
		workqueue.ServerErrorHandler(func(context.Context, error) { panic("in the error handler") }),
		workqueue.ServerRetry(func(*status.Error) bool { panic("in the retry function") }),
		workqueue.ServerFinalizer(func(context.Context, workqueue.Outcome) { panic("in the finalizer") }), done)
	for _, want := range []workqueue.Verdict{workqueue.Retried, workqueue.Terminated} {
		if o := receive(t, "an outcome", ended); o.Verdict != want || status.CodeOf(o.Err) != status.NotFound {
			t.Errorf("want %v and not found, have %+v", want, o)
		}
	}
	for name, option := range map[string]workqueue.ServerOption{
		"before": workqueue.ServerBefore(func(context.Context) context.Context { panic("x") }),
		"after":  workqueue.ServerAfter(func(context.Context) { panic("x") }),
	} {
		q := newQueue(t)
		q.put(1)
		done, ended := outcomes()
		q.serve(func(context.Context, *job) error { return nil }, option, done, workqueue.ServerMaxDeliver(1))
		if o := receive(t, "an outcome", ended); o.Verdict != workqueue.Terminated || status.CodeOf(o.Err) != status.Internal {
			t.Errorf("%s: want terminated and internal, have %+v", name, o)
		}
	}
}

// brokenError is an error whose methods panic.
type brokenError struct{ text string }

func (e *brokenError) Error() string { return e.text }
func (e *brokenError) Unwrap() error { return errors.New(e.text) }

func TestAnErrorThatPanicsEndsNothing(t *testing.T) {
	t.Parallel()
	var broken *brokenError
	for name, row := range map[string]struct {
		err  error
		want status.Code
	}{
		"a nil pointer": {broken, status.Internal}, "the cause of a status": {status.New(status.Unavailable, "x").WithCause(broken), status.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t)
			q.put(1)
			done, ended := outcomes()
			q.serve(func(context.Context, *job) error { return row.err }, done, workqueue.ServerMaxDeliver(2), workqueue.ServerDeadLetter("dead.do"))
			for _, want := range []workqueue.Verdict{workqueue.Retried, workqueue.DeadLettered} {
				if o := receive(t, "an outcome", ended); o.Verdict != want || status.CodeOf(o.Err) != row.want {
					t.Errorf("want %v and %v, have %v and %v", want, row.want, o.Verdict, status.CodeOf(o.Err))
				}
			}
		})
	}
}

func TestAHookWithoutAContextEndsNothing(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	done, ended := outcomes()
	q.serve(nothing, done, workqueue.ServerMaxDeliver(1), workqueue.ServerDeadLetter("dead.do"),
		workqueue.ServerBefore(func(context.Context) context.Context { return nil }))
	o := receive(t, "an outcome", ended)
	if p, ok := errors.AsType[*endpoint.PanicError](o.Err); !ok || p.Value != "a ServerBefore hook returned a nil context" || o.Verdict != workqueue.DeadLettered {
		t.Errorf("want a dead letter, and what the hook did, have %v, %v", o.Verdict, o.Err)
	}
}

func TestAnEndpointThatEndsItsGoroutineKeepsNoSlot(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(3)
	done, ended := outcomes()
	q.serve(func(context.Context, *job) error { runtime.Goexit(); return nil }, done,
		workqueue.ServerConcurrency(1), workqueue.ServerMaxDeliver(1))
	for range 3 {
		if o := receive(t, "an outcome", ended); o.Verdict != workqueue.Terminated || status.CodeOf(o.Err) != status.Internal {
			t.Errorf("want terminated and internal, have %+v", o)
		}
	}
}
