package natstransport_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// bare is an encoding that costs nothing, so that the transport alone is measured.
type bare struct{}

func (bare) ContentTypes() []string { return []string{"application/json"} }

func (bare) Append(dst []byte, v any) ([]byte, error) { return append(dst, *v.(*payload)...), nil } //nolint:forcetypeassert // of these tests

func (bare) Decode(data []byte, v any) error {
	*v.(*payload) = data //nolint:forcetypeassert // of these tests
	return nil
}

// payload is a message that is its own encoding.
type payload []byte

// plainFlood publishes n messages, and returns when all have come to a subscription.
func plainFlood(b *testing.B, broker *broker) func(n int, p payload) {
	b.Helper()
	from, to := broker.connect(), broker.connect()
	left, done := 0, make(chan struct{})
	sub, err := to.Subscribe("numbers.Plain", func(*nats.Msg) {
		if left--; left == 0 {
			done <- struct{}{}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		b.Fatal(err)
	}
	if err := to.Flush(); err != nil {
		b.Fatal(err)
	}
	return func(n int, p payload) {
		left = n
		for range n {
			if err := from.Publish("numbers.Plain", p); err != nil {
				b.Fatal(err)
			}
		}
		<-done
	}
}

// ashlarFlood is the same with a stream.
func ashlarFlood(b *testing.B, broker *broker) func(n int, p payload) {
	b.Helper()
	type flood = struct {
		n int
		p payload
	}
	floods := make(chan flood, 1)
	spec := endpoint.Spec{Service: "numbers", Method: "Flood"}
	broker.serve(natstransport.NewStreamServer(spec, func(_ context.Context, _ streamOf[*payload], out func(*payload) error) error {
		f := <-floods
		for range f.n {
			if err := out(&f.p); err != nil {
				return err
			}
		}
		return nil
	}, natstransport.ServerCodecs(bare{})))
	call, err := natstransport.NewStreamClient[*payload, *payload](spec, broker.conn(), natstransport.ClientCodecs(bare{}))
	if err != nil {
		b.Fatal(err)
	}
	return func(n int, p payload) {
		floods <- flood{n, p}
		have := 0
		if err := call(b.Context(), endpoint.Seq[*payload](), func(*payload) error { have++; return nil }); err != nil || have != n {
			b.Fatalf("want %d messages, have %d, %v", n, have, err)
		}
	}
}

// BenchmarkStream measures how many messages a stream carries in a second, against plain publish and subscribe in the same run.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{16, 128, 1024, 8192} {
		b.Run(fmt.Sprint(size, " bytes"), func(b *testing.B) {
			b.ReportAllocs()
			broker := newBroker(b)
			plain, ashlar := plainFlood(b, broker), ashlarFlood(b, broker)
			p := make(payload, size)
			const turn = 20000
			plain(turn, p)
			ashlar(turn, p)
			best := [2]time.Duration{time.Hour, time.Hour} // of the turns, since the machine has more to do
			for b.Loop() {
				for i, flood := range []func(int, payload){plain, ashlar} {
					start := time.Now()
					flood(turn, p)
					best[i] = min(best[i], time.Since(start))
				}
			}
			b.ReportMetric(turn/best[0].Seconds(), "plain-msg/s")
			b.ReportMetric(turn/best[1].Seconds(), "msg/s")
			b.ReportMetric(best[0].Seconds()/best[1].Seconds(), "x-plain")
		})
	}
}
