package natstransport_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// wire is what an end of a stream sends with: to the other end, or to nobody.
type wire struct {
	mu    sync.Mutex
	to    *natstransport.Flow
	kinds strings.Builder
}

func (w *wire) Publish(_ string, data []byte) error {
	w.mu.Lock()
	w.kinds.WriteByte(data[0])
	to := w.to
	w.mu.Unlock()
	if to != nil {
		to.Receive(append([]byte(nil), data...))
	}
	return nil
}

func (w *wire) PublishMsg(m *nats.Msg) error { return w.Publish(m.Subject, m.Data) }

func (*wire) MaxPayload() int64 { return 1 << 20 }

func (w *wire) connect(to *natstransport.Flow) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = to
}

func (w *wire) sent() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kinds.String()
}

// pair are two ends that speak to each other.
func pair(server, client time.Duration, onServer, onClient func(*status.Error)) (s, c *natstransport.Flow, fromServer, fromClient *wire) {
	fromServer, fromClient = new(wire), new(wire)
	s = natstransport.NewFlow(endpoint.Server, "client", 8, 1000, server, client, fromServer, onServer)
	c = natstransport.NewFlow(endpoint.Client, "server", 8, 1000, client, server, fromClient, onClient)
	fromServer.connect(c)
	fromClient.connect(s)
	return s, c, fromServer, fromClient
}

func TestSilentStreamsLiveByTheirHeartbeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := func(err *status.Error) { t.Errorf("want no end, have %v", err) }
		s, c, fromServer, fromClient := pair(natstransport.DefaultHeartbeat, time.Second, bad, bad)
		time.Sleep(time.Hour)
		if want, have := int(time.Hour/natstransport.DefaultHeartbeat), len(fromServer.sent()); have < want-2 || have > want+2 {
			t.Errorf("the server: want about %d heartbeats, have %d", want, have)
		}
		if want, have := 3600, len(fromClient.sent()); have < want-2 || have > want+2 {
			t.Errorf("the client: want about %d heartbeats, have %d", want, have)
		}
		s.Finish()
		c.Finish()
	})
}

// What is sent in any case is a sign of life.
func TestATalkingStreamNeedsNoHeartbeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := func(err *status.Error) { t.Errorf("want no end, have %v", err) }
		s, c, fromServer, _ := pair(time.Second, time.Second, bad, bad)
		for range 1000 {
			time.Sleep(400 * time.Millisecond)
			if err := s.Send("x"); err != nil {
				t.Fatal(err)
			}
			if m, _, err := c.Next(); err != nil || m != "x" {
				t.Fatal(m, err)
			}
		}
		if have := fromServer.sent(); strings.Contains(have, "P") {
			t.Errorf("want no heartbeat, have %s", have)
		}
		s.Finish()
		c.Finish()
	})
}

func TestADeadPeerIsMissedInTime(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{10 * time.Millisecond, natstransport.DefaultHeartbeat, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			type end struct {
				err *status.Error
				at  time.Time
			}
			servers, clients := make(chan end, 1), make(chan end, 1)
			s, c, fromServer, fromClient := pair(every, every,
				func(err *status.Error) { servers <- end{err, time.Now()} }, func(err *status.Error) { clients <- end{err, time.Now()} })
			time.Sleep(10*every + every/3)
			fromServer.connect(nil)
			fromClient.connect(nil)
			cut := time.Now()
			read := make(chan error)
			go func() {
				_, _, err := c.Next()
				read <- err
			}()
			if err := <-read; status.CodeOf(err) != status.Unavailable {
				t.Errorf("client: want unavailable, have %v", err)
			}
			server, client := <-servers, <-clients
			if server.err.Code != status.Canceled || client.err.Code != status.Unavailable {
				t.Errorf("want canceled and unavailable, have %v and %v", server.err, client.err)
			}
			for _, e := range []end{server, client} {
				if took := e.at.Sub(cut); took < 2*every || took > 4*every {
					t.Errorf("%v: want about 3 heartbeats, have %v", every, took)
				}
			}
			if err := s.Send("x"); status.CodeOf(err) != status.Canceled {
				t.Errorf("sending afterwards: want canceled, have %v", err)
			}
			s.Finish()
			c.Finish()
		})
	}
}

// A process that got no processor time, or was stopped, has not missed the other end.
func TestTimeInWhichThisEndStandsStillDoesNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const every = natstransport.DefaultHeartbeat
		var dead atomic.Int64
		s, c, fromServer, _ := pair(every, every, func(*status.Error) {}, func(*status.Error) { dead.Add(1) })
		time.Sleep(10*every + every/3)
		fromServer.connect(nil)
		c.StandStill(time.Hour)
		time.Sleep(2 * every)
		if dead.Load() > 0 {
			t.Error("want no death after two heartbeats")
		}
		time.Sleep(2 * every)
		if dead.Load() == 0 {
			t.Error("want a death after four heartbeats")
		}
		s.Finish()
		c.Finish()
	})
}

// brokenWire takes nothing.
type brokenWire struct{ wire }

func (*brokenWire) Publish(string, []byte) error { return nats.ErrConnectionClosed }

// What is sent goes out later, and what becomes of it then is not lost.
func TestAMessageThatCannotGoOutEndsTheStream(t *testing.T) {
	t.Parallel()
	broken := make(chan *status.Error, 1)
	s := natstransport.NewFlow(endpoint.Server, "client", 8, 1000, time.Hour, time.Hour, new(brokenWire), func(err *status.Error) { broken <- err })
	_ = s.Send("x") // which may be told at once, or not
	if err := wait(t, broken, "the end"); err.Code != status.Unavailable {
		t.Errorf("want unavailable, have %v", err)
	}
	if err := s.Send("x"); status.CodeOf(err) != status.Unavailable {
		t.Errorf("want unavailable, have %v", err)
	}
	s.Finish()
}

// narrowWire carries little, so that messages go out alone that are not small.
type narrowWire struct{ wire }

func (*narrowWire) MaxPayload() int64 { return 1000 }

// A message that goes out alone does not overtake those that are collected.
func TestLargeMessagesDoNotOvertakeSmallOnes(t *testing.T) {
	t.Parallel()
	fromServer := new(narrowWire)
	s := natstransport.NewFlow(endpoint.Server, "client", 8, 1000, time.Hour, time.Hour, fromServer, func(*status.Error) {})
	c := natstransport.NewFlow(endpoint.Client, "server", 8, 1000, time.Hour, time.Hour, &wire{to: s}, func(*status.Error) {})
	fromServer.connect(c)
	for range 100 {
		for _, m := range []string{"small", raw(300)} {
			if err := s.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []string{"small", raw(300)} {
			if have, _, err := c.Next(); err != nil || want != have {
				t.Fatalf("want %.5s, have %.5s, %v", want, have, err)
			}
		}
	}
	s.Finish()
	c.Finish()
}

// Credit in bytes alone holds a sender up, and lets it go on.
func TestBytesAreGivenBackAsTheyAreRead(t *testing.T) {
	t.Parallel()
	s, c, _, _ := pair(time.Hour, time.Hour, func(*status.Error) {}, func(*status.Error) {})
	done := make(chan error, 1)
	go func() {
		for range 6 { // of 8 messages and 1000 bytes
			if err := s.Send(raw(600)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for n := range 6 {
		if messages, bytes := c.Queued(); messages > 2 || bytes > 1600 {
			t.Errorf("want the window and one message at most, have %d and %d", messages, bytes)
		}
		read := make(chan error, 1)
		go func() {
			_, _, err := c.Next()
			read <- err
		}()
		if err := wait(t, read, fmt.Sprintf("message %d", n)); err != nil {
			t.Error(err)
		}
	}
	if err := wait(t, done, "the sender"); err != nil {
		t.Error(err)
	}
	s.Finish()
	c.Finish()
}

// A reader that takes its time is not dead, and what it has not read is bounded.
func TestASlowReaderHoldsTheSenderUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := func(err *status.Error) { t.Errorf("want no end, have %v", err) }
		s, c, _, _ := pair(time.Second, time.Second, bad, bad)
		var sent atomic.Int64
		go func() {
			for s.Send(fmt.Sprint("message ", sent.Load())) == nil {
				sent.Add(1)
			}
		}()
		time.Sleep(time.Hour)
		synctest.Wait()
		if messages, _ := c.Queued(); sent.Load() != 8 || messages != 8 {
			t.Errorf("want 8 messages sent and kept, have %d and %d", sent.Load(), messages)
		}
		for n := range 100 {
			if m, _, err := c.Next(); err != nil || m != fmt.Sprint("message ", n) {
				t.Fatalf("want message %d, have %q, %v", n, m, err)
			}
			synctest.Wait()
			if ahead := int(sent.Load()) - n; ahead > 8+1 {
				t.Fatalf("want at most 8 messages ahead, have %d", ahead)
			}
		}
		s.Finish()
		c.Finish()
		synctest.Wait()
	})
}

// Many messages that are sent at once go out together.
func TestMessagesGoOutTogether(t *testing.T) {
	t.Parallel()
	bad := func(err *status.Error) { t.Errorf("want no end, have %v", err) }
	s, c, fromServer, _ := pair(time.Hour, time.Hour, bad, bad)
	done := make(chan struct{})
	const many = 10000
	go func() {
		defer close(done)
		for n := range many {
			if m, _, err := c.Next(); err != nil || m != fmt.Sprint(n) {
				t.Errorf("want %d, have %q, %v", n, m, err)
				return
			}
		}
	}()
	for n := range many {
		if err := s.Send(fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, done, "the messages")
	if have := fromServer.sent(); !strings.Contains(have, "B") {
		t.Errorf("want frames of several messages, have %d of one", len(have))
	}
	s.Finish()
	c.Finish()
}
