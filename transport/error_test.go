package transport_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestWhatSurelyHadNoEffect(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("own"), false},
		{status.New(status.Unavailable, "cut off").WithReason("SHUTTING_DOWN"), false},
		{status.New(status.Unavailable, "refused").WithCause(transport.ErrNotSent), true},
		{status.New(status.Unavailable, "full").WithCause(transport.ErrNotBegun), true},
		{fmt.Errorf("calling: %w", transport.ErrNotBegun), true},
	} {
		if have := transport.NotBegun(row.err); row.want != have {
			t.Errorf("%v: want %v, have %v", row.err, row.want, have)
		}
	}
}

func TestSetNotBegun(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		transport, request string
		want               string
	}{
		{"http", "understood", "true"},
		{"http", "", ""},
		{"nats", "", "true"},
		{"grpc", "", ""},
		{"inproc", "", ""},
	} {
		request, response := transport.HeaderMap{}, transport.HeaderMap{}
		if row.request != "" {
			request.Set(transport.NotBegunHeader, row.request)
		}
		ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Transport: row.transport, Request: request, Response: response})
		transport.SetNotBegun(ctx)
		if have := response.Get(transport.NotBegunHeader); row.want != have {
			t.Errorf("%s, request with %q: want %q, have %q", row.transport, row.request, row.want, have)
		}
	}
	transport.SetNotBegun(t.Context()) // of no call: nothing happens
}
