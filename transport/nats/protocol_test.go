package natstransport_test

import (
	"context"
	"encoding/binary"
	"fmt"
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

// What a hostile client sends ends its stream, with an error that says what was wrong, and nothing else.
func TestHostileClientsEndTheirStreams(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	ended := make(chan error, 1)
	b.serve(natstransport.NewStreamServer(streamSpec, func(ctx context.Context, in inSeq, _ func(*number) error) error {
		<-ctx.Done()
		ended <- context.Cause(ctx)
		for _, err := range in {
			if err != nil {
				return err
			}
		}
		return nil
	}, natstransport.ServerWindow(4, 100), natstransport.ServerMaxRequest(50)))
	nc := b.connect()
	message := func(number uint64) []byte { return frame('M', number, `{"N":1}`) }
	for name, row := range map[string]struct {
		frames [][]byte
		want   string
	}{
		"a gap":                          {[][]byte{message(1), message(4)}, "503 2 frames of the stream were lost: want number 2, have 4"},
		"a repetition":                   {[][]byte{message(1), message(1)}, "400 came again"},
		"a number of 0":                  {[][]byte{message(0)}, "400 came again"},
		"nothing":                        {[][]byte{{}}, "400 it is empty"},
		"an unknown kind":                {[][]byte{frame('?', 1, "")}, "400 its kind '?' is unknown"},
		"no number":                      {[][]byte{{'M'}}, "400 it is cut off"},
		"a number without an end":        {[][]byte{[]byte("M\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")}, "400 it is cut off"},
		"a message after the end":        {[][]byte{frame('E', 1, ""), message(2)}, "400 after the last one"},
		"a message after the last":       {[][]byte{frame('L', 1, "{}"), message(2)}, "400 after the last one"},
		"two ends":                       {[][]byte{frame('E', 1, ""), frame('E', 2, "")}, "400 ended twice"},
		"messages without credit":        {[][]byte{message(1), message(2), message(3), message(4), message(5)}, "400 without credit"},
		"bytes without credit":           {[][]byte{frame('M', 1, raw(50)), frame('M', 2, raw(50)), message(3)}, "400 without credit"},
		"a large message":                {[][]byte{frame('M', 1, raw(51))}, "429 has 51 bytes, and may have 50"},
		"a batch without credit":         {[][]byte{frame('B', 1, strings.Repeat(uvarints(2)+"{}", 5))}, "400 without credit"},
		"a batch of empty messages":      {[][]byte{frame('B', 1, strings.Repeat(uvarints(0), 1000))}, "400 without credit"},
		"a batch that is cut off":        {[][]byte{frame('B', 1, uvarints(9)+"{}")}, "400 it is cut off"},
		"a batch of a huge message":      {[][]byte{frame('B', 1, uvarints(1<<63)+"{}")}, "400 it is cut off"},
		"credit that is taken back":      {[][]byte{frame('C', 1, uvarints(99, 10000))}, "400 taken back"},
		"credit without bytes":           {[][]byte{frame('C', 1, uvarints(99))}, "400 it is cut off"},
		"credit with more behind it":     {[][]byte{frame('C', 1, uvarints(999, 99999, 1))}, "400 too many"},
		"credit that overflows":          {[][]byte{frame('C', 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01")}, "400 it is cut off"},
		"what only a server sends":       {[][]byte{frame('H', 1, "")}, "400 not for a client"},
		"what only a server begins with": {[][]byte{frame('A', 1, uvarints(1, 1, 1))}, "400 not for a client"},
	} {
		s := open(t, nc, opening(), nil)
		s.read()
		s.send(row.frames...)
		m := s.read()
		code, want, _ := strings.Cut(row.want, " ")
		if code == "503" { // data_loss is 500 in HTTP
			code = "500"
		}
		if m.Data[0] != 'E' || m.Header.Get("Nats-Service-Error-Code") != code || !strings.Contains(m.Header.Get("Nats-Service-Error"), want) {
			t.Errorf("%s: want %s and %q, have %q, %v", name, code, want, m.Data, m.Header)
		}
		if err := wait(t, ended, name); err == nil {
			t.Errorf("%s: want a cause", name)
		}
	}
	s := open(t, nc, opening(), frame('L', 1, "{}"))
	s.read()
	s.send(frame('X', 0, ""))
	if err := wait(t, ended, "a stream afterwards"); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
}

// fakeServer answers the opening of a stream by hand.
func fakeServer(t *testing.T, b *broker, f func(nc *nats.Conn, m *nats.Msg, inbox string)) (frames chan string) {
	t.Helper()
	nc := b.connect()
	frames = make(chan string, 100)
	inbox := nc.NewInbox()
	if _, err := nc.Subscribe(inbox, func(m *nats.Msg) { frames <- string(m.Data) }); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Subscribe("numbers.Echo", func(m *nats.Msg) { f(nc, m, inbox) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return frames
}

func TestHostileServersEndTheirStreams(t *testing.T) {
	t.Parallel()
	accept := frame('A', 1, uvarints(10, 1000, 3_600_000))
	for name, row := range map[string]struct {
		frames [][]byte
		want   status.Code
		text   string
	}{
		"a gap":                     {[][]byte{accept, frame('M', 3, "{}")}, status.DataLoss, "1 frames of the stream were lost"},
		"a repetition":              {[][]byte{accept, frame('M', 1, "{}")}, status.Internal, "came again"},
		"no acceptance":             {[][]byte{frame('M', 1, "{}")}, status.Internal, "before the stream was accepted"},
		"two acceptances":           {[][]byte{accept, frame('A', 2, uvarints(1, 1, 1))}, status.Internal, "not accepted by its first frame"},
		"garbage":                   {[][]byte{[]byte("garbage")}, status.Internal, "its kind 'g' is unknown"},
		"what only a client sends":  {[][]byte{accept, frame('L', 2, "{}")}, status.Internal, "not for a server"},
		"a client's end":            {[][]byte{accept, frame('X', 2, "")}, status.Internal, "not for a server"},
		"messages without credit":   {[][]byte{accept, frame('B', 2, strings.Repeat(uvarints(2)+"{}", 6))}, status.Internal, "without credit"},
		"a large message":           {[][]byte{accept, frame('M', 2, raw(101))}, status.ResourceExhausted, "has 101 bytes"},
		"an end, and more after it": {[][]byte{accept, frame('M', 2, "{}"), frame('E', 3, ""), frame('M', 9, "{}")}, status.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t)
			frames := fakeServer(t, b, func(nc *nats.Conn, m *nats.Msg, inbox string) {
				for _, f := range row.frames {
					if err := nc.PublishRequest(m.Reply, inbox, f); err != nil {
						t.Error(err)
					}
				}
			})
			call := streamClient[*number, *number](t, b.conn(), natstransport.ClientWindow(5, 1000), natstransport.ClientMaxResponse(100))
			held := make(chan struct{})
			defer close(held)
			first := make(chan struct{})
			err := call(deadline(t), func(func(*number, error) bool) { <-held }, func(*number) error {
				close(first)
				return nil
			})
			if status.CodeOf(err) != row.want || row.text != "" && !strings.Contains(err.Error(), row.text) {
				t.Errorf("want %v and %q, have %v", row.want, row.text, err)
			}
			if row.want != status.OK && row.frames[0][0] == 'A' {
				if have := wait(t, frames, "the client's last word"); have[0] != 'X' {
					t.Errorf("want that the server is told, have %q", have)
				}
			}
		})
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

// The messages of a stream are numbered, so that NATS may drop one and nobody takes the others for all.
func TestALostMessageEndsTheStream(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	frames := fakeServer(t, b, func(nc *nats.Conn, m *nats.Msg, inbox string) {
		for n, f := range [][]byte{frame('A', 1, uvarints(1, 1, 1000)), frame('M', 2, `{"N":1}`), nil, frame('M', 4, `{"N":3}`), frame('E', 5, "")} {
			if f == nil { // as if it had been lost
				continue
			}
			if err := nc.PublishRequest(m.Reply, inbox, f); err != nil {
				t.Error(n, err)
			}
		}
	})
	var have []int
	err := streamClient[*number, *number](t, b.conn())(deadline(t), endpoint.Seq[*number](), func(m *number) error {
		have = append(have, m.N)
		return nil
	})
	if status.CodeOf(err) != status.DataLoss || fmt.Sprint(have) != "[1]" && len(have) > 0 {
		t.Errorf("want data_loss, have %v after %v", err, have)
	}
	for len(frames) > 0 {
		<-frames
	}
}

// FuzzStream sends both ends of a stream what another process may send.
func FuzzStream(f *testing.F) {
	for _, seed := range [][][]byte{
		{frame('A', 1, uvarints(1, 2, 3)), frame('M', 2, "{}"), frame('B', 3, uvarints(2)+"{}"+uvarints(0))},
		{frame('M', 1, "{}"), frame('C', 2, uvarints(1, 2)), frame('L', 3, "{}"), frame('P', 4, ""), frame('X', 0, "")},
		{frame('H', 1, ""), frame('E', 2, "text")},
	} {
		var all []byte
		for _, one := range seed {
			all = append(append(all, byte(len(one))), one...)
		}
		f.Add(all)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, side := range []endpoint.Side{endpoint.Server, endpoint.Client} {
			const messages, bytes, largest = 4, 64, 32
			broken := 0
			flow := natstransport.NewFlow(side, "", messages, bytes, time.Hour, time.Hour, largest, new(wire), func(*status.Error) { broken++ })
			for rest := data; len(rest) > 0; {
				n := min(int(rest[0]), len(rest)-1)
				flow.Receive(rest[1 : 1+n])
				rest = rest[1+n:]
			}
			if n, size := flow.Queued(); n > messages+2 || size > bytes+largest {
				t.Errorf("want at most %d messages and %d bytes kept, have %d and %d", messages, bytes, n, size)
			}
			if broken > 1 {
				t.Errorf("want one end, have %d", broken)
			}
			flow.Finish()
		}
	})
}
