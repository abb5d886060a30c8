package workqueue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

func TestRequestsThatExpireAreMadeAgain(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	began := make(chan struct{}, 100)
	hold := make(chan struct{})
	const expires = 200 * time.Millisecond
	q.serve(func(context.Context, *job) error { began <- struct{}{}; <-hold; return nil },
		workqueue.ServerConcurrency(4), workqueue.ServerPull(expires, expires/2),
		workqueue.ServerErrorHandler(func(_ context.Context, err error) { t.Errorf("want nothing reported, have %v", err) }))
	for range 5 {
		after(t.Context(), expires)
		if n := q.info().NumWaiting; n > 1 {
			t.Errorf("want one request at a time, have %d", n)
		}
	}
	q.put(10)
	for range 4 {
		receive(t, "a job", began)
	}
	after(t.Context(), 2*expires)
	if info := q.info(); info.NumAckPending != 4 || info.NumWaiting != 0 || len(began) != 0 {
		t.Errorf("want 4 at work and nothing asked for, have %d and %d", info.NumAckPending, info.NumWaiting)
	}
	close(hold)
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
}

func TestTheAPIOfJetStreamMayBeElsewhere(t *testing.T) {
	t.Parallel()
	q := &queue{t: t, NATS: testserver.StartNATS(t, fmt.Sprintf("jetstream: {domain: hub, store_dir: %q}", t.TempDir()))}
	q.JetStream = q.connect()
	q.stream("JOBS", "jobs.>")
	for name, connect := range map[string]func(*nats.Conn) (jetstream.JetStream, error){
		"a domain":             func(c *nats.Conn) (jetstream.JetStream, error) { return jetstream.NewWithDomain(c, "hub") },
		"a prefix":             func(c *nats.Conn) (jetstream.JetStream, error) { return jetstream.NewWithAPIPrefix(c, "$JS.hub.API.") },
		"a prefix without dot": func(c *nats.Conn) (jetstream.JetStream, error) { return jetstream.NewWithAPIPrefix(c, "$JS.hub.API") },
	} {
		js, err := connect(q.Conn())
		if err != nil {
			t.Fatal(err)
		}
		began := make(chan struct{}, 1)
		w := q.work(server(func(context.Context, *job) error { began <- struct{}{}; return nil }), js)
		if _, err := client(t, js)(t.Context(), &job{1}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		receive(t, "the job by "+name, began)
		if err := w.Drain(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is asked for follows what there is room for, also when some of an earlier request is still to come.
func TestRoomIsAskedForInTime(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	began, hold := make(chan struct{}, 10), make(chan struct{})
	done, ended := outcomes()
	q.serve(func(_ context.Context, j *job) error {
		began <- struct{}{}
		if j.N > 1 {
			<-hold
		}
		return nil
	}, done, workqueue.ServerConcurrency(4))
	q.put(1)
	receive(t, "the end of a short job", ended)
	receive(t, "its beginning", began)
	if n := q.info().NumWaiting; n != 1 {
		t.Errorf("want no further request for one message, have %d", n)
	}
	q.put(1)
	receive(t, "the end of another short job", ended)
	receive(t, "its beginning", began)
	q.until("a request for two", func() bool { return q.info().NumWaiting == 2 })
	q.put(5) // of which one is short, and the others take all the room that there is
	for range 5 {
		receive(t, "a job", began)
	}
	close(hold)
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
}

// What is worked on is no room, also when the requests begin anew.
func TestAWorkerHasNoMoreThanItCanBeginAfterARestartOfTheServer(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(2)
	began, hold := make(chan struct{}, 10), make(chan struct{})
	defer close(hold)
	q.serve(func(context.Context, *job) error { began <- struct{}{}; <-hold; return nil }, workqueue.ServerConcurrency(3))
	receive(t, "a job", began)
	receive(t, "a job", began)
	q.Stop()
	q.Start()
	q.until("the connection", q.Conn().IsConnected)
	q.put(3)
	receive(t, "a job after the restart", began)
	if info := q.info(); info.NumAckPending != 3 || info.NumWaiting != 0 || len(began) != 0 {
		t.Errorf("want 3 at work and nothing asked for, have %d and %d, and %d more began", info.NumAckPending, info.NumWaiting, len(began))
	}
}

func TestAServerThatHangsIsReportedAndSurvived(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	began := make(chan struct{}, 10)
	errs := make(chan error, 100)
	w := q.work(server(func(context.Context, *job) error { began <- struct{}{}; return nil }, workqueue.ServerPull(time.Second, 100*time.Millisecond),
		workqueue.ServerErrorHandler(func(_ context.Context, err error) { errs <- err })), q.connect())
	q.put(1)
	receive(t, "a job", began)
	q.Suspend()
	if err := receive(t, "the report", errs); !strings.Contains(err.Error(), "JetStream does not answer") {
		t.Errorf("want that it does not answer, have %v", err)
	}
	q.Resume()
	q.put(1)
	receive(t, "a job", began)
	if err := w.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 && q.info().NumAckPending == 0 })
}

// More requests than the consumer holds are no silent loss of a worker.
func TestMoreWorkersThanTheConsumerHoldsAreReported(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	errs := make(chan error, 100)
	s := server(nothing, workqueue.ServerPull(time.Second, 100*time.Millisecond),
		workqueue.ServerErrorHandler(func(_ context.Context, err error) { errs <- err }))
	config := s.Config("worker")
	config.MaxWaiting = 1
	consumer, err := q.CreateConsumer(t.Context(), "JOBS", config)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w, err := s.Consume(t.Context(), q.JetStream, consumer)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Stop() })
	}
	if err := receive(t, "the report", errs); !strings.Contains(err.Error(), "MaxWaiting") {
		t.Errorf("want that there are too many, have %v", err)
	}
}
