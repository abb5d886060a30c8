package httptransport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// net/http reads up to 256 KiB of a body before it answers, unless it is told otherwise; here none of it ever comes.
func TestARefusedUploadIsAnsweredBeforeItHasCome(t *testing.T) {
	t.Parallel()
	stream := endpoint.FromClientStream(func(context.Context, iter.Seq2[text, error]) (text, error) {
		return text{}, errors.New("the stream was called")
	})
	refuse := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { return nil, status.New(status.Unauthenticated, "who?") }
	}
	mux := http.NewServeMux()
	spec := endpoint.Spec{Service: "S", Method: "Upload", Kind: endpoint.ClientStream}
	mux.Handle("POST /", httptransport.NewStreamServer(spec, stream))
	mux.Handle("POST /private", httptransport.NewStreamServer(spec, stream, httptransport.ServerMiddleware(refuse)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for name, tt := range map[string]struct {
		path, header string
		want         int
	}{
		"by a middleware":      {"/private", "Content-Type: application/x-ndjson\n", http.StatusUnauthorized},
		"for its type":         {"/", "Content-Type: text/plain\n", http.StatusUnsupportedMediaType},
		"for what it accepts":  {"/", "Content-Type: application/x-ndjson\nAccept: text/x-poem\n", http.StatusNotAcceptable},
		"for its bad deadline": {"/", "Content-Type: application/x-ndjson\nAshlar-Timeout: soon\n", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			request := "POST " + tt.path + " HTTP/1.1\nHost: x\n" + tt.header + "Transfer-Encoding: chunked\n\n"
			if _, err := io.WriteString(conn, strings.ReplaceAll(request, "\n", "\r\n")); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != tt.want || !response.Close {
				t.Errorf("want %d and the connection closed, have %d, %v", tt.want, response.StatusCode, response.Close)
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				t.Error(err)
			}
		})
	}
}
