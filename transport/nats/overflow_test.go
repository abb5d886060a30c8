package natstransport_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// What NATS drops since too much has come is not silent.
func TestDroppedRequestsAreReported(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	reported := make(chan error, 1000)
	held := make(chan struct{})
	service := b.serveOn(b.connect(), []*natstransport.Server{natstransport.NewServer(unarySpec,
		func(_ context.Context, request *number) (*number, error) {
			<-held
			return request, nil
		}, natstransport.ServerMaxInFlight(1))},
		natstransport.ServiceErrorHandler(func(operation string, err error) {
			if operation == "numbers/Double" {
				reported <- err
			}
		}))
	defer close(held)
	if err := service.SetPendingLimits(1); err != nil {
		t.Fatal(err)
	}
	nc := b.connect()
	inbox := nc.NewInbox()
	eventually(t, "a report", func() bool {
		for range 2000 { // more at once than can be refused at once
			if err := nc.PublishRequest("numbers.Double", inbox, []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
		return len(reported) > 0
	})
	if err := <-reported; !errors.Is(err, nats.ErrSlowConsumer) || !strings.Contains(err.Error(), "requests were lost") {
		t.Errorf("want that requests were lost, have %v", err)
	}
	stats := ask[micro.Stats](t, nc, micro.StatsVerb, "numbers", service.ID()).Endpoints[0]
	if strings.Contains(string(stats.Data), `"dropped":0`) {
		t.Errorf("want how many, have %s", stats.Data)
	}
}

// An answer that NATS drops would be waited for in vain.
func TestDroppedAnswersEndTheirCalls(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	const many = 500
	var arrived atomic.Int64
	all := make(chan struct{})
	release := sync.OnceFunc(func() { close(all) })
	defer time.AfterFunc(3*time.Second, release).Stop() // a call that ends early, with the first that is dropped, may not have arrived
	b.serve(natstransport.NewServer(unarySpec, func(_ context.Context, request *number) (*number, error) {
		if arrived.Add(1) == many {
			release()
		}
		<-all // so that all answers come at once
		return request, nil
	}))
	t.Cleanup(release) // before the server is to end
	conn := b.conn()
	if err := conn.SetPendingLimits(1); err != nil {
		t.Fatal(err)
	}
	call := client[*number, *number](t, conn)
	var callers sync.WaitGroup
	for range many {
		callers.Go(func() {
			if _, err := call(t.Context(), &number{}); err != nil && (status.CodeOf(err) != status.Unavailable || errors.Is(err, transport.ErrNotSent)) {
				t.Errorf("want an answer or unavailable, have %v", err)
			}
		})
	}
	callers.Wait() // without a deadline
	if n := conn.Waiting(); n > 0 {
		t.Errorf("want nobody to wait, have %d", n)
	}
}

// Cancellations of calls that nobody knows take bounded memory.
func TestCancellationsOfUnknownCallsAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	service := b.serve(natstransport.NewServer(unarySpec, double))
	nc := b.connect()
	subject := natstransport.CancelSubject("numbers.Double")
	for n := range 1000 {
		for _, data := range []string{strings.Repeat("x", 100_000), strings.Repeat("y", n)} {
			if err := nc.Publish(subject, []byte(data)); err != nil {
				t.Fatal(err)
			}
		}
	}
	const most = 256
	eventually(t, "the last of them", func() bool {
		n, _ := service.Early()
		return n == most
	})
	if _, bytes := service.Early(); bytes > most*1000 {
		t.Errorf("want short ones alone, have %d bytes", bytes)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	service, err := natstransport.Serve(b.connect(), "numbers", "1.0.0", []*natstransport.Server{natstransport.NewServer(unarySpec, double)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := service.Shutdown(deadline(t)); err != nil {
			t.Error(err)
		}
	}()
	if have := service.Grace(); have != natstransport.DefaultGrace {
		t.Errorf("grace: want %v, have %v", natstransport.DefaultGrace, have)
	}
}
