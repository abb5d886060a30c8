package workqueue_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

// fill stores n jobs in a stream of their own, in memory, and returns what to consume them with.
func fill(t testing.TB, js jetstream.JetStream, name string, n int) {
	t.Helper()
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: name, Subjects: []string{name}, Storage: jetstream.MemoryStorage, Retention: jetstream.WorkQueuePolicy,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		header := nats.Header{"Content-Type": {"application/json"}, "Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
		if _, err := js.PublishMsgAsync(&nats.Msg{Subject: name, Data: []byte(jobData(i)), Header: header}); err != nil {
			t.Fatal(err)
		}
	}
	receive(t, "the jobs to be stored", js.PublishAsyncComplete())
}

// consumption works on n jobs of the stream, and returns when the last one is acknowledged.
type consumption func(t testing.TB, js jetstream.JetStream, stream string, n int)

// counter counts to n.
func counter(n int) (count func(), full <-chan struct{}) {
	var have atomic.Int64
	c := make(chan struct{})
	return func() {
		if have.Add(1) == int64(n) {
			close(c)
		}
	}, c
}

// byHand is what a person writes with jetstream: one goroutine, decoding and acknowledging.
func byHand(opts ...jetstream.PullConsumeOpt) consumption {
	return func(t testing.TB, js jetstream.JetStream, stream string, n int) {
		t.Helper()
		consumeByHand(t, js, stream, n, opts)
	}
}

func consumeByHand(t testing.TB, js jetstream.JetStream, stream string, n int, opts []jetstream.PullConsumeOpt) {
	t.Helper()
	consumer, err := js.CreateConsumer(t.Context(), stream, jetstream.ConsumerConfig{Durable: "worker", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	count, full := counter(n)
	decoder := json.New() // the worker's, so that releases of Go with another encoding/json do not count
	consuming, err := consumer.Consume(func(msg jetstream.Msg) {
		var j job
		if err := decoder.Decode(msg.Data(), &j); err != nil {
			t.Error(err)
		}
		if err := msg.Ack(); err != nil {
			t.Error(err)
		}
		count()
	}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	receive(t, "the last job", full)
	consuming.Stop()
}

func byWorker(concurrency int) consumption {
	return func(t testing.TB, js jetstream.JetStream, stream string, n int) {
		t.Helper()
		count, full := counter(n)
		s := workqueue.NewServer(spec, func(context.Context, *job) (struct{}, error) { return struct{}{}, nil },
			workqueue.ServerConcurrency(concurrency), workqueue.ServerFinalizer(func(context.Context, workqueue.Outcome) { count() }))
		consumer, err := js.CreateConsumer(t.Context(), stream, s.Config("worker"))
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.Consume(t.Context(), js, consumer)
		if err != nil {
			t.Fatal(err)
		}
		receive(t, "the last job", full)
		if err := w.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Allocations are counted for the whole process, so that it runs alone.
func TestADeliveryKeepsItsBudgetOfAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const jobs, budget = 5000, 15 // beyond what a person's own code has
	q := newQueue(t)
	cost := func(stream string, consume consumption) float64 {
		js := q.connect()
		fill(t, js, stream, jobs)
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		consume(t, js, stream, jobs)
		runtime.ReadMemStats(&now)
		return float64(now.Mallocs-before.Mallocs) / jobs
	}
	plain, ours := cost("plain", byHand()), cost("ours", byWorker(workqueue.DefaultConcurrency))
	t.Logf("%.1f allocations per message, %.1f by hand", ours, plain)
	if ours > plain+budget {
		t.Errorf("want at most %d allocations more than the %.1f by hand, have %.1f", budget, plain, ours)
	}
}

func BenchmarkDelivery(b *testing.B) {
	q := newQueue(b)
	runs := 0
	for _, row := range []struct {
		name    string
		consume consumption
	}{
		{"by hand", byHand()},
		{"by hand with 16 fetched", byHand(jetstream.PullMaxMessages(16))},
		{"worker of 1", byWorker(1)},
		{fmt.Sprintf("worker of %d", workqueue.DefaultConcurrency), byWorker(workqueue.DefaultConcurrency)},
		{"worker of 256", byWorker(256)},
	} {
		b.Run(row.name, func(b *testing.B) {
			runs++
			stream := fmt.Sprintf("bench%d", runs)
			js := q.connect()
			fill(b, js, stream, b.N)
			b.ReportAllocs()
			began := time.Now()
			b.ResetTimer()
			row.consume(b, js, stream, b.N)
			b.StopTimer()
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "messages/s")
			if err := js.DeleteStream(b.Context(), stream); err != nil {
				b.Fatal(err)
			}
		})
	}
}
