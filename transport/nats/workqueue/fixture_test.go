package workqueue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

var spec = endpoint.Spec{Service: "jobs", Method: "Do"}

type job struct {
	N int `json:"n"`
}

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// queue is a server with a stream of jobs and one of dead letters.
type queue struct {
	*testserver.NATS
	jetstream.JetStream

	t testing.TB
}

// newQueue starts a server with the streams JOBS of jobs.> and DEAD of dead.>.
func newQueue(t testing.TB) *queue {
	t.Helper()
	q := &queue{t: t, NATS: testserver.StartNATS(t)}
	q.JetStream = q.connect()
	q.stream("JOBS", "jobs.>")
	q.stream("DEAD", "dead.>")
	return q
}

// connect returns a JetStream of a connection of its own.
func (q *queue) connect(opts ...nats.Option) jetstream.JetStream {
	q.t.Helper()
	return connect(q.t, q.URL, opts...)
}

func connect(t testing.TB, url string, opts ...nats.Option) jetstream.JetStream {
	t.Helper()
	opts = append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond), nats.ReconnectJitter(0, 0)}, opts...)
	conn, err := nats.Connect(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func (q *queue) stream(name string, subjects ...string) {
	q.t.Helper()
	_, err := q.CreateStream(q.t.Context(), jetstream.StreamConfig{Name: name, Subjects: subjects, Retention: jetstream.WorkQueuePolicy})
	if err != nil {
		q.t.Fatal(err)
	}
}

// consumer creates the consumer that the server needs.
func (q *queue) consumer(s *workqueue.Server) jetstream.Consumer {
	q.t.Helper()
	c, err := q.CreateOrUpdateConsumer(q.t.Context(), "JOBS", s.Config("worker"))
	if err != nil {
		q.t.Fatal(err)
	}
	return c
}

// work starts a worker that is stopped with the test.
func (q *queue) work(s *workqueue.Server, js ...jetstream.JetStream) *workqueue.Worker {
	q.t.Helper()
	w, err := s.Consume(q.t.Context(), append(js, q.JetStream)[0], q.consumer(s))
	if err != nil {
		q.t.Fatal(err)
	}
	q.t.Cleanup(func() { _ = w.Stop() })
	return w
}

// serve starts a worker of e, quiet unless the options say otherwise.
func (q *queue) serve(e func(ctx context.Context, j *job) error, opts ...workqueue.ServerOption) *workqueue.Worker {
	q.t.Helper()
	return q.work(server(e, opts...))
}

// server returns a server of e that backs off shortly and is quiet.
func server(e func(ctx context.Context, j *job) error, opts ...workqueue.ServerOption) *workqueue.Server {
	opts = append([]workqueue.ServerOption{
		workqueue.ServerBackoff(time.Millisecond, 10*time.Millisecond),
		workqueue.ServerErrorHandler(func(context.Context, error) {}),
	}, opts...)
	return workqueue.NewServer(spec, func(ctx context.Context, j *job) (struct{}, error) { return struct{}{}, e(ctx, j) }, opts...)
}

// put stores jobs with the numbers from 1 to n.
func (q *queue) put(n int) {
	q.t.Helper()
	call := client(q.t, q.JetStream)
	for i := range n {
		if _, err := call(q.t.Context(), &job{i + 1}); err != nil {
			q.t.Fatal(err)
		}
	}
}

func client(t testing.TB, js jetstream.JetStream, opts ...workqueue.ClientOption) endpoint.Endpoint[*job, workqueue.Receipt] {
	t.Helper()
	call, err := workqueue.NewClient[*job](spec.Client(), js, "jobs.do", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// jobData is the encoding of a job.
func jobData(n int) string { return fmt.Sprintf(`{"n":%d}`, n) }

// publish stores a message as anybody may.
func (q *queue) publish(msg *nats.Msg) {
	q.t.Helper()
	if _, err := q.PublishMsg(q.t.Context(), msg); err != nil {
		q.t.Fatal(err)
	}
}

// info asks for the consumer.
func (q *queue) info() *jetstream.ConsumerInfo {
	q.t.Helper()
	c, err := q.Consumer(q.t.Context(), "JOBS", "worker")
	if err != nil {
		q.t.Fatal(err)
	}
	return c.CachedInfo()
}

// stored returns how many messages a stream has.
func (q *queue) stored(name string) int {
	q.t.Helper()
	s, err := q.Stream(q.t.Context(), name)
	if err != nil {
		q.t.Fatal(err)
	}
	return int(s.CachedInfo().State.Msgs)
}

// letter waits for the dead letter of that number, from 1.
func (q *queue) letter(n int) *jetstream.RawStreamMsg {
	q.t.Helper()
	q.until("a dead letter", func() bool { return q.stored("DEAD") >= n })
	s, err := q.Stream(q.t.Context(), "DEAD")
	if err != nil {
		q.t.Fatal(err)
	}
	msg, err := s.GetMsg(q.t.Context(), uint64(n))
	if err != nil {
		q.t.Fatal(err)
	}
	return msg
}

// until waits until something is true.
func (q *queue) until(what string, is func() bool) {
	q.t.Helper()
	until(q.t, what, is)
}

func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("waiting for %s took too long", what)
		}
	}
}

// receive waits for a value.
func receive[T any](t testing.TB, what string, c <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(patience):
		t.Fatalf("waiting for %s took too long", what)
	}
	return value
}

// notes is what was written, in order.
type notes struct {
	mu    sync.Mutex
	texts []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, fmt.Sprintf(format, args...))
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.texts)
}

// outcomes collects what finalizers are told.
func outcomes() (workqueue.ServerOption, <-chan workqueue.Outcome) {
	c := make(chan workqueue.Outcome, 1000)
	return workqueue.ServerFinalizer(func(_ context.Context, o workqueue.Outcome) { c <- o }), c
}

// setResponse sets a header field of the result.
func setResponse(ctx context.Context, key, value string) {
	transport.FromContext(ctx).Response.Set(key, value)
}
