package workqueue_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

// syncText is text that several goroutines write.
type syncText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *syncText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *syncText) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

//nolint:paralleltest // the standard logger is one for the whole process
func TestWhatIsLoggedWithoutAnErrorHandler(t *testing.T) {
	var logged syncText
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	for _, row := range []struct {
		name  string
		err   error
		want  []string
		never string
	}{
		{"success", nil, nil, "jobs/Do"},
		{"an error to be shown, tried again", status.New(status.Unavailable, "shown"), nil, "jobs/Do"},
		{"an error that is no status", errors.New("hidden"), []string{"jobs/Do: JOBS.worker.1.", "internal (id ", "hidden"}, "terminated"},
		{"a panic", &endpoint.PanicError{Value: "p", Stack: []byte("the stack")}, []string{"panic: p", "the stack"}, "terminated"},
		{"the end of a message", status.New(status.NotFound, "shown"), []string{"JOBS.worker.1.", "terminated after delivery 1: not_found: shown"}, ""},
	} {
		q := newQueue(t)
		q.put(1)
		done, ended := outcomes()
		s := workqueue.NewServer(spec, func(context.Context, *job) (int, error) { return 0, row.err }, done)
		w, err := s.Consume(t.Context(), q.JetStream, q.consumer(s))
		if err != nil {
			t.Fatal(err)
		}
		receive(t, "the outcome", ended)
		if err := w.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		text := logged.take()
		for _, want := range row.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: want %q in the log, have %q", row.name, want, text)
			}
		}
		if row.never != "" && strings.Contains(text, row.never) {
			t.Errorf("%s: want no %q in the log, have %q", row.name, row.never, text)
		}
	}
	q := newQueue(t)
	s := workqueue.NewServer(spec, func(context.Context, *job) (int, error) { return 0, nil })
	w := q.work(s)
	q.until("a request", func() bool { return q.info().NumWaiting == 1 })
	if err := q.DeleteConsumer(t.Context(), "JOBS", "worker"); err != nil {
		t.Fatal(err)
	}
	receive(t, "the end", w.Closed())
	if text := logged.take(); !strings.Contains(text, "jobs/Do: the worker of worker of JOBS: nats: consumer deleted") {
		t.Errorf("want the deleted consumer in the log, have %q", text)
	}
}
