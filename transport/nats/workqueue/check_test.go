package workqueue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

func nothing(context.Context, *job) error { return nil }

func TestConfigIsWhatAServerNeeds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		opts []workqueue.ServerOption
		want jetstream.ConsumerConfig
	}{
		{nil, jetstream.ConsumerConfig{AckWait: 30 * time.Second, MaxAckPending: 10_000}},
		{[]workqueue.ServerOption{workqueue.ServerAckWait(time.Minute), workqueue.ServerMaxAckPending(50)},
			jetstream.ConsumerConfig{AckWait: time.Minute, MaxAckPending: 50}},
		{[]workqueue.ServerOption{workqueue.ServerOrdered(), workqueue.ServerMaxAckPending(50)},
			jetstream.ConsumerConfig{AckWait: 30 * time.Second, MaxAckPending: 1}},
	} {
		row.want.Durable, row.want.MaxDeliver, row.want.AckPolicy = "d", -1, jetstream.AckExplicitPolicy
		if have := server(nothing, row.opts...).Config("d"); fmt.Sprint(have) != fmt.Sprint(row.want) {
			t.Errorf("want %+v\nhave %+v", row.want, have)
		}
	}
	if have := server(nothing).Operation(); have != "jobs/Do" {
		t.Errorf("have %s", have)
	}
}

func TestAConsumerThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	if _, err := q.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ALL", Subjects: []string{"all.>"}}); err != nil {
		t.Fatal(err)
	}
	for i, row := range []struct {
		name string
		make func(c *jetstream.ConsumerConfig)
		opts []workqueue.ServerOption
		want []string
	}{
		{"as it should be", func(*jetstream.ConsumerConfig) {}, nil, nil},
		{"a longer AckWait", func(c *jetstream.ConsumerConfig) { c.AckWait = time.Hour }, nil, nil},
		{"without a limit of pending messages", func(c *jetstream.ConsumerConfig) { c.MaxAckPending = -1 }, nil, nil},
		{"dead letters in another filter of the stream", func(c *jetstream.ConsumerConfig) { c.FilterSubject = "all.do.>" },
			[]workqueue.ServerOption{workqueue.ServerDeadLetter("all.dead")}, nil},

		{"not durable", func(c *jetstream.ConsumerConfig) { c.Durable = "" }, nil, []string{"not durable: set Durable"}},
		{"acknowledging nothing", func(c *jetstream.ConsumerConfig) { c.AckPolicy, c.MaxDeliver = jetstream.AckNonePolicy, 0 }, nil,
			[]string{`AckPolicy is AckNone: set it to explicit`}},
		{"several at once", func(c *jetstream.ConsumerConfig) {
			c.MaxDeliver, c.BackOff, c.MaxAckPending, c.HeadersOnly = 5, []time.Duration{time.Second}, 3, true
		}, nil, []string{
			"MaxDeliver is 5: set it to -1", "BackOff is set: remove it", "HeadersOnly is set: remove it",
			"MaxAckPending is 3: set it to 10000, or lower ServerConcurrency(16)",
		}},
		{"limits of requests", func(c *jetstream.ConsumerConfig) { c.MaxRequestBatch, c.MaxRequestExpires = 4, time.Second }, nil,
			[]string{"MaxRequestBatch is 4: remove it", "MaxRequestExpires is 1s: remove it"}},
		{"another AckWait", func(c *jetstream.ConsumerConfig) { c.AckWait = time.Second }, []workqueue.ServerOption{workqueue.ServerAckWait(time.Minute)},
			[]string{"AckWait is 1s: set it to 1m0s, or change ServerAckWait"}},
		{"too short an AckWait", func(c *jetstream.ConsumerConfig) { c.AckWait = time.Millisecond }, nil, []string{"AckWait is 1ms: set it to 100ms or more"}},
		{"not ordered", func(c *jetstream.ConsumerConfig) { c.MaxAckPending = 10 }, []workqueue.ServerOption{workqueue.ServerOrdered()},
			[]string{"MaxAckPending is 10: set it to 1 for ServerOrdered"}},
		{"priorities", func(c *jetstream.ConsumerConfig) {
			c.PriorityPolicy, c.PriorityGroups = jetstream.PriorityPolicyOverflow, []string{"a"}
		}, nil, []string{"PriorityGroups are set: remove them"}},
		{"dead letters that nobody takes", func(*jetstream.ConsumerConfig) {},
			[]workqueue.ServerOption{workqueue.ServerDeadLetter("nowhere"), workqueue.ServerResults("lost.results")},
			[]string{`ServerDeadLetter("nowhere"): no stream takes that subject`, `ServerResults("lost.results"): no stream takes that subject`}},
		{"dead letters that come back", func(*jetstream.ConsumerConfig) {}, []workqueue.ServerOption{workqueue.ServerDeadLetter("all.dead")},
			[]string{`ServerDeadLetter("all.dead"): the consumer would deliver that again; set its FilterSubject`}},
		{"dead letters that come back through one of several filters", func(c *jetstream.ConsumerConfig) {
			c.FilterSubjects = []string{"all.x.y", "all.*"}
		}, []workqueue.ServerOption{workqueue.ServerDeadLetter("all.dead")}, []string{"the consumer would deliver that again"}},
	} {
		config := server(nothing).Config(fmt.Sprintf("c%d", i))
		row.make(&config)
		consumer, err := q.CreateConsumer(t.Context(), "ALL", config)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		w, err := server(nothing, row.opts...).Consume(t.Context(), q.JetStream, consumer)
		if (err == nil) != (row.want == nil) {
			t.Errorf("%s: want an error: %t, have %v", row.name, row.want != nil, err)
		}
		if w != nil {
			_ = w.Stop()
		}
		rest := fmt.Sprint(err)
		for _, want := range row.want { // in this order
			_, after, found := strings.Cut(rest, want)
			if !found {
				t.Errorf("%s: want an error with %q, have %v", row.name, row.want, err)
			}
			rest = after
		}
	}
}

func TestConsumeNeedsAConsumerThatIsThere(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	s := server(nothing)
	consumer := q.consumer(s)
	if err := q.DeleteConsumer(t.Context(), "JOBS", "worker"); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() (*workqueue.Worker, error){
		"a deleted consumer": func() (*workqueue.Worker, error) { return s.Consume(t.Context(), q.JetStream, consumer) },
		"no consumer":        func() (*workqueue.Worker, error) { return s.Consume(t.Context(), q.JetStream, nil) },
		"no JetStream":       func() (*workqueue.Worker, error) { return s.Consume(t.Context(), nil, consumer) },
	} {
		if w, err := f(); w != nil || err == nil || !strings.HasPrefix(err.Error(), "workqueue: worker of jobs/Do: ") {
			t.Errorf("%s: want an error, have %v", name, err)
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		filter, subject string
		want            bool
	}{
		{"a.b", "a.b", true}, {"a.*", "a.b", true}, {"a.>", "a.b.c", true}, {">", "a", true}, {"*.b", "a.b", true}, {"*.*.c", "a.b.c", true},
		{"a.b", "a", false}, {"a", "a.b", false}, {"a.*", "a", false}, {"a.*", "a.b.c", false}, {"a.>", "a", false}, {"b.>", "a.b", false}, {"*", "a.b", false},
	} {
		if have := workqueue.Covers(row.filter, row.subject); have != row.want {
			t.Errorf("%s of %s: want %t, have %t", row.filter, row.subject, row.want, have)
		}
	}
}

func TestMistakesOfServersPanic(t *testing.T) {
	t.Parallel()
	var noCodec codec.Codec
	for name, row := range map[string]struct {
		want   string
		option workqueue.ServerOption
	}{
		"no codec":                  {"codec 0 of the set is nil", workqueue.ServerCodecs(noCodec)},
		"a nil middleware":          {"ServerMiddleware: function 0 is nil", workqueue.ServerMiddleware(nil)},
		"a nil before":              {"ServerBefore: function 0 is nil", workqueue.ServerBefore(nil)},
		"a nil after":               {"ServerAfter: function 0 is nil", workqueue.ServerAfter(nil)},
		"a nil finalizer":           {"ServerFinalizer: function 0 is nil", workqueue.ServerFinalizer(nil)},
		"a nil error handler":       {"ServerErrorHandler: function 0 is nil", workqueue.ServerErrorHandler(nil)},
		"a nil retry":               {"ServerRetry: function 0 is nil", workqueue.ServerRetry(nil)},
		"a nil decoder":             {"ServerDecoder: function 0 is nil", workqueue.ServerDecoder[*job](nil)},
		"a decoder of another type": {"ServerDecoder is a ", workqueue.ServerDecoder(func(context.Context, *workqueue.Delivery) (int, error) { return 0, nil })},
		"no concurrency":            {"ServerConcurrency(0): want 1 to 10000", workqueue.ServerConcurrency(0)},
		"too much concurrency":      {"ServerConcurrency(10001): want 1 to 10000", workqueue.ServerConcurrency(10_001)},
		"too little pending":        {"ServerConcurrency(16): want at most the ServerMaxAckPending of 15", workqueue.ServerMaxAckPending(15)},
		"nothing pending":           {"ServerMaxAckPending(0)", workqueue.ServerMaxAckPending(0)},
		"a short AckWait":           {"ServerAckWait(99ms): want at least 100ms", workqueue.ServerAckWait(99 * time.Millisecond)},
		"a short time limit":        {"ServerTimeLimit(0s): want at least 1ms", workqueue.ServerTimeLimit(0)},
		"no delivery":               {"ServerMaxDeliver(0): want 1 to 1000000", workqueue.ServerMaxDeliver(0)},
		"no backoff":                {"ServerBackoff(0s, 1s): want more than 0", workqueue.ServerBackoff(0, time.Second)},
		"a shrinking backoff":       {"ServerBackoff(2s, 1s)", workqueue.ServerBackoff(2*time.Second, time.Second)},
		"dead letters to all":       {`ServerDeadLetter("dead.>"): want a subject without wildcards`, workqueue.ServerDeadLetter("dead.>")},
		"dead letters to nobody":    {`ServerDeadLetter(""): want a subject`, workqueue.ServerDeadLetter("")},
		"results to two":            {`ServerResults("a b"): want a subject`, workqueue.ServerResults("a b")},
		"a nil option":              {"the list of options: function 0 is nil", nil},
	} {
		wantPanic(t, name, row.want, func() {
			workqueue.NewServer(spec, func(context.Context, *job) (int, error) { return 0, nil }, row.option)
		})
	}
	wantPanic(t, "a nil endpoint", "the endpoint is nil", func() { workqueue.NewServer[*job, int](spec, nil) })
	wantPanic(t, "a stream", "the operation is server stream", func() {
		workqueue.NewServer(endpoint.Spec{Kind: endpoint.ServerStream}, func(context.Context, *job) (int, error) { return 0, nil })
	})
}

func wantPanic(t *testing.T, name, want string, f func()) {
	t.Helper()
	defer func() {
		if have := fmt.Sprint(recover()); !strings.Contains(have, want) || !strings.HasPrefix(have, "workqueue: server of ") {
			t.Errorf("%s: want a panic with %q, have %q", name, want, have)
		}
	}()
	f()
}
