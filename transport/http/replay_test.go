package httptransport_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// diesAtSecond serves one request, and closes connection and port when it has read a second one.
func diesAtSecond(t *testing.T) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		_, _ = conn.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
		_, _ = http.ReadRequest(in)
		_ = l.Close()
	}()
	return l.Addr().String()
}

// Http.Transport sends a GET again on a new connection by itself; that this one is refused does not mean that the first did not arrive.
func TestARequestThatWasSentAgainIsNotOneThatWasNotSent(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST"} {
		spec := endpoint.Spec{Service: "orders", Method: "Next"}
		next, err := httptransport.NewClient[struct{}, struct{}](spec, dial(t, "http://"+diesAtSecond(t)), method+" /next")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := next(t.Context(), struct{}{}); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if _, err := next(t.Context(), struct{}{}); status.CodeOf(err) != status.Unavailable || errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want unavailable of which nobody says that it was not sent, have %v", method, err)
		}
		if _, err := next(t.Context(), struct{}{}); status.CodeOf(err) != status.Unavailable || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want unavailable that was not sent, have %v", method, err)
		}
	}
}
