package httptransport_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// deflated compresses what r yields as permessage-deflate does (RFC 7692, section 7.2.1).
func deflated(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := flate.NewWriter(&buf, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.Copy(w, r); err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\x00\x00\xff\xff"))
}

// rawFrame returns a frame of a client, masked with nothing.
func rawFrame(head byte, data []byte) []byte {
	b := []byte{head, 0x80 | 127}
	b = binary.BigEndian.AppendUint64(b, uint64(len(data)))
	return append(append(b, 0, 0, 0, 0), data...)
}

// Compressed messages are not taken, so that none of them is a bomb.
//
//nolint:paralleltest // it measures the memory of the process
func TestAWebSocketTakesNoCompressedMessages(t *testing.T) {
	var got atomic.Int64
	h := httptransport.NewStreamServer(chatSpec, func(_ context.Context, in iter.Seq2[number, error], _ func(number) error) error {
		for _, err := range in {
			if err != nil {
				return err
			}
			got.Add(1)
		}
		return nil
	})
	address := hardened(t, mount("/chat", h))
	bomb := deflated(t, io.MultiReader(strings.NewReader(`{"from":"`), zeros(64*mib), strings.NewReader(`"}`)))
	const compressed, final, text, binaryFrame = 0x40, 0x80, 1, 2
	for name, frames := range map[string][]byte{
		"compressed":          rawFrame(final|compressed|text, bomb),
		"compressed, binary":  rawFrame(final|compressed|binaryFrame, bomb),
		"in many frames":      append(rawFrame(compressed|text, bomb[:10]), rawFrame(final, bomb[10:])...),
		"a compressed ping":   rawFrame(final|compressed|9, bomb),
		"another extension's": rawFrame(final|0x20|text, []byte(`{"n":1}`)),
	} {
		for _, extension := range []string{"permessage-deflate", "permessage-deflate; client_no_context_takeover; server_no_context_takeover", "x-webkit-deflate-frame"} {
			var left []byte
			used := allocated(func() {
				conn := wire(t, address)
				request := "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
					"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: " + extension + "\r\n\r\n"
				_, _ = io.WriteString(conn, request)
				_, _ = conn.Write(frames)
				_ = conn.CloseWrite()
				left, _ = io.ReadAll(conn)
			})
			answer, rest, _ := bytes.Cut(left, []byte("\r\n\r\n"))
			if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101 ")) || bytes.Contains(answer, []byte("Extensions")) {
				t.Errorf("%s: want a handshake without extensions, have %q", name, answer)
			}
			const closing, gone = 0x88, websocket.StatusCode(4001) // the latter where the stream ends before the library says why
			i := bytes.IndexByte(rest, closing)
			if i < 0 || len(rest) < i+4 {
				t.Errorf("%s: want it closed, have %q", name, rest)
			} else if code := websocket.StatusCode(binary.BigEndian.Uint16(rest[i+2:])); code != websocket.StatusProtocolError && code != gone {
				t.Errorf("%s: want it closed with %d, have %d", name, websocket.StatusProtocolError, code)
			}
			const most = 4 * mib
			if used > most {
				t.Errorf("%s: want at most %d bytes, have %d", name, most, used)
			}
		}
	}
	if n := got.Load(); n > 0 {
		t.Errorf("%d messages reached the stream", n)
	}
}
