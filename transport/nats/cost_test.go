package natstransport_test

import (
	"context"
	"iter"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/nats"
)

//nolint:paralleltest // allocations are counted for the whole process
func TestCallsKeepTheirBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := newBroker(t)
	plain, ashlar := plainOrders(t, b, ""), ashlarOrders(t.Context(), t, b)
	const runs = 500
	base := testing.AllocsPerRun(runs, plain)
	const more = 4
	if have := testing.AllocsPerRun(runs, ashlar); have > base+more {
		t.Errorf("want at most %v allocations beyond the %v of nats.go, have %v", more, base, have)
	}
}

// A message of a stream costs no more than one that is published, encoded and decoded the same; what goes out together costs less.
//
//nolint:paralleltest // allocations are counted for the whole process
func TestMessagesOfAStreamKeepTheirBudget(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := newBroker(t)
	const many = 10_000
	p := make(payload, 100)
	nc := b.connect()
	came := make(chan struct{}, 1)
	left := 0
	if _, err := nc.Subscribe("plain", func(*nats.Msg) {
		if left--; left == 0 {
			came <- struct{}{}
		}
	}); err != nil {
		t.Fatal(err)
	}
	plain := testing.AllocsPerRun(5, func() {
		left = many
		for range many {
			if err := nc.Publish("plain", p); err != nil {
				t.Fatal(err)
			}
		}
		<-came
	}) / many
	b.serve(natstransport.NewStreamServer(streamSpec, func(_ context.Context, _ iter.Seq2[*payload, error], out func(*payload) error) error {
		for range many {
			if err := out(&p); err != nil {
				return err
			}
		}
		return nil
	}, natstransport.ServerCodecs(bare{})))
	call := streamClient[*payload, *payload](t, b.conn(), natstransport.ClientCodecs(bare{}))
	have := testing.AllocsPerRun(5, func() {
		if err := call(t.Context(), endpoint.Seq[*payload](), func(*payload) error { return nil }); err != nil {
			t.Error(err)
		}
	}) / many
	if have > plain+1 { // a new payload for each message, which the other does not have
		t.Errorf("want at most 1 allocation a message beyond the %v of nats.go, have %v", plain, have)
	}
}
