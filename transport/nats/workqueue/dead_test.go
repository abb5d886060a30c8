package workqueue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

func newMsg(subject, data string) *nats.Msg { return &nats.Msg{Subject: subject, Data: []byte(data)} }

func TestADeadLetterSaysWhatItWasAndWhy(t *testing.T) {
	t.Parallel()
	secret := errors.New("password=hunter2")
	for _, row := range []struct {
		name       string
		msg        *nats.Msg
		err        error
		deliveries int
		code       status.Code
		reason     string
		shown      string
	}{
		{"a permanent error", newMsg("jobs.do", `{"n":1}`), status.New(status.NotFound, "no such image").WithReason("NO_IMAGE").WithCause(secret), 1,
			status.NotFound, "NO_IMAGE", "no such image"},
		{"a wrapped error", newMsg("jobs.do", `{"n":1}`), fmt.Errorf("hunter2: %w", status.New(status.NotFound, "no such image")), 1,
			status.NotFound, "", "no such image"},
		{"the limit", newMsg("jobs.do", `{"n":1}`), status.New(status.Unavailable, "busy").WithCause(secret), 3, status.Unavailable, "", "busy"},
		{"an error that is no status", newMsg("jobs.do", `{"n":1}`), secret, 3, status.Internal, "", "internal error"},
		{"undecodable", newMsg("jobs.do", `{"n":"one"}`), nil, 1, status.InvalidArgument, "", `"field":"n"`},
		{"no JSON at all", newMsg("jobs.do", "\x00\xff"), nil, 1, status.InvalidArgument, "", "invalid request"},
		{"an unknown content type", &nats.Msg{Subject: "jobs.do", Data: []byte("x"), Header: nats.Header{"Content-Type": {"text/plain"}}}, nil, 1,
			status.InvalidArgument, "", "Content-Type"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t)
			if row.msg.Header == nil {
				row.msg.Header = nats.Header{}
			}
			row.msg.Header["X-Tenant"] = []string{"a", "b"}
			row.msg.Header[jetstream.MsgIDHeader] = []string{"id of " + row.name}
			s := server(func(context.Context, *job) error { return row.err }, workqueue.ServerMaxDeliver(3), workqueue.ServerDeadLetter("dead.do"))
			w, err := s.Consume(t.Context(), q.JetStream, q.consumer(s))
			if err != nil {
				t.Fatal(err)
			}
			q.publish(row.msg)
			letter := q.letter(1)
			q.until("the message to be gone", func() bool { return q.stored("JOBS") == 0 })
			if err := w.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			h := letter.Header
			if letter.Subject != "dead.do" || string(letter.Data) != string(row.msg.Data) || len(h.Values("X-Tenant")) != 2 ||
				h.Get("Content-Type") != row.msg.Header.Get("Content-Type") {
				t.Errorf("want the message as it was, have %q, %v", letter.Data, h)
			}
			for key, want := range map[string]string{
				workqueue.DeadSubject: "jobs.do", workqueue.DeadStream: "JOBS", workqueue.DeadConsumer: "worker", workqueue.DeadOperation: "jobs/Do",
				workqueue.DeadDeliveries: strconv.Itoa(row.deliveries), workqueue.DeadCode: row.code.String(), workqueue.DeadReason: row.reason,
				workqueue.DeadMessageID: "id of " + row.name, workqueue.DeadSequence: "1",
			} {
				if have := h.Get(key); have != want {
					t.Errorf("%s: want %q, have %q", key, want, have)
				}
			}
			stored, err1 := time.Parse(time.RFC3339Nano, h.Get(workqueue.DeadStored))
			failed, err2 := time.Parse(time.RFC3339Nano, h.Get(workqueue.DeadFailed))
			if err := errors.Join(err1, err2); err != nil || failed.Before(stored) || time.Since(stored) > patience {
				t.Errorf("want when it was stored and when it failed, have %v", h)
			}
			var shown status.Error
			text := h.Get(workqueue.DeadError)
			if err := json.Unmarshal([]byte(text), &shown); err != nil || shown.Code != row.code || !strings.Contains(text, row.shown) {
				t.Errorf("want the error with %q, have %s", row.shown, text)
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("the cause is in the dead letter: %s", text)
			}
		})
	}
}

// What would tell JetStream something when the message is published again stays behind.
func TestADeadLetterHasNoOrdersForJetStream(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	ordered := newMsg("jobs.do", "{}")
	ordered.Header = nats.Header{"nats-expected-stream": {"JOBS"}, jetstream.ExpectedStreamHeader: {"JOBS"}, "X-A": {"1"}}
	q.publish(ordered)
	q.serve(func(context.Context, *job) error { return status.New(status.NotFound, "x") }, workqueue.ServerDeadLetter("dead.do"))
	for key := range q.letter(1).Header {
		if strings.HasPrefix(strings.ToLower(key), "nats-") && key != jetstream.MsgIDHeader {
			t.Errorf("the dead letter has %s", key)
		}
	}
}

// A dead letter lies there for days, for whoever may read the stream.
func TestADeadLetterHasNoCredentials(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	secret := newMsg("jobs.do", "{}")
	secret.Header = nats.Header{
		"Authorization": {"Bearer hunter2"}, "authorization": {"Bearer hunter2"}, "Cookie": {"s=hunter2"}, "x-api-key": {"hunter2"}, "X-A": {"1"},
	}
	q.publish(secret)
	q.serve(func(context.Context, *job) error { return status.New(status.Unauthenticated, "who?") }, workqueue.ServerDeadLetter("dead.do"))
	letter := q.letter(1)
	for key, values := range letter.Header {
		if strings.Contains(values[0], "hunter2") {
			t.Errorf("the dead letter has %s", key)
		}
	}
	if letter.Header.Get("X-A") != "1" {
		t.Errorf("want its other fields, have %v", letter.Header)
	}
}

// A dead letter may have been published again with all that it had.
func TestADeadLetterSaysNothingOfAnEarlierOne(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	again := newMsg("jobs.do", "{}")
	again.Header = nats.Header{workqueue.DeadReason: {"OLD"}, workqueue.DeadMessageID: {"old"}, "ashlar-dead-code": {"old"}}
	q.publish(again)
	q.serve(func(context.Context, *job) error { return status.New(status.NotFound, "x") }, workqueue.ServerDeadLetter("dead.do"))
	for key, values := range q.letter(1).Header {
		if strings.EqualFold(values[0], "old") {
			t.Errorf("the dead letter has %s: %v", key, values)
		}
	}
}

func TestALongErrorIsCutShort(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(2)
	long := strings.Repeat("long ", 4<<10)
	q.serve(func(_ context.Context, j *job) error {
		if j.N == 1 {
			return status.New(status.NotFound, "short").WithReason("R").WithViolations(status.Violation{Field: "x", Description: long})
		}
		return status.New(status.NotFound, long).WithReason("R")
	}, workqueue.ServerDeadLetter("dead.do"), workqueue.ServerOrdered())
	for i, want := range []string{"short", ""} {
		var shown status.Error
		text := q.letter(i + 1).Header.Get(workqueue.DeadError)
		if err := json.Unmarshal([]byte(text), &shown); err != nil || shown.Message != want || shown.Reason != "R" || len(text) > 4<<10 {
			t.Errorf("want %q and the reason, have %d bytes: %.200s", want, len(text), text)
		}
	}
}

// Without a subject for dead letters the message is ended, and JetStream tells whoever listens to its advisories why.
func TestWithoutADeadLetterSubjectAMessageIsTerminated(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	advisories, err := q.Conn().SubscribeSync("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.JOBS.worker")
	if err != nil {
		t.Fatal(err)
	}
	q.put(1)
	done, ended := outcomes()
	q.serve(func(context.Context, *job) error {
		return status.New(status.NotFound, "no such image").WithReason("NO_IMAGE").WithCause(errors.New("password=hunter2"))
	}, done)
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Terminated {
		t.Errorf("want terminated, have %v", o.Verdict)
	}
	advisory, err := advisories.NextMsg(patience)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(advisory.Data); !strings.Contains(text, "not_found (NO_IMAGE): no such image") || strings.Contains(text, "hunter2") {
		t.Errorf("want the error in the advisory, without its cause; have %s", text)
	}
	q.until("the message to be gone", func() bool { return q.stored("JOBS") == 0 && q.info().NumAckPending == 0 })
}

func TestAMessageStaysUntilItsDeadLetterIsStored(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	done, ended := outcomes()
	q.serve(func(context.Context, *job) error { return status.New(status.NotFound, "x") }, done, workqueue.ServerDeadLetter("dead.do"))
	if err := q.DeleteStream(t.Context(), "DEAD"); err != nil {
		t.Fatal(err)
	}
	q.put(1)
	if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Retried || !errors.Is(o.Err, jetstream.ErrNoStreamResponse) || !errors.Is(o.Err, status.New(status.NotFound, "x")) {
		t.Errorf("want retried, with both errors, have %+v", o)
	}
	if n := q.stored("JOBS"); n != 1 {
		t.Errorf("want the message in its stream, have %d", n)
	}
	q.stream("DEAD", "dead.>")
	q.letter(1)
	q.until("the message to be gone", func() bool { return q.stored("JOBS") == 0 })
}

// What is as large as the server takes has no room for what is to be said of it.
func TestAMessageWithoutRoomForADeadLetterStays(t *testing.T) {
	t.Parallel()
	q := &queue{t: t, NATS: testserver.StartNATS(t, "max_payload: 4096")}
	q.JetStream = q.connect()
	q.stream("JOBS", "jobs.>")
	q.stream("DEAD", "dead.>")
	q.publish(newMsg("jobs.do", strings.Repeat("x", 4000)))
	done, ended := outcomes()
	q.serve(nothing, done, workqueue.ServerDeadLetter("dead.do"), workqueue.ServerMaxDeliver(2))
	for range 4 {
		if o := receive(t, "an outcome", ended); o.Verdict != workqueue.Retried || !errors.Is(o.Err, nats.ErrMaxPayload) {
			t.Errorf("want retried, have %+v", o)
		}
	}
	if n := q.stored("JOBS"); n != 1 {
		t.Errorf("want the message in its stream, have %d", n)
	}
}

// A dead letter whose message could not be ended is not stored a second time.
func TestADeadLetterIsStoredOnce(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	crashing := q.connect()
	done, ended := outcomes()
	s := server(func(context.Context, *job) error { return status.New(status.NotFound, "x") }, workqueue.ServerDeadLetter("dead.do"),
		workqueue.ServerAckWait(300*time.Millisecond), done)
	first, err := s.Consume(t.Context(), &deaf{JetStream: crashing}, q.consumer(s))
	if err != nil {
		t.Fatal(err)
	}
	if o := receive(t, "the first outcome", ended); o.Verdict != workqueue.Lost {
		t.Errorf("want lost, have %v", o.Verdict)
	}
	receive(t, "the end of the worker", first.Closed())
	if n, m := q.stored("JOBS"), q.stored("DEAD"); n != 1 || m != 1 {
		t.Errorf("want a message and its dead letter, have %d and %d", n, m)
	}
	q.work(s)
	if o := receive(t, "the second outcome", ended); o.Verdict != workqueue.DeadLettered {
		t.Errorf("want dead lettered, have %v, %v", o.Verdict, o.Err)
	}
	q.until("the message to be gone", func() bool { return q.stored("JOBS") == 0 })
	if n := q.stored("DEAD"); n != 1 {
		t.Errorf("want one dead letter, have %d", n)
	}
}

// deaf loses its connection as soon as it has stored a message.
type deaf struct{ jetstream.JetStream }

func (d *deaf) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	stored, err := d.JetStream.PublishMsg(ctx, msg, opts...)
	d.Conn().Close()
	return stored, err
}

// A message that ends the process of its worker each time is ended by one that does not try.
func TestAMessageThatKillsItsWorkersIsEndedWithoutAnotherAttempt(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	began := make(chan struct{}, 10)
	done, ended := outcomes()
	s := server(func(ctx context.Context, _ *job) error { began <- struct{}{}; <-ctx.Done(); return ctx.Err() }, done,
		workqueue.ServerAckWait(200*time.Millisecond), workqueue.ServerMaxDeliver(2), workqueue.ServerDeadLetter("dead.do"))
	for range 2 {
		js := q.connect()
		w := q.work(s, js)
		receive(t, "an attempt", began)
		js.Conn().Close() // as when the process dies
		receive(t, "the end of the worker", w.Closed())
		if o := receive(t, "the outcome", ended); o.Verdict != workqueue.Lost || !errors.Is(w.Err(), nats.ErrConnectionClosed) {
			t.Errorf("want lost for the closed connection, have %v, %v", o.Verdict, w.Err())
		}
	}
	q.work(s)
	letter := q.letter(1)
	if have := letter.Header.Get(workqueue.DeadReason); have != workqueue.ReasonDeliveries || letter.Header.Get(workqueue.DeadDeliveries) != "3" {
		t.Errorf("want the reason %s, have %v", workqueue.ReasonDeliveries, letter.Header)
	}
	if len(began) != 0 {
		t.Error("the message was tried once more")
	}
}
