package httptransport_test

import (
	"context"
	"encoding/binary"
	"io"
	"iter"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// piped runs f with the clock of synctest. Open serves h, and returns a connection to it on which text was sent; what the server answers is
// dropped.
func piped(t *testing.T, f func(t *testing.T, open func(h http.Handler, text string) net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, func(h http.Handler, text string) net.Conn {
			srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
			l := newPipes()
			go func() { _ = srv.Serve(l) }()
			conn := l.dial()
			t.Cleanup(func() {
				_ = conn.Close()
				_ = srv.Close()
				<-time.After(time.Second) // net/http lets a connection linger for half of it
			})
			if _, err := io.WriteString(conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			return conn
		})
	})
}

// clientFrame returns a text frame that announces size bytes, and has those of data.
func clientFrame(size uint64, data string) []byte {
	const final, text, masked, long = 0x80, 1, 0x80, 127
	b := binary.BigEndian.AppendUint64([]byte{final | text, masked | long}, size)
	if size < 126 {
		b = []byte{final | text, masked | byte(size)}
	}
	return append(append(b, 0, 0, 0, 0), data...)
}

const openSocket = "GET / HTTP/1.1\nHost: x\n" + upgrade + "\n"

// drain is a stream that reads all it gets.
func drain(_ context.Context, in iter.Seq2[number, error], _ func(number) error) error {
	for _, err := range in {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestAnOversizeFrameWhoseRestNeverComesEndsTheStream(t *testing.T) {
	t.Parallel()
	piped(t, func(t *testing.T, open func(http.Handler, string) net.Conn) { //nolint:thelper // it is the test
		outcomes := make(chan httptransport.Outcome, 1)
		h := httptransport.NewStreamServer(chatSpec, drain, httptransport.ServerMaxRequest(1000),
			httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcomes <- o }))
		conn := open(h, openSocket)
		if _, err := conn.Write(clientFrame(1<<40, strings.Repeat("x", 2000))); err != nil {
			t.Fatal(err)
		}
		const closing = 6 * time.Second // the client has 5 to close the WebSocket, too
		select {
		case o := <-outcomes:
			if status.CodeOf(o.Err) != status.ResourceExhausted {
				t.Errorf("want ResourceExhausted, have %v", o.Err)
			}
		case <-time.After(closing):
			t.Errorf("the handler goes on %v after the frame", closing)
			_ = conn.Close()
			<-outcomes
		}
	})
}

func TestAnOversizeFrameDoesNotHideThatTheClientGoesAway(t *testing.T) {
	t.Parallel()
	piped(t, func(t *testing.T, open func(http.Handler, string) net.Conn) { //nolint:thelper // it is the test
		began, over := make(chan struct{}), make(chan error, 1)
		h := httptransport.NewStreamServer(chatSpec, watch(began, over, false), httptransport.ServerMaxRequest(1000), httptransport.ServerPing(0))
		conn := open(h, openSocket)
		<-began
		if _, err := conn.Write(clientFrame(2000, strings.Repeat("x", 2000))); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		select {
		case err := <-over:
			if status.CodeOf(err) != status.Canceled {
				t.Errorf("want Canceled, have %v", err)
			}
		case <-time.After(time.Second):
			t.Fatal("the stream goes on a second after its client went away")
		}
	})
}

// flooding writes message until nobody takes it for a second, and returns how many were taken.
func flooding(conn net.Conn, message []byte) (taken int) {
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := conn.Write(message); err != nil {
			return taken
		}
		taken++
	}
}

func TestEmptyFramesCountAsWhatTheyHold(t *testing.T) {
	t.Parallel()
	piped(t, func(t *testing.T, open func(http.Handler, string) net.Conn) { //nolint:thelper // it is the test
		began, over := make(chan struct{}), make(chan error, 1)
		h := httptransport.NewStreamServer(chatSpec, watch(began, over, false))
		conn := open(h, openSocket)
		<-began
		const most = 2000 // 64 of a KiB each, and what stands in a buffer of the connection
		if have := flooding(conn, clientFrame(0, "")); have > most {
			t.Errorf("want at most %d empty frames taken from a client for a stream that reads none, have %d", most, have)
		}
		_ = conn.Close()
		if err := <-over; status.CodeOf(err) != status.ResourceExhausted {
			t.Errorf("want ResourceExhausted, have %v", err)
		}
	})
}

func TestAClientWhoseRequestDoesNotComeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	piped(t, func(t *testing.T, open func(http.Handler, string) net.Conn) { //nolint:thelper // it is the test
		outcomes := make(chan httptransport.Outcome, 1)
		h := httptransport.NewStreamServer(countSpec, count,
			httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcomes <- o }))
		conn := open(h, openSocket)
		const limit = 16 * time.Second // 10 for the request, 5 for the close
		select {
		case o := <-outcomes:
			if status.CodeOf(o.Err) != status.DeadlineExceeded {
				t.Errorf("want DeadlineExceeded, have %v", o.Err)
			}
		case <-time.After(limit):
			t.Errorf("no request, and the handler goes on after %v", limit)
			_ = conn.Close()
			<-outcomes
		}
	})
}

// What a client sends to a stream that does not read hides whether it is still there.
func TestAStreamThatDoesNotReadForAMinuteEnds(t *testing.T) {
	t.Parallel()
	const upload = "POST / HTTP/1.1\nHost: x\nContent-Type: application/x-ndjson\nTransfer-Encoding: chunked\n\n"
	line := `{"n":1,"from":"` + strings.Repeat("x", 983) + `"}`
	for name, row := range map[string]struct {
		spec    endpoint.Spec
		text    string
		message []byte
	}{
		"WebSocket": {chatSpec, openSocket, clientFrame(1000, line)},
		"upload":    {sumSpec, upload, []byte("3e9\r\n" + line + "\n\r\n")},
	} {
		piped(t, func(t *testing.T, open func(http.Handler, string) net.Conn) { //nolint:thelper // it is the test
			over := make(chan error, 1)
			conn := open(httptransport.NewStreamServer(row.spec, silent(over)), row.text)
			begin := time.Now()
			if have := flooding(conn, row.message); have < 64 {
				t.Errorf("%s: want 64 KiB read ahead, have %d", name, have)
			}
			_ = conn.Close()
			err := <-over
			if status.CodeOf(err) != status.ResourceExhausted {
				t.Errorf("%s: want ResourceExhausted, have %v", name, err)
			}
			if took := time.Since(begin); took < time.Minute || took > 61*time.Second {
				t.Errorf("%s: want the end after a minute, have it after %v", name, took)
			}
		})
		piped(t, func(t *testing.T, open func(http.Handler, string) net.Conn) { //nolint:thelper // it is the test
			over := make(chan error, 1)
			slow := func(ctx context.Context, in iter.Seq2[number, error], _ func(number) error) error {
				have := 0
				for _, err := range in {
					if err != nil {
						over <- err
						return err
					}
					if have++; have == 5 {
						break
					}
					select {
					case <-ctx.Done():
					case <-time.After(55 * time.Second):
					}
				}
				over <- context.Cause(ctx)
				return nil
			}
			conn := open(httptransport.NewStreamServer(row.spec, slow), row.text)
			var sending sync.WaitGroup
			sending.Go(func() {
				for {
					if _, err := conn.Write(row.message); err != nil {
						return
					}
				}
			})
			if err := <-over; err != nil {
				t.Errorf("%s: a stream that reads slowly ended: %v", name, err)
			}
			_ = conn.Close()
			sending.Wait()
		})
	}
}
