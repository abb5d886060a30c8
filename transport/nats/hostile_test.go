package natstransport_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats"
)

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
		"messages taken back":       {[][]byte{accept, frame('C', 2, uvarints(9, 2000))}, status.Internal, "credit was taken back"},
		"bytes taken back":          {[][]byte{accept, frame('C', 2, uvarints(20, 999))}, status.Internal, "credit was taken back"},
		"two headers":               {[][]byte{accept, frame('H', 2, ""), frame('H', 3, "")}, status.Internal, "a header came after"},
		"a late header":             {[][]byte{accept, frame('M', 2, "{}"), frame('H', 3, "")}, status.Internal, "a header came after"},
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
			const messages, bytes = 4, 64
			broken := 0
			flow := natstransport.NewFlow(side, "", messages, bytes, time.Hour, time.Hour, new(wire), func(*status.Error) { broken++ })
			for rest := data; len(rest) > 0; {
				n := min(int(rest[0]), len(rest)-1)
				flow.Receive(rest[1 : 1+n])
				rest = rest[1+n:]
			}
			if n, size := flow.Queued(); n > messages+2 || size > bytes+1000 {
				t.Errorf("want at most %d messages and %d bytes kept, have %d and %d", messages, bytes, n, size)
			}
			if broken > 1 {
				t.Errorf("want one end, have %d", broken)
			}
			flow.Finish()
		}
	})
}

// FuzzAnswer reads answers of whatever serves a subject.
func FuzzAnswer(f *testing.F) {
	f.Add("no", "404", "application/problem+json", []byte(`{"code":"not_found"}`))
	f.Add("", "", "", []byte("{"))
	f.Fuzz(func(t *testing.T, text, code, contentType string, data []byte) {
		h := nats.Header{"nats-service-error": {text}, "Nats-Service-Error-Code": {code}, "Content-Type": {contentType}}
		if e := natstransport.ErrorOf(h, data); e == nil || !e.Code.Valid() || e.Code == status.OK {
			t.Errorf("want an error, have %v", e)
		}
	})
}

// FuzzCredit reads what a client says that it takes.
func FuzzCredit(f *testing.F) {
	f.Add("1024 262144")
	f.Add("-1 1")
	f.Fuzz(func(t *testing.T, text string) {
		again, err := natstransport.ParseCredit(text)
		if err != nil {
			return
		}
		if twice, err := natstransport.ParseCredit(again); err != nil || twice != again {
			t.Errorf("%q: want %q, have %q, %v", text, again, twice, err)
		}
	})
}
