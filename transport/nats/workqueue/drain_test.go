package workqueue_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

func TestDrainFinishesWhatIsWorkedOnAndGivesBackTheRest(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	const size, jobs = 4, 20
	q.put(jobs)
	began, hold := make(chan struct{}, jobs), make(chan struct{})
	done, ended := outcomes()
	w := q.serve(func(ctx context.Context, _ *job) error { began <- struct{}{}; <-hold; return ctx.Err() }, done, workqueue.ServerConcurrency(size))
	for range size {
		receive(t, "a job", began)
	}
	var drains sync.WaitGroup
	for range 3 {
		drains.Go(func() {
			if err := w.Drain(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	select {
	case <-w.Closed():
		t.Error("it has ended before its work")
	case <-time.After(50 * time.Millisecond):
	}
	close(hold)
	drains.Wait()
	receive(t, "the end", w.Closed())
	if err := errors.Join(w.Drain(t.Context()), w.Stop(), w.Err()); err != nil {
		t.Errorf("once more: %v", err)
	}
	if n := len(ended); n != size {
		t.Errorf("want %d messages ended, have %d", size, n)
	}
	q.until("nothing to be with the worker, and the rest in the stream", func() bool { // JetStream is told, and does not answer
		return q.info().NumAckPending == 0 && q.stored("JOBS") == jobs-size
	})
	var again atomic.Int32
	q.serve(func(context.Context, *job) error {
		again.Add(1)
		return nil
	})
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
	if n := again.Load(); n != jobs-size {
		t.Errorf("want %d others, have %d", jobs-size, n)
	}
}

// While messages stream in, drains lose none, and nothing that was given back waits for the AckWait.
func TestDrainsUnderLoadLoseNothing(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	const jobs = 2000
	var have [jobs + 1]atomic.Int32
	e := func(_ context.Context, j *job) error { have[j.N].Add(1); return nil }
	q.put(jobs)
	began := time.Now()
	for q.stored("JOBS") > 0 {
		s := server(e, workqueue.ServerConcurrency(50), workqueue.ServerAckWait(time.Minute), workqueue.ServerMaxDeliver(1000))
		w, err := s.Consume(t.Context(), q.JetStream, q.consumer(s))
		if err != nil {
			t.Fatal(err)
		}
		after(t.Context(), 5*time.Millisecond)
		if err := w.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if d := time.Since(began); d > patience {
		t.Errorf("it took %v, so that something waited for its AckWait", d)
	}
	for n := 1; n <= jobs; n++ {
		if count := have[n].Load(); count != 1 {
			t.Errorf("want job %d once, have %d", n, count)
		}
	}
}

func TestStopCutsOffAndGivesBack(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(2)
	began := make(chan struct{}, 2)
	done, ended := outcomes()
	w := q.serve(func(ctx context.Context, _ *job) error {
		began <- struct{}{}
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), workqueue.ErrStopped) {
			t.Errorf("want the cause %v, have %v", workqueue.ErrStopped, context.Cause(ctx))
		}
		return ctx.Err()
	}, done, workqueue.ServerBackoff(time.Hour, time.Hour))
	receive(t, "a job", began)
	receive(t, "a job", began)
	if err := w.Stop(); !errors.Is(err, workqueue.ErrStopped) || w.Err() != nil {
		t.Errorf("want that work was cut off, have %v, %v", err, w.Err())
	}
	for range 2 {
		if o := receive(t, "an outcome", ended); o.Verdict != workqueue.Released || status.CodeOf(o.Err) != status.Canceled {
			t.Errorf("want released, have %+v", o)
		}
	}
	q.serve(func(context.Context, *job) error { return nil })
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
}

func TestStopDoesNotWaitForAnEndpointThatHeedsNothing(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	began, hold := make(chan struct{}, 1), make(chan error)
	done, ended := outcomes()
	w := q.serve(func(context.Context, *job) error { began <- struct{}{}; return <-hold }, done, workqueue.ServerAckWait(time.Minute))
	receive(t, "the job", began)
	if err := w.Stop(); !errors.Is(err, workqueue.ErrStopped) {
		t.Errorf("want that work was cut off, have %v", err)
	}
	q.serve(func(context.Context, *job) error { return nil }, workqueue.ServerAckWait(time.Minute))
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 }) // and not after the AckWait
	hold <- status.New(status.Unavailable, "late")
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Lost {
		t.Errorf("want lost, have %+v", o)
	}
}

// What was answered already is not given back with the rest: that would end its delay.
func TestStopLeavesAnAnswerAsItIs(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	signs, err := q.Conn().SubscribeSync("$JS.ACK.JOBS.worker.>")
	if err != nil {
		t.Fatal(err)
	}
	q.put(1)
	hold := make(chan struct{})
	defer close(hold)
	w := q.serve(func(context.Context, *job) error {
		return status.New(status.Unavailable, "busy").WithRetryAfter(time.Hour)
	},
		workqueue.ServerFinalizer(func(context.Context, workqueue.Outcome) { <-hold }))
	if msg, err := signs.NextMsg(patience); err != nil || string(msg.Data) != `-NAK {"delay": 3600000000000}` {
		t.Fatalf("want that it is given back for an hour, have %v, %v", msg, err)
	}
	if err := w.Stop(); !errors.Is(err, workqueue.ErrStopped) {
		t.Errorf("want that the finalizer was not waited for, have %v", err)
	}
	if err := q.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := signs.Pending(); n != 0 || err != nil {
		t.Errorf("want nothing more about the message, have %d more, %v", n, err)
	}
}

// hanging keeps what is published until it may fail.
type hanging struct {
	jetstream.JetStream

	began, hold chan struct{}
}

func (h *hanging) PublishMsg(context.Context, *nats.Msg, ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	close(h.began)
	<-h.hold
	return nil, nats.ErrTimeout
}

// A message that was given back while its dead letter was stored is not given back again: others may have it.
func TestWhatWasGivenBackIsNotGivenBackAgain(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	h := &hanging{q.JetStream, make(chan struct{}), make(chan struct{})}
	done, ended := outcomes()
	w := q.work(server(func(context.Context, *job) error { return status.New(status.NotFound, "x") }, done, workqueue.ServerDeadLetter("dead.do")), h)
	receive(t, "the dead letter", h.began)
	if err := w.Stop(); !errors.Is(err, workqueue.ErrStopped) {
		t.Errorf("want that the work was cut off, have %v", err)
	}
	close(h.hold)
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Lost {
		t.Errorf("want lost, have %+v", o)
	}
}

func TestADeletedConsumerEndsTheWorker(t *testing.T) {
	t.Parallel()
	for name, idle := range map[string]bool{"idle": true, "at work": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t)
			errs := make(chan error, 10)
			began, hold := make(chan struct{}, 1), make(chan struct{})
			w := q.serve(func(context.Context, *job) error { began <- struct{}{}; <-hold; return nil },
				workqueue.ServerErrorHandler(func(ctx context.Context, err error) {
					if workqueue.FromContext(ctx) == nil {
						errs <- err
					}
				}))
			if idle {
				q.until("a request", func() bool { return q.info().NumWaiting == 1 })
			} else {
				q.put(1)
				receive(t, "the job", began)
			}
			if err := q.DeleteConsumer(t.Context(), "JOBS", "worker"); err != nil {
				t.Fatal(err)
			}
			if err := receive(t, "the report", errs); !errors.Is(err, jetstream.ErrConsumerDeleted) {
				t.Errorf("want that it was deleted, have %v", err)
			}
			close(hold)
			receive(t, "the end", w.Closed())
			if err := w.Err(); !errors.Is(err, jetstream.ErrConsumerDeleted) {
				t.Errorf("want that it was deleted, have %v", err)
			}
			if err := w.Drain(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAClosedConnectionEndsTheWorker(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	js := q.connect()
	w := q.work(server(func(context.Context, *job) error { return nil }), js)
	js.Conn().Close()
	receive(t, "the end", w.Closed())
	if err := w.Err(); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("want that it was closed, have %v", err)
	}
}

func TestAClosedConnectionEndsTheContextAtOnce(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	js := q.connect()
	began, causes := make(chan struct{}, 1), make(chan error, 1)
	w := q.work(server(func(ctx context.Context, _ *job) error {
		began <- struct{}{}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return ctx.Err()
	}, workqueue.ServerAckWait(time.Hour)), js)
	receive(t, "the job", began)
	js.Conn().Close()
	if err := receive(t, "the end of the context", causes); !errors.Is(err, workqueue.ErrLost) {
		t.Errorf("want %v, have %v", workqueue.ErrLost, err)
	}
	receive(t, "the end of the worker", w.Closed())
}
