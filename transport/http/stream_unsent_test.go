package httptransport_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestAStreamThatCannotBeSentIsNotSent(t *testing.T) {
	t.Parallel()
	called := func(http.ResponseWriter, *http.Request) { t.Error("the server was called") }
	srv, _ := start(t, http.HandlerFunc(called))
	conn := dial(t, srv.URL)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, spec := range []endpoint.Spec{countSpec, sumSpec, chatSpec} {
		for carrier, opts := range carriers(spec.Kind) {
			if spec.Kind == endpoint.Bidirectional && carrier != "WebSocket" {
				continue
			}
			client := newStream[any, number](t, spec, conn, "GET /", opts...)
			name := spec.Method + " " + carrier
			err := client(canceled, endpoint.Seq[any](1), nil)
			want := "the request was not sent: context canceled"
			if status.CodeOf(err) != status.Canceled || !errors.Is(err, transport.ErrNotSent) || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%s, canceled: want %q, have %q", name, want, err)
			}
			err = client(transport.WithHeader(t.Context(), "X-Y", "a\nb"), endpoint.Seq[any](1), nil)
			if status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) || !strings.Contains(err.Error(), "X-Y has a value with a control") {
				t.Errorf("%s, a line break in a header: want internal that was not sent, have %v", name, err)
			}
			if spec.Kind != endpoint.ServerStream {
				continue
			}
			err = client(t.Context(), endpoint.Seq[any](make(chan int)), nil)
			if status.CodeOf(err) != status.Internal || !strings.Contains(err.Error(), transport.ErrNotSent.Error()+": ") {
				t.Errorf("%s, not encodable: want internal that was not sent, have %v", name, err)
			}
		}
	}
}
