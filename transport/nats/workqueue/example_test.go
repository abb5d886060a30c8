package workqueue_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

type resize struct {
	Image string
	Width int
}

// service is the business logic, which knows of no queue.
type service struct{ out func(text string) }

func (s *service) resize(ctx context.Context, r resize) (struct{}, error) {
	if r.Width <= 0 {
		return struct{}{}, status.Invalid(status.Violation{Field: "Width", Description: "must be positive"})
	}
	if workqueue.FromContext(ctx).Attempt == 1 {
		return struct{}{}, status.New(status.Unavailable, "the image store is restarting")
	}
	s.out(fmt.Sprintf("%s is %d wide", r.Image, r.Width))
	return struct{}{}, nil
}

// run is the program of docs/transport-nats-workqueue.md, with the address of the server and where it prints.
func run(ctx context.Context, url string, out func(text string)) error {
	conn, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	for name, subject := range map[string]string{"JOBS": "jobs.>", "DEAD": "dead.>"} {
		if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: []string{subject}, Retention: jetstream.WorkQueuePolicy,
		}); err != nil {
			return err
		}
	}

	spec := endpoint.Spec{Service: "images", Method: "Resize", Idempotent: true}
	svc := &service{out}
	ended := make(chan workqueue.Outcome, 2)
	server := workqueue.NewServer(spec, endpoint.New(spec, svc.resize, endpoint.Recover()),
		workqueue.ServerDeadLetter("dead.resize"),
		workqueue.ServerBackoff(10*time.Millisecond, time.Second),
		workqueue.ServerErrorHandler(func(context.Context, error) {}), // else what ends a message is logged
		workqueue.ServerFinalizer(func(_ context.Context, o workqueue.Outcome) {
			if o.Verdict != workqueue.Retried {
				ended <- o
			}
		}))
	config := server.Config("resize")
	config.FilterSubject = "jobs.resize"
	consumer, err := js.CreateOrUpdateConsumer(ctx, "JOBS", config)
	if err != nil {
		return err
	}
	worker, err := server.Consume(ctx, js, consumer)
	if err != nil {
		return err
	}

	enqueue, err := workqueue.NewClient[resize](spec.Client(), js, "jobs.resize",
		workqueue.ClientMessageID(func(r resize) string { return fmt.Sprint(r.Image, r.Width) }))
	if err != nil {
		return err
	}
	for _, request := range []resize{{"cat.png", 640}, {"cat.png", 640}, {"dog.png", -1}} {
		receipt, err := enqueue(ctx, request)
		if err != nil {
			return err
		}
		out(fmt.Sprintf("%s %d, duplicate: %t", receipt.Stream, receipt.Sequence, receipt.Duplicate))
	}
	for range 2 {
		o := <-ended
		out(fmt.Sprintf("%v: %v", o.Verdict, status.CodeOf(o.Err)))
	}
	return worker.Drain(ctx)
}

// Several goroutines print, so that it is a test and no example with an output.
func TestTheExampleOfTheDocumentation(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	var have notes
	if err := run(t.Context(), q.URL, func(text string) { have.add("%s", text) }); err != nil {
		t.Fatal(err)
	}
	lines := make(map[string]int)
	for _, text := range have.all() {
		lines[text]++
	}
	for _, want := range []string{
		"JOBS 1, duplicate: false", "JOBS 1, duplicate: true", "JOBS 2, duplicate: false", "dead lettered: invalid_argument", "cat.png is 640 wide",
		"acknowledged: ok",
	} {
		if lines[want] != 1 {
			t.Errorf("want %q once, have %q", want, have.all())
		}
	}
	if n := len(have.all()); n != 6 {
		t.Errorf("want 6 lines, have %q", have.all())
	}
}

func ExampleServer_Config() {
	spec := endpoint.Spec{Service: "images", Method: "Resize"}
	server := workqueue.NewServer(spec, new(service).resize, workqueue.ServerConcurrency(4), workqueue.ServerAckWait(time.Minute))

	config := server.Config("resize")
	config.FilterSubject = "jobs.resize"
	fmt.Println(config.Durable, config.FilterSubject, config.AckPolicy, config.AckWait, config.MaxDeliver, config.MaxAckPending)
	// Output: resize jobs.resize AckExplicit 1m0s -1 10000
}

// A worker works until the program is to end, and has a limited time to finish.
func ExampleServer_Consume() {
	work := func(ctx context.Context, js jetstream.JetStream, server *workqueue.Server) error {
		consumer, err := js.CreateOrUpdateConsumer(ctx, "JOBS", server.Config("resize"))
		if err != nil {
			return err
		}
		worker, err := server.Consume(ctx, js, consumer)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-worker.Closed(): // the consumer was deleted, or the connection closed
			return worker.Err()
		}
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		return worker.Drain(limit)
	}
	_ = work // with a server of yours
	// Output:
}
