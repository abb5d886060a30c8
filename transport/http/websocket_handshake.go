package httptransport

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/ashlar-go/ashlar/status"
)

// handshake keeps what websocket.Accept says of a request that it refuses, and the connection that it takes over.
type handshake struct {
	http.ResponseWriter

	conn net.Conn // nil when it was refused
	code int
	text strings.Builder
}

func (h *handshake) WriteHeader(code int) {
	if code == http.StatusSwitchingProtocols {
		h.ResponseWriter.WriteHeader(code)
		return
	}
	h.code = code
}

func (h *handshake) Write(data []byte) (int, error) { return h.text.Write(data) }

// Unwrap is for websocket.Accept, which looks for an http.Hijacker, and refuses the request when there is none.
func (h *handshake) Unwrap() http.ResponseWriter {
	w := h.ResponseWriter
	for {
		switch t := w.(type) {
		case http.Hijacker:
			return takeover{ResponseWriter: w, from: t, hand: h}
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return w
		}
	}
}

// takeover is a writer whose connection can be taken over.
type takeover struct {
	http.ResponseWriter

	from http.Hijacker
	hand *handshake
}

// Hijack implements http.Hijacker.
func (t takeover) Hijack() (conn net.Conn, rw *bufio.ReadWriter, err error) {
	conn, rw, err = t.from.Hijack()
	t.hand.conn = conn
	return conn, rw, err
}

func (h *handshake) error(err error) error {
	code := status.FromHTTP(h.code)
	if code == status.OK {
		return fmt.Errorf("opening a WebSocket: %w", err)
	}
	return &Error{Status: h.code, Err: status.New(code, strings.TrimSpace(h.text.String())).WithCause(err)}
}
