package natskv_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/natskv"
)

func TestTheFirstSetHasAllEntries(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	makeBucket(t, js, 1)
	const n = 3000
	acks := make([]jetstream.PubAckFuture, n)
	for i := range acks {
		ack, err := js.PublishAsync(fmt.Sprintf("$KV.%s.%s.i%d", bucketName, service, i), fmt.Appendf(nil, `{"address":"a:%d"}`, i))
		if err != nil {
			t.Fatal(err)
		}
		acks[i] = ack
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			t.Fatal(err)
		}
	}
	if have := len(watchtest.Start(t, newInstancer(t, js)).Set()); have != n {
		t.Errorf("want %d instances, have %d", n, have)
	}
}

func TestAfterALostMessageAllIsReadAgain(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	bucket := makeBucket(t, js, 1)
	spy := connect(t, server.URL).Conn()
	asked, made := make(chan string, 100), make(chan struct{}, 100)
	for subject, f := range map[string]nats.MsgHandler{
		"$JS.API.CONSUMER.MSG.NEXT.>": func(m *nats.Msg) { asked <- m.Subject },
		"$JS.API.CONSUMER.CREATE.>":   func(*nats.Msg) { made <- struct{}{} },
	} {
		if _, err := spy.Subscribe(subject, f); err != nil {
			t.Fatal(err)
		}
	}
	if err := spy.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.PutString(t.Context(), key(service, "a"), `{"address":"a:1"}`); err != nil {
		t.Fatal(err)
	}
	w := watchtest.Start(t, newInstancer(t, js))
	watchtest.WantAddresses(t, w.Set(), "a:1")
	<-made
	stolen, err := spy.SubscribeSync(spy.NewInbox())
	if err != nil {
		t.Fatal(err)
	}
	if err := spy.PublishRequest(<-asked, stolen.Subject, []byte("1")); err != nil { // the consumer gives one message to somebody else
		t.Fatal(err)
	}
	if err := spy.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "c", "d", "e"} {
		if _, err := bucket.PutString(t.Context(), key(service, name), fmt.Sprintf(`{"address":"%s:1"}`, name)); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := stolen.NextMsg(patience); err != nil || m.Header.Get("Status") != "" {
		t.Fatalf("want a message, have %v, %v", m, err)
	}
	for set := w.Set(); len(set) < 5; set = w.Set() { // and no error
		t.Log(set)
	}
	select {
	case <-made:
	case <-time.After(patience):
		t.Error("want another consumer")
	}
}

func TestWhatExpiresWhenALeaderIsNewStaysForTheGrace(t *testing.T) {
	t.Parallel()
	servers := testserver.StartNATSCluster(t, 3)
	js := connect(t, servers[0].URL)
	makeBucket(t, js, 3)
	w := watchtest.Start(t, newInstancer(t, js, natskv.InstancerGrace(4*time.Second)))
	watchtest.WantAddresses(t, w.Back())
	put := func(name string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		m := &nats.Msg{Subject: "$KV." + bucketName + "." + service + "." + name, Data: fmt.Appendf(nil, `{"address":"%s:1"}`, name)}
		if _, err := js.PublishMsg(ctx, m, jetstream.WithMsgTTL(2*time.Second), jetstream.WithRetryAttempts(50)); err != nil {
			t.Fatal(err)
		}
	}
	put("a")
	watchtest.WantAddresses(t, w.Back(), "a:1")
	if _, err := js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN.KV_"+bucketName, nil, patience); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	watchtest.WantAddresses(t, w.Back())
	if took := time.Since(began); took < 5*time.Second {
		t.Errorf("want it to live for 2 s, and stay for 4 s more, have it gone after %v", took)
	}
	put("b")
	watchtest.WantAddresses(t, w.Back(), "b:1")
	began = time.Now()
	watchtest.WantAddresses(t, w.Back())
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("want it gone after 2 s, since the leader is the same, have it gone after %v", took)
	}
}
