package workqueue_test

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

func TestControlMessages(t *testing.T) {
	t.Parallel()
	const reply = "$JS.ACK.JOBS.worker.1.1.1.1.0"
	for _, row := range []struct {
		reply, status, description, pending string
		want                                uint8
		unmet                               int
	}{
		{reply, "", "", "", workqueue.Delivered, 0},
		{reply, "409", "Consumer Deleted", "7", workqueue.Delivered, 0}, // a publisher may put anything into a header
		{"", "100", "Idle Heartbeat", "", workqueue.Sign, 0},
		{"", "408", "Request Timeout", "7", workqueue.Expired, 7},
		{"", "409", "Batch Completed", "0", workqueue.Expired, 0},
		{"", "409", "Message Size Exceeds MaxBytes", "2", workqueue.Expired, 2},
		{"", "408", "Request Timeout", "", workqueue.Interrupted, 0},
		{"", "408", "Request Timeout", "-1", workqueue.Interrupted, 0},
		{"", "408", "Request Timeout", "many", workqueue.Interrupted, 0},
		{"", "404", "No Messages", "", workqueue.Interrupted, 0},
		{"", "409", "Leadership Change", "", workqueue.Interrupted, 0},
		{"", "409", "Server Shutdown", "", workqueue.Interrupted, 0},
		{"", "409", "Consumer Deleted", "", workqueue.Gone, 0},
		{"", "503", "", "", workqueue.Unanswered, 0},
		{"", "409", "Exceeded MaxRequestBatch of 3", "", workqueue.Disagreement, 0},
		{"", "400", "Bad Request", "", workqueue.Disagreement, 0},
		{"", "", "", "", workqueue.Disagreement, 0},
	} {
		msg := &nats.Msg{Reply: row.reply, Header: nats.Header{}}
		for key, value := range map[string]string{"Status": row.status, "Description": row.description, "Nats-Pending-Messages": row.pending} {
			if value != "" {
				msg.Header[key] = []string{value}
			}
		}
		if kind, unmet, text := workqueue.ParseControl(msg); kind != row.want || unmet != row.unmet || (text == "") != (kind == workqueue.Delivered) {
			t.Errorf("%q %s %s: want %d and %d, have %d, %d, %q", row.status, row.description, row.pending, row.want, row.unmet, kind, unmet, text)
		}
	}
}

// A message whose header says that the consumer was deleted is a message.
func TestAPublisherCannotEndAWorker(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	began := make(chan string, 2)
	q.work(workqueue.NewServer(spec, func(_ context.Context, text string) (struct{}, error) { began <- text; return struct{}{}, nil },
		workqueue.ServerDecoder(func(_ context.Context, d *workqueue.Delivery) (string, error) { return string(d.Data), nil })))
	for _, text := range []string{"", "more"} {
		q.publish(&nats.Msg{Subject: "jobs.do", Data: []byte(text), Header: nats.Header{"Status": {"409"}, "Description": {"Consumer Deleted"}}})
		if have := receive(t, "the message", began); have != text {
			t.Errorf("want %q, have %q", text, have)
		}
	}
}

func FuzzControl(f *testing.F) {
	f.Add("", "408", "Request Timeout", "7")
	f.Add("", "409", "Consumer Deleted", "")
	f.Add("$JS.ACK.JOBS.worker.1.1.1.1.0", "100", "x", "-1")
	f.Add("", "", "", "99999999999999999999")
	f.Fuzz(func(t *testing.T, reply, status, description, pending string) {
		kind, unmet, _ := workqueue.ParseControl(&nats.Msg{Reply: reply, Header: nats.Header{
			"Status": {status}, "Description": {description}, "Nats-Pending-Messages": {pending},
		}})
		if (kind == workqueue.Delivered) != (reply != "") || unmet < 0 || unmet > 0 && kind != workqueue.Expired {
			t.Errorf("have kind %d, %d unmet", kind, unmet)
		}
	})
}
