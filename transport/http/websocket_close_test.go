package httptransport_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// The stream ends at once, and the server waits for the client to close the WebSocket, too.
func TestAClientThatDoesNotCloseIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	const (
		huge    = 1 << 40
		closing = 5 * time.Second
	)
	end, tooLarge := clientFrame(13, `{"$end":true}`), clientFrame(huge, strings.Repeat("x", 2000))
	for name, row := range map[string]struct {
		first []byte
		code  status.Code
		then  func(conn net.Conn) // a second later
	}{
		"nothing":                         {end, status.OK, nil},
		"half the header of a frame":      {end, status.OK, sends(clientFrame(huge, "")[:5])},
		"a frame without its rest":        {end, status.OK, sends(clientFrame(huge, "x"))},
		"a ping without its rest":         {end, status.OK, sends([]byte{0x89, 0x84, 0, 0, 0, 0, 'x'})},
		"frames for ever":                 {end, status.OK, sendsOn(clientFrame(100, strings.Repeat("x", 100)), 10*time.Millisecond)},
		"a byte a second":                 {end, status.OK, sendsOn([]byte{0x82}, time.Second)},
		"no more of a frame over limit":   {tooLarge, status.ResourceExhausted, nil},
		"some more of a frame over limit": {tooLarge, status.ResourceExhausted, sends(make([]byte, 8<<10))},
		"a frame over limit for ever":     {tooLarge, status.ResourceExhausted, sendsOn(make([]byte, 1<<10), 10*time.Millisecond)},
		"a frame over limit by bytes":     {tooLarge, status.ResourceExhausted, sendsOn([]byte("x"), 10*time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			piped(t, func(t *testing.T, open func(http.Handler, string) net.Conn) { //nolint:thelper // it is the test
				outcomes := make(chan httptransport.Outcome, 1)
				conn := open(httptransport.NewStreamServer(chatSpec, drain, httptransport.ServerMaxRequest(1000),
					httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcomes <- o })), openSocket)
				begin := time.Now()
				if _, err := conn.Write(row.first); err != nil {
					t.Fatal(err)
				}
				if row.then != nil {
					<-time.After(time.Second)
					go row.then(conn)
				}
				select {
				case o := <-outcomes:
					if status.CodeOf(o.Err) != row.code {
						t.Errorf("want %v, have %v", row.code, o.Err)
					}
					if took := time.Since(begin); took != closing {
						t.Errorf("want the client waited for %v, have %v", closing, took)
					}
				case <-time.After(time.Minute):
					t.Error("the handler goes on a minute after the end of its stream")
					_ = conn.Close()
					<-outcomes
				}
			})
		})
	}
}

// sends writes data.
func sends(data []byte) func(net.Conn) {
	return func(conn net.Conn) { _, _ = conn.Write(data) }
}

// sendsOn writes data again and again, until the server does not take it.
func sendsOn(data []byte, every time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		for {
			if _, err := conn.Write(data); err != nil {
				return
			}
			<-time.After(every)
		}
	}
}
