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
	"github.com/ashlar-go/ashlar/transport"
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

// plainOrders is request and reply as one writes it with nats.go, with a deadline that the server heeds or without.
func plainOrders(t testing.TB, b *broker, timeout string) (call func()) {
	t.Helper()
	server, client := b.connect(), b.connect()
	c := json.New()
	if _, err := server.QueueSubscribe("plain", "q", func(m *nats.Msg) {
		if text := m.Header.Get(transport.TimeoutHeader); text != "" {
			d, err := transport.ParseTimeout(text)
			if err != nil {
				t.Error(err)
			}
			_, cancel := context.WithTimeout(context.Background(), d)
			defer cancel()
		}
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
		message := &nats.Msg{Subject: "plain", Data: data}
		if timeout != "" {
			message.Header = nats.Header{transport.TimeoutHeader: {timeout}}
		}
		m, err := client.RequestMsg(message, limit)
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
	for name, timeout := range map[string]time.Duration{"without a deadline": 0, "with a deadline": time.Hour} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			broker := newBroker(b)
			ctx, text := b.Context(), ""
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
				text = string(transport.AppendTimeout(nil, timeout))
			}
			compareCalls(b, plainOrders(b, broker, text), ashlarOrders(ctx, b, broker))
		})
	}
}

func compareCalls(b *testing.B, plain, ashlar func()) {
	b.Helper()
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

// BenchmarkSlowHandlers measures how many requests a second one subscription serves whose handlers take 10 ms.
func BenchmarkSlowHandlers(b *testing.B) {
	b.ReportAllocs()
	broker := newBroker(b)
	broker.serve(natstransport.NewServer(unarySpec, func(_ context.Context, request *number) (*number, error) {
		timer := time.NewTimer(10 * time.Millisecond)
		defer timer.Stop()
		<-timer.C
		return request, nil
	}))
	call := client[*number, *number](b, broker.conn())
	const callers, each = 500, 4
	n := 0
	start := time.Now()
	for b.Loop() {
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				for range each {
					if _, err := call(b.Context(), &number{}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		group.Wait()
		n += callers * each
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "calls/s")
}
