package httptransport_test

import (
	"bufio"
	"net"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// inner is a writer as middleware puts it around another.
type inner struct{ http.ResponseWriter }

func (w inner) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// outer is one of the older kind.
type outer struct{ http.ResponseWriter }

func (w outer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

func TestAWebSocketOpensBehindTheWritersOfMiddleware(t *testing.T) {
	t.Parallel()
	h := httptransport.NewStreamServer(chatSpec, double)
	for name, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"none":                 func(w http.ResponseWriter) http.ResponseWriter { return w },
		"unwraps":              func(w http.ResponseWriter) http.ResponseWriter { return inner{w} },
		"hijacks":              func(w http.ResponseWriter) http.ResponseWriter { return outer{w} },
		"unwraps what hijacks": func(w http.ResponseWriter) http.ResponseWriter { return inner{outer{w}} },
		"hijacks what unwraps": func(w http.ResponseWriter) http.ResponseWriter { return outer{inner{w}} },
	} {
		srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(wrap(w), r) }))
		have, closed := talk(t, socket(t, srv.URL, nil), `{"n":1}`, `{"$end":true}`)
		if len(have) != 1 || have[0] != `{"n":2}` || closed.Code != websocket.StatusNormalClosure {
			t.Errorf(`%s: want {"n":2} and 1000, have %q, %v`, name, have, closed)
		}
	}
}

func TestAConnectionThatCannotBeTakenOverIsNotImplemented(t *testing.T) {
	t.Parallel()
	w := ask(streamMux(), http.MethodGet, "/chat", "",
		"Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
	if w.Code != http.StatusNotImplemented || problem(t, w).Code != status.Unimplemented {
		t.Errorf("want 501 and a problem, have %d %s", w.Code, w.Body)
	}
}
