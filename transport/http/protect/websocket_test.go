package protect_test

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/protect"
)

// opens reports whether a page of an origin opens a WebSocket.
func opens(t *testing.T, url string, from ...string) bool {
	t.Helper()
	header := http.Header{}
	if len(from) > 0 {
		header["Origin"] = from
	}
	conn, response, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: header})
	if response == nil {
		t.Fatal(err)
	}
	if err == nil {
		_ = conn.CloseNow()
	}
	for name := range response.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%q: want nothing of CORS in the answer to a handshake, have %s", from, name)
		}
	}
	if refused := response.StatusCode == http.StatusForbidden || response.StatusCode == http.StatusBadRequest; refused == (err == nil) ||
		refused && response.Header.Get("Content-Type") != status.ProblemType {
		t.Errorf("%q: have %d %v, %v", from, response.StatusCode, response.Header, err)
	}
	return err == nil
}

// CORS and ServerOrigins go by one rule: with the same patterns they let the same pages in.
//
//nolint:paralleltest // it closes the connections of http.DefaultClient
func TestCORSAndServerOriginsAgreeOnWebSockets(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	pages := []string{shop, "https://*.pages.example"}
	spec := endpoint.Spec{Service: "orders", Method: "Chat", Kind: endpoint.Bidirectional}
	chat := func(_ context.Context, in iter.Seq2[total, error], out func(total) error) error {
		for m, err := range in {
			if err != nil {
				return err
			}
			if err = out(m); err != nil {
				return err
			}
		}
		return nil
	}
	anybody := httptransport.NewStreamServer(spec, chat, httptransport.ServerOrigins("*"))
	ours := httptransport.NewStreamServer(spec, chat, httptransport.ServerOrigins(pages...))
	own := httptransport.NewStreamServer(spec, chat)
	with := func(opts ...protect.CORSOption) *protect.CORS {
		return newCORS(t, append(opts, protect.CORSOrigins(pages...))...)
	}
	servers := map[string]string{}
	for name, h := range map[string]http.Handler{
		"ServerOrigins alone":            ours,
		"CORS around one that trusts":    with().Wrap(anybody),
		"CORS with CORSRefuse":           with(protect.CORSRefuse()).Wrap(anybody),
		"CORS with credentials":          with(protect.CORSCredentials()).Wrap(anybody),
		"both":                           newHeaders(t).Wrap(with().Wrap(newCSRF(t).Wrap(ours))),
		"CORS alone":                     with().Wrap(own),
		"everybody around ServerOrigins": newCORS(t, protect.CORSOrigins("*")).Wrap(ours),
		"everybody alone":                newCORS(t, protect.CORSOrigins("*")).Wrap(own),
	} {
		srv := httptest.NewServer(h)
		defer srv.Close()
		servers[name] = srv.URL
	}
	for name, url := range servers {
		alone := strings.HasSuffix(name, " alone") && name != "ServerOrigins alone"
		for _, row := range []struct {
			from []string
			want bool
		}{
			{nil, true},           // a program
			{[]string{url}, true}, // a page of the server itself
			{[]string{shop}, !alone},
			{[]string{"https://a.pages.example"}, !alone},
			{[]string{evil}, false},
			{[]string{"null"}, false},
			{[]string{""}, false},
			{[]string{shop + ".evil"}, false},
			{[]string{"https://evil-pages.example"}, false},
			{[]string{"http://a.pages.example"}, false},
			{[]string{shop, evil}, false},
			{[]string{shop, shop}, false},
		} {
			if have := opens(t, url, row.from...); have != row.want {
				t.Errorf("%s: %q: want %v, have %v", name, row.from, row.want, have)
			}
		}
	}
}
