package httptransport_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Types of HTTP/2 frames, RFC 9113, section 6.
const (
	frameData = iota
	frameHeaders
	framePriority
	frameReset
	frameSettings
	framePush
	framePing
	frameGoAway
	frameWindow
)

// preface opens a connection of HTTP/2 with settings that allow every stream 2 GiB of answer.
var preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(frameSettings, 0, 0, "\x00\x04\x7f\xff\xff\xff")

func frame(kind, flags byte, stream uint32, payload string) string {
	size := len(payload)
	head := []byte{byte(size >> 16), byte(size >> 8), byte(size), kind, flags}
	return string(binary.BigEndian.AppendUint32(head, stream)) + payload
}

// request is the frames of a call of POST /x on a stream; of its body there is more to come unless whole.
func request(stream uint32, whole bool) string {
	const endHeaders, endStream = 4, 1
	literal := func(index, text string) string { return index + string(rune(len(text))) + text }
	// HPACK, RFC 7541: indexed fields, and literals without indexing.
	fields := "\x83\x86" + literal("\x04", "/x") + literal("\x01", "h") + literal("\x0f\x10", "application/json")
	text := frame(frameHeaders, endHeaders, stream, fields)
	if whole {
		text += frame(frameData, endStream, stream, `{"a":1,"b":2}`)
	}
	return text
}

// readFrame returns the next frame.
func readFrame(r io.Reader) (kind byte, stream uint32, payload []byte, err error) {
	var head [9]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return 0, 0, nil, err
	}
	payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	_, err = io.ReadFull(r, payload)
	return head[3], binary.BigEndian.Uint32(head[5:]), payload, err
}

// readUntil reads frames up to one of a kind.
func readUntil(t *testing.T, r io.Reader, want byte) (stream uint32, payload []byte) {
	t.Helper()
	for {
		kind, stream, payload, err := readFrame(r)
		if err != nil {
			t.Fatalf("want a frame of type %d, have %v", want, err)
		}
		if kind == want {
			return stream, payload
		}
	}
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestAnHTTP2PeerThatDoesNotReadIsCutOffThoughItWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, handler("POST /x", large))
		send(t, conn, preface+frame(frameWindow, 0, 0, "\x7f\x00\x00\x00")+request(1, true))
		readUntil(t, conn, frameData)
		begin := time.Now()
		for time.Since(begin) < 10*time.Minute {
			time.Sleep(time.Second)
			if _, err := io.WriteString(conn, frame(frameWindow, 0, 1, "\x00\x00\x00\x01")); err != nil {
				break
			}
		}
		if have := time.Since(begin); have > 31*time.Second {
			t.Errorf("want the connection cut off after 30 s without a read, have %v", have)
		}
	})
}

func TestASilentHTTP2PeerIsPingedAndCutOff(t *testing.T) {
	t.Parallel()
	wait := func(ctx context.Context, _ *pair) (*total, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, handler("POST /x", wait))
		send(t, conn, preface+request(1, true))
		begin := time.Now()
		readUntil(t, conn, framePing)
		if have := time.Since(begin); have != 30*time.Second {
			t.Errorf("want a ping after 30 s of silence, have one after %v", have)
		}
		_, err := io.Copy(io.Discard, conn)
		if have := time.Since(begin); have != 45*time.Second || err != nil {
			t.Errorf("want the end 15 s later, have %v, %v", have-30*time.Second, err)
		}
	})
}

func TestAnHTTP2ConnectionHas250Streams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, handler("POST /x", add))
		var text strings.Builder
		const most = 250
		for i := range uint32(most + 1) {
			text.WriteString(request(2*i+1, false))
		}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			send(t, conn, preface+text.String())
		}()
		_, settings := readUntil(t, conn, frameSettings)
		if !strings.Contains(string(settings), "\x00\x03\x00\x00\x00\xfa") {
			t.Errorf("want the limit among the settings, have %x", settings)
		}
		stream, reason := readUntil(t, conn, frameReset)
		const refused = 7 // before anything was acted upon, so that it can be sent again: RFC 9113, section 8.7
		if stream != 2*most+1 || binary.BigEndian.Uint32(reason) != refused {
			t.Errorf("want stream %d refused, have %d, %x", 2*most+1, stream, reason)
		}
		<-sent
	})
}
