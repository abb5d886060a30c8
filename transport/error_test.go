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
		{status.New(status.Unavailable, "withheld").WithCause(transport.ErrWithheld), true},
	} {
		if have := transport.NotBegun(row.err); row.want != have {
			t.Errorf("%v: want %v, have %v", row.err, row.want, have)
		}
	}
}

func TestSetNotBegun(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		transport, operation, request string
		want                          string
	}{
		{"http", "a/B", "understood", "true"},
		{"http", "a/B", "", ""},
		{"http", "a/Other", "understood", ""},
		{"nats", "a/B", "", "true"},
		{"nats", "a/Other", "", ""},
		{"grpc", "a/B", "", ""},
		{"inproc", "a/B", "", ""},
	} {
		request, response := transport.HeaderMap{}, transport.HeaderMap{}
		if row.request != "" {
			request.Set(transport.NotBegunHeader, row.request)
		}
		ctx, _ := transport.NewServerContext(t.Context(), transport.Info{
			Transport: row.transport, Operation: row.operation, Request: request, Response: response,
		})
		transport.SetNotBegun(ctx, "a/B")
		if have := response.Get(transport.NotBegunHeader); row.want != have {
			t.Errorf("%+v: have %q", row, have)
		}
	}
	transport.SetNotBegun(t.Context(), "a/B") // of no call: nothing happens
}
