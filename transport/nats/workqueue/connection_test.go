package workqueue_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

func TestAnotherWorkerGetsWhatADeadOneHad(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(3)
	js := q.connect()
	began := make(chan struct{}, 3)
	q.work(server(func(ctx context.Context, _ *job) error { began <- struct{}{}; <-ctx.Done(); return ctx.Err() },
		workqueue.ServerAckWait(300*time.Millisecond)), js)
	for range 3 {
		receive(t, "a job", began)
	}
	js.Conn().Close() // as when the process dies
	attempts := make(chan int, 3)
	q.serve(func(ctx context.Context, _ *job) error { attempts <- workqueue.FromContext(ctx).Attempt; return nil },
		workqueue.ServerAckWait(300*time.Millisecond))
	for range 3 {
		if attempt := receive(t, "the job", attempts); attempt != 2 {
			t.Errorf("want the second attempt, have %d", attempt)
		}
	}
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
}

func TestWorkGoesOnThroughAShortOutage(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	js := q.connect()
	errs := make(chan error, 10)
	began, hold := make(chan struct{}, 2), make(chan struct{})
	done, ended := outcomes()
	w := q.work(server(func(ctx context.Context, j *job) error {
		began <- struct{}{}
		if j.N == 1 {
			<-hold
		}
		return ctx.Err()
	}, done, workqueue.ServerAckWait(time.Minute), workqueue.ServerErrorHandler(func(_ context.Context, err error) { errs <- err })), js)
	receive(t, "the job", began)
	q.Kill()
	if err := receive(t, "the report", errs); !strings.Contains(err.Error(), "the connection is lost") {
		t.Errorf("want that the connection is lost, have %v", err)
	}
	close(hold) // its acknowledgement waits for the connection
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Acknowledged {
		t.Errorf("want acknowledged, have %+v", o)
	}
	q.Start()
	q.until("the acknowledgement", func() bool { return q.Conn().IsConnected() && q.stored("JOBS") == 0 })
	q.put(1) // and it asks again
	receive(t, "a job after the outage", began)
	if err := w.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(errs); n != 0 {
		t.Errorf("want nothing else reported, have %v", <-errs)
	}
}

func TestDrainSaysThatAcknowledgementsHaveNotArrived(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	began, hold := make(chan struct{}, 1), make(chan struct{})
	done, ended := outcomes()
	w := q.work(server(func(context.Context, *job) error { began <- struct{}{}; <-hold; return nil }, done), q.connect())
	receive(t, "the job", began)
	q.Kill()
	close(hold)
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Acknowledged {
		t.Errorf("want acknowledged, have %+v", o)
	}
	if err := w.Drain(t.Context()); err == nil || !strings.Contains(err.Error(), "bringing the last acknowledgements") {
		t.Errorf("want that they have not arrived, have %v", err)
	}
}

func TestTheContextEndsWhenTheMessageIsLost(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	began := make(chan struct{}, 1)
	done, ended := outcomes()
	var attempt atomic.Int32
	q.work(server(func(ctx context.Context, _ *job) error {
		if attempt.Add(1) > 1 {
			return nil
		}
		began <- struct{}{}
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), workqueue.ErrLost) {
			t.Errorf("want the cause %v, have %v", workqueue.ErrLost, context.Cause(ctx))
		}
		return ctx.Err()
	}, done, workqueue.ServerAckWait(300*time.Millisecond)), q.connect())
	receive(t, "the job", began)
	q.Stop()
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Lost || status.CodeOf(o.Err) != status.Canceled {
		t.Errorf("want lost, have %+v", o)
	}
	q.Start()
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Acknowledged {
		t.Errorf("want acknowledged, have %+v", o)
	}
}

// ledger is what a thousand jobs did: each must have had its effect, or have a dead letter, exactly once.
type ledger struct {
	done []atomic.Int32 // by number: the job had its effect
}

// errFlaky is what jobs fail with that may succeed later.
var errFlaky = status.New(status.Unavailable, "flaky")

// do is a job that fails at random, and whose number says whether it can ever succeed. Its effect is idempotent, as that of a job must be.
func (l *ledger) do(_ context.Context, j *job) error {
	switch n := rand.N(10); {
	case j.N%50 == 0:
		return status.New(status.NotFound, "never")
	case n == 0:
		panic("at random")
	case n < 4:
		return errFlaky
	}
	l.done[j.N].CompareAndSwap(0, 1)
	return nil
}

// check compares what happened with the dead letters.
func (l *ledger) check(t *testing.T, js jetstream.JetStream, jobs int) {
	t.Helper()
	stream, err := js.Stream(t.Context(), "DEAD")
	if err != nil {
		t.Fatal(err)
	}
	dead := make(map[string]int)
	last := stream.CachedInfo().State.LastSeq
	for n := uint64(1); n <= last; n++ {
		msg, err := stream.GetMsg(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		dead[string(msg.Data)]++
	}
	for n := 1; n <= jobs; n++ {
		data := jobData(n)
		switch done, letters := l.done[n].Load(), dead[data]; {
		case n%50 == 0 && (done != 0 || letters != 1):
			t.Errorf("job %d: want a dead letter, have %d of it done and %d letters", n, done, letters)
		case int(done)+letters != 1:
			t.Errorf("job %d is lost or doubled: done %d, letters %d", n, done, letters)
		}
	}
}

func TestAThousandJobsThroughARestartOfTheServer(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	const jobs = 1000
	l := &ledger{done: make([]atomic.Int32, jobs+1)}
	for i := range 3 {
		opts := []workqueue.ServerOption{
			workqueue.ServerDeadLetter("dead.do"), workqueue.ServerMaxDeliver(50), workqueue.ServerAckWait(time.Second),
			workqueue.ServerConcurrency(10), workqueue.ServerBackoff(10*time.Millisecond, 100*time.Millisecond),
		}
		if i == 0 {
			opts = append(opts, workqueue.ServerDoubleAck())
		}
		q.work(server(l.do, opts...), q.connect())
	}
	call := client(t, q.JetStream, workqueue.ClientMessageID(func(j *job) string { return jobData(j.N) }))
	for n := 1; n <= jobs; n++ {
		switch n {
		case jobs / 3:
			q.Kill()
			q.Start()
		case 2 * jobs / 3:
			q.Stop()
			q.Start()
		}
		for _, err := call(t.Context(), &job{n}); err != nil; _, err = call(t.Context(), &job{n}) { // safe to repeat
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
		}
	}
	q.until("the queue to be empty", func() bool { return q.stored("JOBS") == 0 })
	l.check(t, q.JetStream, jobs)
	if n := q.stored("DEAD"); n < jobs/50 {
		t.Errorf("want %d dead letters at least, have %d", jobs/50, n)
	}
}

func TestAClusterLosesItsLeaderAndNoMessage(t *testing.T) {
	t.Parallel()
	servers := testserver.StartNATSCluster(t, 3)
	urls := make([]string, len(servers))
	for i, s := range servers {
		urls[i] = s.URL
	}
	all := strings.Join(urls, ",")
	js := connect(t, all)
	const jobs = 200
	for name, subject := range map[string]string{"JOBS": "jobs.>", "DEAD": "dead.>"} {
		config := jetstream.StreamConfig{Name: name, Subjects: []string{subject}, Retention: jetstream.WorkQueuePolicy, Replicas: 3}
		until(t, "the stream "+name, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := js.CreateOrUpdateStream(ctx, config)
			return err == nil
		})
	}
	l := &ledger{done: make([]atomic.Int32, jobs+1)}
	s := server(l.do, workqueue.ServerDeadLetter("dead.do"), workqueue.ServerMaxDeliver(50), workqueue.ServerAckWait(2*time.Second))
	consumer, err := js.CreateOrUpdateConsumer(t.Context(), "JOBS", s.Config("worker"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w, err := s.Consume(t.Context(), connect(t, all), consumer)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Stop() })
	}
	call := client(t, js, workqueue.ClientMessageID(func(j *job) string { return jobData(j.N) }))
	for n := 1; n <= jobs; n++ {
		if n == jobs/2 {
			info, err := consumer.Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range servers {
				if info.Cluster.Leader == "n"+string(rune('0'+i)) {
					s.Kill()
				}
			}
		}
		until(t, "a job to be stored", func() bool {
			_, err := call(t.Context(), &job{n})
			return err == nil
		})
	}
	until(t, "the queue to be empty", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stream, err := js.Stream(ctx, "JOBS")
		return err == nil && stream.CachedInfo().State.Msgs == 0
	})
	l.check(t, js, jobs)
}
