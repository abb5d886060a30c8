package natstransport_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// asking returns a client that asks every 20 ms.
func asking(t *testing.T, b *broker) func(context.Context, *number) (*number, error) {
	t.Helper()
	conn, err := natstransport.NewConnAsking(b.connect(), 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return client[*number, *number](t, conn)
}

// Nobody says so when the process that serves a call dies.
func TestACallWithoutADeadlineMissesADeadServer(t *testing.T) {
	t.Parallel()
	if natstransport.AskEvery != 5*time.Second {
		t.Errorf("want the interval that is documented, have %v", natstransport.AskEvery)
	}
	b := newBroker(t)
	nc := b.connect()
	leave := make(chan struct{})
	defer close(leave)
	b.serveOn(nc, []*natstransport.Server{natstransport.NewServer(unarySpec, func(context.Context, *number) (*number, error) {
		<-leave
		return &number{}, nil
	})}, natstransport.ServiceErrorHandler(func(string, error) {}))
	asked := make(chan struct{}, 1000)
	if _, err := b.connect().Subscribe(natstransport.CancelSubject("numbers.Double"), func(m *nats.Msg) {
		if len(m.Data) > 0 {
			asked <- struct{}{}
		}
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	call := asking(t, b)
	go func() {
		_, err := call(t.Context(), &number{})
		done <- err
	}()
	const often = 10 // longer than it takes to be missed
	for range often {
		wait(t, asked, "a question")
	}
	select {
	case err := <-done:
		t.Fatalf("the call ended though it is served: %v", err)
	default:
	}
	nc.Close() // as far as others can see, the process has died
	if err := wait(t, done, "the call"); status.CodeOf(err) != status.Unavailable || errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want unavailable, have %v", err)
	}
}

// A service that is not Ashlar's does not know the question, and may take its time.
func TestAServerThatDoesNotKnowTheQuestionIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	server := b.connect()
	requests := make(chan *nats.Msg, 1)
	if _, err := server.Subscribe("numbers.Double", func(m *nats.Msg) { requests <- m }); err != nil {
		t.Fatal(err)
	}
	if err := server.Flush(); err != nil {
		t.Fatal(err)
	}
	call := asking(t, b)
	done := make(chan error, 1)
	go func() {
		response, err := call(t.Context(), &number{})
		if err == nil && response.N != 7 {
			err = errors.New("another answer")
		}
		done <- err
	}()
	m := wait(t, requests, "the request")
	timer := time.NewTimer(500 * time.Millisecond) // many questions
	defer timer.Stop()
	<-timer.C
	if err := m.Respond([]byte(`{"N":7}`)); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, done, "the call"); err != nil {
		t.Error(err)
	}
}

// A call that has a deadline ends by itself, and is not asked about.
func TestACallWithADeadlineIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	began, _, e := waiting()
	b.serve(natstransport.NewServer(unarySpec, e))
	var asked atomic.Int64
	nc := b.connect()
	if _, err := nc.Subscribe(natstransport.CancelSubject("numbers.Double"), func(m *nats.Msg) {
		if len(m.Data) > 0 { // else it asks whether anybody is there
			asked.Add(1)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := asking(t, b)(ctx, &number{}); status.CodeOf(err) != status.DeadlineExceeded {
		t.Errorf("want deadline_exceeded, have %v", err)
	}
	wait(t, began, "the endpoint")
	if n := asked.Load(); n > 0 {
		t.Errorf("want no question, have %d", n)
	}
}

// Who has answered once, and then does not three times, counts as dead.
func TestThreeQuestionsMayBeMissed(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	server := b.connect()
	var asked atomic.Int64
	for subject, handle := range map[string]nats.MsgHandler{
		"numbers.Double": func(*nats.Msg) {},
		natstransport.CancelSubject("numbers.Double"): func(m *nats.Msg) {
			if len(m.Data) > 0 && asked.Add(1) == 1 {
				_ = m.Respond(m.Data)
			}
		},
	} {
		if _, err := server.Subscribe(subject, handle); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Flush(); err != nil {
		t.Fatal(err)
	}
	conn, err := natstransport.NewConnAsking(b.connect(), 500*time.Millisecond) // long enough for an answer
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := client[*number, *number](t, conn)(t.Context(), &number{}); status.CodeOf(err) != status.Unavailable {
		t.Errorf("want unavailable, have %v", err)
	}
	if err := server.Flush(); err != nil {
		t.Fatal(err)
	}
	const missed = 3
	if want, have := int64(1+missed), asked.Load(); want != have {
		t.Errorf("want %d questions, have %d", want, have)
	}
}
