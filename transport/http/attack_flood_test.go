package httptransport_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// allocated returns how many bytes f allocates, with all that runs meanwhile.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

//nolint:paralleltest // it measures the memory of the process
func TestManyHeaderFieldsTakeBoundedMemory(t *testing.T) {
	address := hardened(t, handler("POST /x", add))
	const room = 60 << 10
	var distinct strings.Builder
	for i := 0; distinct.Len() < room; i++ {
		fmt.Fprintf(&distinct, "%x:\r\n", i)
	}
	const (
		cookie = "Cookie: a=b\r\n"
		either = 0 // 200, or 431 by a release of Go that counts fields (500, since 1.27)
	)
	for name, row := range map[string]struct {
		fields string
		want   int
	}{
		"distinct":         {distinct.String(), either},
		"the same":         {strings.Repeat("a:\r\n", room/4), either},
		"cookies":          {strings.Repeat(cookie, room/len(cookie)), either},
		"one that is long": {"a: " + strings.Repeat("x", room) + "\r\n", http.StatusOK},
		"too many":         {strings.Repeat(distinct.String(), 3), http.StatusRequestHeaderFieldsTooLarge},
		"endless":          {strings.Repeat(distinct.String(), 300), http.StatusRequestHeaderFieldsTooLarge},
		"one without end":  {strings.Repeat("x", 20*mib) + ": a\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"a long path":      {"", http.StatusRequestHeaderFieldsTooLarge},
	} {
		text := post + row.fields + "\r\n" + `{"a":1,"b":2}`
		if name == "a long path" {
			text = "GET /" + strings.Repeat("x", 20*mib) + " HTTP/1.1\r\nHost: h\r\n\r\n"
		}
		var code int
		data := []byte(text)
		used := allocated(func() {
			conn := wire(t, address)
			go func() { _, _ = conn.Write(data) }() // the server may stop reading
			if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
				code = response.StatusCode
				response.Body.Close()
			}
			_ = conn.Close()
		})
		t.Logf("%s: %d KiB for %d KiB", name, used>>10, len(text)>>10)
		const most = 4 * mib
		ok := code == row.want || row.want == either && (code == http.StatusOK || code == http.StatusRequestHeaderFieldsTooLarge)
		if !ok || used > most {
			t.Errorf("%s: want %d and at most %d bytes, have %d and %d", name, row.want, most, code, used)
		}
	}
}

// speaker is a client of HTTP/2 that does what it likes.
type speaker struct {
	*http2.Framer

	conn   net.Conn
	out    *bufio.Writer
	packed bytes.Buffer
	packer *hpack.Encoder
}

// speak opens a connection of HTTP/2, with prior knowledge.
func speak(t testing.TB, conn net.Conn) *speaker {
	t.Helper()
	s := &speaker{conn: conn, out: bufio.NewWriterSize(conn, 64<<10)}
	s.Framer = http2.NewFramer(s.out, bufio.NewReader(conn))
	s.packer = hpack.NewEncoder(&s.packed)
	s.MaxHeaderListSize = 1 << 20
	if _, err := s.out.WriteString(http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.WriteSettings(), s.out.Flush()); err != nil {
		t.Fatal(err)
	}
	return s
}

// pack returns fields, after those of every request.
func (s *speaker) pack(path string, fields ...string) []byte {
	s.packed.Reset()
	all := append([]string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", path}, fields...)
	for i := 0; i < len(all); i += 2 {
		_ = s.packer.WriteField(hpack.HeaderField{Name: all[i], Value: all[i+1]})
	}
	return s.packed.Bytes()
}

// open sends the header of a request that has no body.
func (s *speaker) open(stream uint32, block []byte) error {
	return s.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndStream: true, EndHeaders: true})
}

// end reads up to the end of the connection, and returns the code of its GOAWAY, and the statuses of the answers.
func (s *speaker) end() (code http2.ErrCode, statuses []string, err error) {
	code = http2.ErrCodeNo
	s.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		frame, err := s.ReadFrame()
		switch f := frame.(type) {
		case *http2.GoAwayFrame:
			code = f.ErrCode
		case *http2.MetaHeadersFrame:
			statuses = append(statuses, f.PseudoValue("status"))
		}
		if err != nil {
			return code, statuses, err
		}
	}
}

// closed reports whether a connection was ended by the other side, and not by the patience of the test.
func closed(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return err != nil && (!ok || !timeout.Timeout())
}

// busy is a handler that counts how many of it run, whatever becomes of its caller.
type busy struct {
	running, most, all atomic.Int64
	release            chan struct{}
}

func (b *busy) ServeHTTP(http.ResponseWriter, *http.Request) {
	b.all.Add(1)
	now := b.running.Add(1)
	for most := b.most.Load(); now > most; most = b.most.Load() {
		b.most.CompareAndSwap(most, now)
	}
	<-b.release
	b.running.Add(-1)
}

// Rapid reset (CVE-2023-44487): a stream that is cancelled makes room for the next, while its handler goes on.
//
//nolint:paralleltest // it measures the memory of the process
func TestStreamsThatAreResetAtOnceDoNotRunMoreHandlers(t *testing.T) {
	work := &busy{release: make(chan struct{})}
	mux := mount("GET /work", work)
	mux.HandleFunc("GET /other", func(http.ResponseWriter, *http.Request) {})
	address := hardened(t, mux)
	s := speak(t, wire(t, address))
	ended := make(chan http2.ErrCode, 1)
	go func() {
		code, _, _ := s.end()
		ended <- code
	}()
	var sent uint32
	const resets = 20_000
	used := allocated(func() {
		block := bytes.Clone(s.pack("/work"))
		for ; sent < resets; sent++ {
			if s.open(2*sent+1, block) != nil || s.WriteRSTStream(2*sent+1, http2.ErrCodeCancel) != nil {
				break
			}
		}
		_ = s.out.Flush()
		if code := <-ended; code != http2.ErrCodeEnhanceYourCalm {
			t.Errorf("want the connection ended with ENHANCE_YOUR_CALM, have %v", code)
		}
	})
	response, err := http.Get("http://" + address + "/other")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("want others served meanwhile, have %v", err)
	} else {
		response.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	close(work.release)
	const most, mostBytes = 250, 32 * mib
	t.Logf("%d resets sent, %d handlers at once, %d in all, %d KiB", sent, work.most.Load(), work.all.Load(), used>>10)
	if work.most.Load() > most || work.all.Load() > 5*most || used > mostBytes {
		t.Errorf("want at most %d handlers at once and %d bytes, have %d, %d and %d", most, mostBytes, work.most.Load(), work.all.Load(), used)
	}
}

// A header that never ends (CVE-2023-45288), in each way that the frames allow.
//
//nolint:paralleltest // it measures the memory of the process
func TestAHeaderOfHTTP2HasALimit(t *testing.T) {
	var reached atomic.Int64
	address := hardened(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	long := strings.Repeat("x", 4000)
	for name, attack := range map[string]func(s *speaker) error{
		"continued": func(s *speaker) error {
			err := s.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: s.pack("/"), EndStream: true})
			for i := 0; err == nil && i < 5000; i++ {
				s.packed.Reset()
				_ = s.packer.WriteField(hpack.HeaderField{Name: fmt.Sprintf("x-%d", i), Value: long})
				err = s.WriteContinuation(1, false, s.packed.Bytes())
			}
			return err
		},
		"continued with nothing": func(s *speaker) error {
			err := s.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: s.pack("/"), EndStream: true})
			for i := 0; err == nil && i < 200_000; i++ {
				err = s.WriteContinuation(1, false, nil)
			}
			if err == nil {
				err = s.WriteContinuation(1, true, []byte{0xff}) // broken off
			}
			return err
		},
		"one field without end": func(s *speaker) error {
			// A literal field with a name of one byte and a value of 1 GiB.
			block := append(bytes.Clone(s.pack("/")), 0, 1, 'x', 0x7f, 0x81, 0xff, 0xff, 0xff, 3)
			err := s.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndStream: true})
			for i := 0; err == nil && i < 5000; i++ {
				err = s.WriteContinuation(1, false, []byte(long))
			}
			return err
		},
		"bomb of references": func(s *speaker) error {
			// A field of the table is 4000 bytes long, and a byte each time that it is meant.
			block := bytes.Clone(s.pack("/", "x-bomb", long))
			block = append(block, bytes.Repeat([]byte{0x80 | 62}, 16_000-len(block))...)
			return s.open(1, block)
		},
		"many streams of bombs": func(s *speaker) error {
			err := s.open(1, append(bytes.Clone(s.pack("/", "x-bomb", long)), bytes.Repeat([]byte{0x80 | 62}, 10_000)...))
			block := append(bytes.Clone(s.pack("/")), bytes.Repeat([]byte{0x80 | 62}, 10_000)...)
			for i := uint32(1); err == nil && i < 200; i++ {
				err = s.open(2*i+1, block)
			}
			return err
		},
	} {
		conn := wire(t, address)
		s := speak(t, conn)
		var (
			statuses []string
			code     http2.ErrCode
			err      error
		)
		used := allocated(func() {
			done := make(chan struct{})
			go func() {
				defer close(done)
				code, statuses, err = s.end()
			}()
			if attack(s) == nil {
				_ = s.out.Flush()
			}
			_ = conn.CloseWrite()
			<-done
		})
		t.Logf("%s: %d answers, %v, %v, %d KiB", name, len(statuses), code, err, used>>10)
		for _, have := range statuses {
			if have != "431" {
				t.Errorf("%s: want 431, have %s", name, have)
			}
		}
		const most = 32 * mib
		if !closed(err) || used > most {
			t.Errorf("%s: want the connection ended, and at most %d bytes, have %v and %d", name, most, err, used)
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("want none of it at a handler, have %d", n)
	}
}

// Frames that have to be answered, by a client that reads no answers (CVE-2019-9512, 9515 and their like). The connection ends, or what is
// to be answered is not collected; TestAnHTTP2PeerThatDoesNotReadIsCutOffThoughItWrites has its end.
//
//nolint:paralleltest // it measures the memory of the process
func TestFramesThatWantAnAnswerAreNotCollected(t *testing.T) {
	for name, send := range map[string]func(s *speaker, i uint32) error{
		"pings": func(s *speaker, _ uint32) error { return s.WritePing(false, [8]byte{}) },
		"settings": func(s *speaker, _ uint32) error {
			return s.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
		},
		"data of no stream": func(s *speaker, i uint32) error { return s.WriteData(2*i+1, false, nil) },
		"priorities":        func(s *speaker, i uint32) error { return s.WritePriority(2*i+1, http2.PriorityParam{Weight: 1}) },
		"requests":          func(s *speaker, i uint32) error { return s.open(2*i+1, s.pack("/")) },
		"windows":           func(s *speaker, _ uint32) error { return s.WriteWindowUpdate(0, 1) },
	} {
		conn := serveOn(t, newPipes())()
		s := speak(t, conn)
		_ = conn.SetWriteDeadline(time.Now().Add(attackLimit))
		before := inUse()
		var err error
		n := uint32(0)
		for ; err == nil && n < 100_000; n++ {
			err = send(s, n)
		}
		used := inUse() - before
		t.Logf("%s: %d frames, %v, %d KiB", name, n, err, used>>10)
		const most = 8 * mib
		if used > most || err != nil && !closed(err) {
			t.Errorf("%s: want at most %d bytes, have %d after %d frames, %v", name, most, used, n, err)
		}
		_ = conn.Close()
	}
}

// A body of HTTP/2 has the time of one of HTTP/1.1.
func TestABodyOfHTTP2ThatTricklesInIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := make(chan error, 1)
		conn := connect(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			reads <- err
		}))
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		send(t, conn, preface+request(1, false))
		begin := time.Now()
		for {
			select {
			case err := <-reads:
				if have := time.Since(begin); err == nil || have > time.Minute+time.Second {
					t.Errorf("want it to fail after a minute, have %v after %v", err, have)
				}
				return
			case <-time.After(time.Second):
				if _, err := io.WriteString(conn, frame(frameData, 0, 1, " ")); err != nil || time.Since(begin) > 10*time.Minute {
					t.Fatalf("the body goes on, %v, %v", time.Since(begin), err)
				}
			}
		}
	})
}
