package natstransport_test

import (
	"context"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// opening is the header of a message that opens a stream.
func opening() nats.Header {
	return nats.Header{"Ashlar-Stream": {"1"}, "Ashlar-Credit": {"100 10000"}, "Ashlar-Heartbeat": {"1H"}}
}

// frame is the kind, the number and the body of a frame.
func frame(kind byte, number uint64, body string) []byte {
	return append(binary.AppendUvarint([]byte{kind}, number), body...)
}

// raw is n bytes.
func raw(n int) string { return strings.Repeat("x", n) }

func uvarints(numbers ...uint64) string {
	var b []byte
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return string(b)
}

// speaker speaks the protocol of streams by hand.
type speaker struct {
	t    *testing.T
	nc   *nats.Conn
	sub  *nats.Subscription
	peer string
}

// open opens a stream of the operation.
func open(t *testing.T, nc *nats.Conn, header nats.Header, body []byte) *speaker {
	t.Helper()
	s := &speaker{t: t, nc: nc}
	inbox := nc.NewInbox()
	var err error
	if s.sub, err = nc.SubscribeSync(inbox); err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishMsg(&nats.Msg{Subject: "numbers.Echo", Reply: inbox, Header: header, Data: body}); err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns the next message but heartbeats.
func (s *speaker) read() *nats.Msg {
	s.t.Helper()
	for {
		m, err := s.sub.NextMsg(limit)
		if err != nil {
			s.t.Fatal(err)
		}
		if m.Reply != "" {
			s.peer = m.Reply
		}
		if len(m.Data) == 0 || m.Data[0] != 'P' {
			return m
		}
	}
}

func (s *speaker) send(frames ...[]byte) {
	s.t.Helper()
	for _, f := range frames {
		if err := s.nc.Publish(s.peer, f); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestTheProtocolOfStreamsIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewStreamServer(streamSpec, func(ctx context.Context, in inSeq, out func(*number) error) error {
		transport.FromContext(ctx).Response.Set("X-Shard", "7")
		transport.FromContext(ctx).Trailer.Set("X-Cost", "3")
		return echo(ctx, in, out)
	}, natstransport.ServerWindow(10, 2000), natstransport.ServerHeartbeat(7*time.Second)))
	s := open(t, b.connect(), opening(), nil)
	if want, have := frame('A', 1, uvarints(10, 2000, 7000)), s.read().Data; !reflect.DeepEqual(want, have) || s.peer == "" {
		t.Fatalf("accept: want %q, have %q", want, have)
	}
	s.send(frame('M', 1, `{"N":1}`))
	m := s.read()
	if want := frame('H', 2, ""); !reflect.DeepEqual(want, m.Data) || m.Header.Get("X-Shard") != "7" {
		t.Errorf("header: want %q, have %q, %v", want, m.Data, m.Header)
	}
	if want, have := frame('M', 3, `{"N":1}`), s.read().Data; !reflect.DeepEqual(want, have) {
		t.Errorf("message: want %q, have %q", want, have)
	}
	s.send(frame('P', 2, ""), frame('B', 3, uvarints(7)+`{"N":2}`+uvarints(7)+`{"N":3}`), frame('C', 4, uvarints(200, 20000)), frame('L', 5, `{"N":4}`))
	want := `{"N":2}{"N":3}{"N":4}`
	have, number := "", uint64(3)
	for m = s.read(); m.Data[0] != 'E'; m = s.read() {
		number++
		switch {
		case m.Data[0] == 'M' && m.Data[1] == byte(number):
			have += string(m.Data[2:])
		case m.Data[0] == 'B' && m.Data[1] == byte(number):
			for rest := m.Data[2:]; len(rest) > 0; rest = rest[1+rest[0]:] {
				have += string(rest[1 : 1+rest[0]])
			}
		default:
			t.Fatalf("have the frame %q", m.Data)
		}
	}
	if have != want {
		t.Errorf("want %s, have %s", want, have)
	}
	if want := frame('E', number+1, ""); !reflect.DeepEqual(want, m.Data) || m.Header.Get("X-Cost") != "3" || m.Header.Get("Nats-Service-Error") != "" {
		t.Errorf("end: want %q, have %q, %v", want, m.Data, m.Header)
	}
	// The one request of a stream may open it, and the end may be an error.
	s = open(t, b.connect(), opening(), frame('L', 1, `{"N":"x"}`))
	s.read()
	if m := s.read(); m.Data[0] != 'E' || m.Header.Get("Nats-Service-Error-Code") != "400" || m.Header.Get("Content-Type") != status.ProblemType ||
		!strings.Contains(string(m.Data[2:]), `"code":"invalid_argument"`) {
		t.Errorf("an error: have %q, %v", m.Data, m.Header)
	}
}

func TestTheDefaultsOfStreams(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewStreamServer(streamSpec, echo))
	s := open(t, b.connect(), opening(), nil)
	want := frame('A', 1, uvarints(natstransport.DefaultWindowMessages, natstransport.DefaultWindowBytes, 5000))
	if have := s.read().Data; !reflect.DeepEqual(want, have) {
		t.Errorf("the server: want %q, have %q", want, have)
	}
	s.send(frame('E', 1, ""))
	headers := make(chan nats.Header, 1)
	other := newBroker(t)
	fakeServer(t, other, func(_ *nats.Conn, m *nats.Msg, _ string) { headers <- m.Header })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	call := streamClient[*number, *number](t, other.conn())
	go func() { done <- call(ctx, endpoint.Seq[*number](), nil) }()
	header := nats.Header{"Ashlar-Stream": {"1"}, "Ashlar-Credit": {"1024 262144"}, "Ashlar-Heartbeat": {"5000000u"}}
	if have := wait(t, headers, "the opening"); !reflect.DeepEqual(header, have) {
		t.Errorf("the client: want %v, have %v", header, have)
	}
	cancel()
	if err := wait(t, done, "the call"); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
}

func TestOpeningsThatAreWrongAreRefused(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewStreamServer(streamSpec, echo))
	nc := b.connect()
	for name, row := range map[string]struct {
		key, value, code, want string
	}{
		"version":        {"Ashlar-Stream", "2", "501", `version \"2\"`},
		"no stream":      {"Ashlar-Stream", "", "501", "is bidirectional"},
		"credit":         {"Ashlar-Credit", "many", "400", "Ashlar-Credit"},
		"credit below 0": {"Ashlar-Credit", "1 -1", "400", "Ashlar-Credit"},
		"heartbeat":      {"Ashlar-Heartbeat", "", "400", "Ashlar-Heartbeat"},
		"content type":   {"Content-Type", "text/csv", "400", "UNSUPPORTED_MEDIA_TYPE"},
		"timeout":        {"Ashlar-Timeout", "soon", "400", "Ashlar-Timeout"},
	} {
		header := opening()
		header[row.key] = []string{row.value}
		if m := open(t, nc, header, nil).read(); m.Header.Get("Nats-Service-Error-Code") != row.code || !strings.Contains(string(m.Data), row.want) {
			t.Errorf("%s: want %s and %s, have %v %s", name, row.code, row.want, m.Header, m.Data)
		}
	}
}

func TestAClientThatFallsSilentIsMissed(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	ended := make(chan error, 1)
	b.serve(natstransport.NewStreamServer(streamSpec, func(ctx context.Context, _ inSeq, _ func(*number) error) error {
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	}, natstransport.ServerHeartbeat(20*time.Millisecond)))
	header := opening()
	header["Ashlar-Heartbeat"] = []string{"20m"}
	s := open(t, b.connect(), header, nil)
	if err := wait(t, ended, "the end of the stream"); status.CodeOf(err) != status.Canceled || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("want canceled, have %v", err)
	}
	s.read()
	if m := s.read(); m.Data[0] != 'E' || m.Header.Get("Nats-Service-Error-Code") != "499" {
		t.Errorf("want that the client is told, have %q, %v", m.Data, m.Header)
	}
}

func TestAServerThatFallsSilentIsMissed(t *testing.T) {
	t.Parallel()
	for name, frames := range map[string][][]byte{"at once": nil, "later": {frame('A', 1, uvarints(1, 1, 20))}} {
		b := newBroker(t)
		fakeServer(t, b, func(nc *nats.Conn, m *nats.Msg, inbox string) {
			for _, f := range frames {
				if err := nc.PublishRequest(m.Reply, inbox, f); err != nil {
					t.Error(err)
				}
			}
		})
		call := streamClient[*number, *number](t, b.conn(), natstransport.ClientHeartbeat(20*time.Millisecond))
		err := call(t.Context(), endpoint.Seq[*number](), nil)
		if status.CodeOf(err) != status.Unavailable || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("%s: want unavailable, have %v", name, err)
		}
	}
}

// A client may give a stream up before the server has accepted it.
func TestAStreamThatIsAcceptedTooLateIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	opened, accept := make(chan struct{}), make(chan struct{})
	frames := fakeServer(t, b, func(nc *nats.Conn, m *nats.Msg, inbox string) {
		close(opened)
		<-accept
		if err := nc.PublishRequest(m.Reply, inbox, frame('A', 1, uvarints(1, 1, 1000))); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-opened
		cancel()
	}()
	call := streamClient[*number, *number](t, b.conn())
	if err := call(ctx, endpoint.Seq[*number](), nil); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
	close(accept)
	if want, have := string(frame('X', 0, "")), wait(t, frames, "the client's word"); want != have {
		t.Errorf("want %q, have %q", want, have)
	}
}
