package natstransport_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/nats"
)

type order struct {
	ID    int
	Buyer string
	Items []string
}

func place(_ context.Context, request *order) (*order, error) { return request, nil }

// processorTime returns what the process has used.
func processorTime(b testing.TB) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// inFlight calls f n times, from 16 goroutines.
func inFlight(n int, f func()) {
	const callers = 16
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for k := i; k < n; k += callers {
				f()
			}
		})
	}
	group.Wait()
}

// plainOrders is request and reply as one writes it with nats.go.
func plainOrders(t testing.TB, b *broker) (call func()) {
	t.Helper()
	server, client := b.connect(), b.connect()
	c := json.New()
	if _, err := server.QueueSubscribe("plain", "q", func(m *nats.Msg) {
		request := new(order)
		if err := c.Decode(m.Data, request); err != nil {
			t.Error(err)
		}
		response, err := c.Append(nil, request)
		if err == nil {
			err = m.Respond(response)
		}
		if err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := server.Flush(); err != nil {
		t.Fatal(err)
	}
	request := &order{7, "somebody", []string{"a", "b", "c"}}
	return func() {
		data, err := c.Append(nil, request)
		if err != nil {
			t.Error(err)
		}
		m, err := client.RequestMsg(&nats.Msg{Subject: "plain", Data: data}, limit)
		if err != nil {
			t.Error(err)
			return
		}
		if err := c.Decode(m.Data, new(order)); err != nil {
			t.Error(err)
		}
	}
}

// ashlarOrders is the same with this package.
func ashlarOrders(ctx context.Context, t testing.TB, b *broker) (call func()) {
	t.Helper()
	b.serve(natstransport.NewServer(unarySpec, endpoint.Endpoint[*order, *order](place)))
	e := client[*order, *order](t, b.conn())
	request := &order{7, "somebody", []string{"a", "b", "c"}}
	return func() {
		if _, err := e(ctx, request); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkRequestReply measures the processor time of a call, with 16 in flight, against plain nats.go in the same run.
func BenchmarkRequestReply(b *testing.B) {
	broker := newBroker(b)
	plain, ashlar := plainOrders(b, broker), ashlarOrders(b.Context(), b, broker)
	const turn = 2000
	inFlight(turn, plain)
	inFlight(turn, ashlar)
	var spent [2]time.Duration
	n := 0
	for b.Loop() {
		for i, call := range []func(){plain, ashlar} {
			before := processorTime(b)
			inFlight(turn, call)
			spent[i] += processorTime(b) - before
		}
		n += turn
	}
	b.ReportMetric(float64(spent[0].Nanoseconds())/float64(n), "plain-cpu-ns/call")
	b.ReportMetric(float64(spent[1].Nanoseconds())/float64(n), "cpu-ns/call")
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "x-plain")
}
