package httptransport_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"

	"github.com/ashlar-go/ashlar/internal/testcert"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// A port for TLS serves nothing that is not TLS, and a port without serves nothing that is.
func TestPlaintextReachesNoHandlerBehindTLS(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	authority := testcert.New(t, "root")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptransport.NewHTTPServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	runUntilEnd(t, srv, l, &tls.Config{
		Certificates: []tls.Certificate{authority.Issue(t, testcert.Leaf{Hosts: []string{"127.0.0.1"}}).TLS()}, MinVersion: tls.VersionTLS12,
	})

	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	for name, text := range map[string]string{
		"HTTP/1.1":         get,
		"a POST":           post + "\r\n" + `{"a":1,"b":2}`,
		"HTTP/2":           http2.ClientPreface,
		"a WebSocket":      strings.Replace(get, "\r\n\r\n", "\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 1),
		"nothing":          "",
		"nonsense":         "\x16\x03\x01\xff\xff" + strings.Repeat("x", 1000),
		"SSL 3.0":          "\x16\x03\x00\x00\x05\x01\x00\x00\x01\x00",
		"a large record":   "\x16\x03\x01\x7f\xff" + strings.Repeat("x", 0x7fff),
		"an alert at once": "\x15\x03\x01\x00\x02\x02\x28",
	} {
		conn := wire(t, l.Addr().String())
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		_ = conn.CloseWrite()
		data, err := io.ReadAll(conn)
		if closed := err == nil || strings.Contains(err.Error(), "reset"); !closed || len(data) > 200 || strings.Contains(string(data), "200 OK") {
			t.Errorf("%s: want a refusal and the end, have %q, %v", name, data, err)
		}
	}
	old := &tls.Config{RootCAs: authority.Pool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", l.Addr().String(), old); err == nil {
		_ = conn.Close()
		t.Error("want TLS 1.1 refused")
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests reached the handler", n)
	}
	// It still serves those who speak TLS.
	own := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	defer own.CloseIdleConnections()
	response, err := (&http.Client{Transport: own}).Get("https://" + l.Addr().String())
	if err != nil || response.ProtoMajor != 2 || reached.Load() != 1 {
		t.Fatalf("want it served by HTTP/2, have %v, %v", response, err)
	}
	response.Body.Close()

	address := hardened(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	if conn, err := tls.Dial("tcp", address, own.TLSClientConfig); err == nil {
		_ = conn.Close()
		t.Error("want TLS to a port without refused")
	}
	conn := wire(t, address)
	_, _ = io.WriteString(conn, "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n")
	if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || response.StatusCode != http.StatusBadRequest || reached.Load() != 1 {
		t.Errorf("want 400 for it, have %v, %v", response, err)
	}
}
