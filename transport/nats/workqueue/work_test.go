package workqueue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

// after waits until the time is over, or the context.
func after(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func TestLongWorkIsNotDeliveredAgain(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(3)
	done, ended := outcomes()
	const ackWait = 300 * time.Millisecond
	var deliveries atomic.Int32
	e := func(ctx context.Context, _ *job) error {
		deliveries.Add(1)
		after(ctx, 5*ackWait)
		return ctx.Err()
	}
	q.serve(e, done, workqueue.ServerAckWait(ackWait))
	q.serve(e, done, workqueue.ServerAckWait(ackWait)) // another one, who would get what is delivered again
	for range 3 {
		if o := receive(t, "an outcome", ended); o.Verdict != workqueue.Acknowledged {
			t.Errorf("want it acknowledged, have %+v", o)
		}
	}
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
	if n, delivered := deliveries.Load(), q.info().Delivered.Consumer; n != 3 || delivered != 3 {
		t.Errorf("want 3 deliveries, have %d of %d", n, delivered)
	}
}

// A sign of life behind the answer would have the message delivered after AckWait, and not after its delay.
func TestASlowFinalizerDoesNotChangeTheDelay(t *testing.T) {
	t.Parallel()
	const ackWait, delay = 100 * time.Millisecond, 1500 * time.Millisecond
	q := newQueue(t)
	signs, err := q.Conn().SubscribeSync("$JS.ACK.JOBS.worker.>")
	if err != nil {
		t.Fatal(err)
	}
	q.put(1)
	began := make(chan time.Time, 2)
	q.serve(func(context.Context, *job) error {
		began <- time.Now()
		return status.New(status.Unavailable, "busy").WithRetryAfter(delay)
	}, workqueue.ServerAckWait(ackWait), workqueue.ServerFinalizer(func(ctx context.Context, _ workqueue.Outcome) {
		if workqueue.FromContext(ctx).Attempt == 1 {
			after(ctx, 5*ackWait)
		}
	}))
	first := receive(t, "the first attempt", began)
	if d := receive(t, "the second attempt", began).Sub(first); d < delay-ackWait {
		t.Errorf("want the second attempt after %v, have %v", delay, d)
	}
	if msg, err := signs.NextMsg(patience); err != nil || !strings.HasPrefix(string(msg.Data), "-NAK") {
		t.Fatalf("want that it is given back, have %v, %v", msg, err)
	}
	if msg, err := signs.NextMsg(patience); err != nil || !strings.HasPrefix(string(msg.Data), "-NAK") {
		t.Errorf("want that the second attempt is given back, have %s, %v", msg.Data, err)
	}
}

func TestTheTimeLimitEndsTheContextAndTheHeartbeats(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	done, ended := outcomes()
	attempts := make(chan int, 10)
	const ackWait = 300 * time.Millisecond
	stubborn := make(chan struct{})
	q.serve(func(ctx context.Context, _ *job) error {
		attempt := workqueue.FromContext(ctx).Attempt
		attempts <- attempt
		switch attempt {
		case 1:
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) || !errors.Is(context.Cause(ctx), workqueue.ErrTimeLimit) {
				t.Errorf("want the deadline for the time limit, have %v for %v", ctx.Err(), context.Cause(ctx))
			}
			return ctx.Err()
		case 2:
			<-stubborn // it heeds no context
			return status.New(status.Unavailable, "late")
		}
		return nil
	}, done, workqueue.ServerAckWait(ackWait), workqueue.ServerTimeLimit(2*ackWait))
	if o := receive(t, "the first outcome", ended); o.Verdict != workqueue.Retried || status.CodeOf(o.Err) != status.DeadlineExceeded {
		t.Errorf("want retried for the deadline, have %+v", o)
	}
	if o := receive(t, "the third outcome", ended); o.Verdict != workqueue.Acknowledged {
		t.Errorf("want acknowledged, have %+v", o)
	}
	close(stubborn)
	if o := receive(t, "the second outcome", ended); o.Verdict != workqueue.Lost {
		t.Errorf("want lost, have %+v", o)
	}
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
	if n := len(attempts); n != 3 {
		t.Errorf("want 3 attempts, have %d", n)
	}
}

// most is a number that changes, and the most that it was.
type most struct {
	mu        sync.Mutex
	now, most int
}

func (m *most) add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now += n
	m.most = max(m.most, m.now)
}

func TestAWorkerHasNoMoreThanItCanBegin(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	const size, jobs = 5, 40
	q.put(jobs)
	hold := make(chan struct{})
	var now most
	began := make(chan string, jobs)
	e := func(name string) *workqueue.Server {
		return server(func(ctx context.Context, _ *job) error {
			now.add(1)
			defer now.add(-1)
			began <- name
			select {
			case <-hold:
			case <-ctx.Done():
			}
			return nil
		}, workqueue.ServerConcurrency(size))
	}
	q.work(e("first"))
	for range size {
		receive(t, "a job", began)
	}
	info := q.info()
	if info.NumAckPending != size || info.NumPending != jobs-size {
		t.Errorf("want %d messages fetched, have %d", size, info.NumAckPending)
	}
	q.work(e("second")) // which gets others at once
	for range size {
		if name := receive(t, "another job", began); name != "second" {
			t.Errorf("want the second worker to have it, have the %s", name)
		}
	}
	if info = q.info(); info.NumAckPending != 2*size {
		t.Errorf("want %d messages fetched, have %d", 2*size, info.NumAckPending)
	}
	close(hold)
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
	if now.most != 2*size {
		t.Errorf("want %d at once, have %d", 2*size, now.most)
	}
	if n := len(began); n != jobs-2*size {
		t.Errorf("want each job once, have %d more", n-(jobs-2*size))
	}
}

func TestOrderedWorkKeepsTheOrderThroughRetriesAndWorkers(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var have notes
	const jobs = 20
	e := func(ctx context.Context, j *job) error {
		d := workqueue.FromContext(ctx)
		have.add("%d/%d", j.N, d.Attempt)
		switch {
		case j.N%7 == 0:
			return status.New(status.NotFound, "x")
		case j.N%3 == 0 && d.Attempt == 1:
			return status.New(status.Unavailable, "x")
		}
		return nil
	}
	q.put(jobs)
	for range 3 {
		q.serve(e, workqueue.ServerOrdered(), workqueue.ServerDeadLetter("dead.do"))
	}
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
	var want []string
	for n := 1; n <= jobs; n++ {
		want = append(want, fmt.Sprintf("%d/1", n))
		if n%3 == 0 && n%7 != 0 {
			want = append(want, fmt.Sprintf("%d/2", n))
		}
	}
	if !slices.Equal(want, have.all()) {
		t.Errorf("want %v\nhave %v", want, have.all())
	}
}

func TestDoubleAckSeesAnAcknowledgementThatWasNotTaken(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	done, ended := outcomes()
	q.serve(func(context.Context, *job) error { return nil }, done, workqueue.ServerDoubleAck())
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Acknowledged || o.Err != nil {
		t.Errorf("want acknowledged, have %+v", o)
	}
	if info := q.info(); info.NumAckPending != 0 || info.AckFloor.Stream != 1 {
		t.Errorf("want it acknowledged when the finalizer runs, have %+v", info)
	}
	for _, row := range []struct {
		opts []workqueue.ServerOption
		want workqueue.Verdict
	}{{nil, workqueue.Acknowledged}, {[]workqueue.ServerOption{workqueue.ServerDoubleAck()}, workqueue.Lost}} {
		q := newQueue(t)
		q.put(1)
		done, ended := outcomes()
		q.serve(func(ctx context.Context, _ *job) error { return q.DeleteStream(ctx, "JOBS") },
			append(row.opts, done, workqueue.ServerAckWait(500*time.Millisecond))...)
		if o := receive(t, "the outcome", ended); o.Verdict != row.want {
			t.Errorf("want %v, have %+v", row.want, o)
		}
	}
}

func TestResultsAreStoredBeforeTheAcknowledgement(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.stream("RESULTS", "results.>")
	q.put(1)
	crashing := q.connect()
	done, ended := outcomes()
	s := workqueue.NewServer(spec, func(_ context.Context, j *job) (*job, error) { return &job{N: 2 * j.N}, nil },
		workqueue.ServerResults("results.do"), workqueue.ServerAckWait(300*time.Millisecond), done,
		workqueue.ServerErrorHandler(func(context.Context, error) {}),
		workqueue.ServerAfter(func(ctx context.Context) { setResponse(ctx, "X-Sum", "yes") }))
	w, err := s.Consume(t.Context(), &deaf{JetStream: crashing}, q.consumer(s))
	if err != nil {
		t.Fatal(err)
	}
	if o := receive(t, "the first outcome", ended); o.Verdict != workqueue.Lost {
		t.Errorf("want lost, have %+v", o)
	}
	receive(t, "the end of the worker", w.Closed())
	q.work(s)
	if o := receive(t, "the second outcome", ended); o.Verdict != workqueue.Acknowledged || o.ResponseSize != 7 || o.RequestSize != 7 {
		t.Errorf("want acknowledged, have %+v", o)
	}
	results, err := q.Stream(t.Context(), "RESULTS")
	if err != nil {
		t.Fatal(err)
	}
	if n := results.CachedInfo().State.Msgs; n != 1 {
		t.Errorf("want one result of two deliveries, have %d", n)
	}
	msg, err := results.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if string(msg.Data) != `{"n":2}` || msg.Header.Get("Content-Type") != "application/json" || msg.Header.Get("X-Sum") != "yes" {
		t.Errorf("have %s, %v", msg.Data, msg.Header)
	}
}

func TestAResultThatCannotBeStoredIsAnotherAttempt(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.stream("RESULTS", "results.>")
	done, ended := outcomes()
	s := workqueue.NewServer(spec, func(_ context.Context, j *job) (*job, error) { return j, nil }, workqueue.ServerResults("results.do"), done,
		workqueue.ServerErrorHandler(func(context.Context, error) {}))
	q.work(s)
	if err := q.DeleteStream(t.Context(), "RESULTS"); err != nil {
		t.Fatal(err)
	}
	q.put(1)
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Retried || status.CodeOf(o.Err) != status.Unavailable || !errors.Is(o.Err, jetstream.ErrNoStreamResponse) {
		t.Errorf("want retried, have %+v", o)
	}
}
