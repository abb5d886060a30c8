package natstransport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// text is a JSON text of n bytes.
func text(n int) string { return strings.Repeat("x", n-len(`""`)) }

// tooMany reports whether the message says that there are more bytes than there may be.
func tooMany(message string) bool {
	var have, most int
	_, numbers, _ := strings.Cut(message, " has ")
	_, err := fmt.Sscanf(numbers, "%d bytes, and may have %d", &have, &most)
	return err == nil && have > most
}

func TestMessagesHaveLimits(t *testing.T) {
	t.Parallel()
	const payload = 4096
	b := newBroker(t, "max_payload: 4096")
	errs := make(chan error, 10)
	b.serve(
		natstransport.NewServer(unarySpec, func(_ context.Context, n int) (string, error) { return text(n), nil },
			natstransport.ServerErrorHandler(func(_ context.Context, err error) { errs <- err })),
		natstransport.NewServer(unarySpec, func(_ context.Context, s string) (int, error) { return len(s), nil },
			natstransport.ServerSubject("length"), natstransport.ServerMaxRequest(1000)))
	conn := b.conn()
	get := client[int, string](t, conn, natstransport.ClientMaxResponse(2000))
	put := client[string, int](t, conn, natstransport.ClientSubject("length"))
	getAll := client[int, string](t, conn)
	for name, row := range map[string]struct {
		call    func(context.Context) error
		want    string // "" for success
		notSent bool
	}{
		"a request of just the limit": {func(ctx context.Context) error { _, err := put(ctx, text(1000)); return err }, "", false},
		"a request too large for the server": {
			func(ctx context.Context) error { _, err := put(ctx, text(1001)); return err }, "the request has 1001 bytes, and may have 1000", false,
		},
		"a request too large for NATS": {
			func(ctx context.Context) error { _, err := put(ctx, text(payload+1)); return err }, "bytes, and may have 4096", true,
		},
		"a request too large for NATS with its header": {
			func(ctx context.Context) error { _, err := put(ctx, text(payload-1)); return err }, "bytes, and may have 4096", true,
		},
		"a response of just the limit": {func(ctx context.Context) error { _, err := get(ctx, 2000); return err }, "", false},
		"a response too large for the client": {
			func(ctx context.Context) error { _, err := get(ctx, 2001); return err }, "2001 bytes, and may have 2000", false,
		},
		"a response of just what NATS takes": {func(ctx context.Context) error { _, err := getAll(ctx, payload); return err }, "", false},
		"a response too large for NATS": {
			func(ctx context.Context) error { _, err := getAll(ctx, payload+1); return err }, "4097 bytes, and may have 4096", false,
		},
	} {
		err := row.call(deadline(t))
		e := status.As(err)
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case row.want == "":
		case e == nil || e.Code != status.ResourceExhausted || e.Reason != "BODY_TOO_LARGE" || !strings.Contains(e.Message, row.want):
			t.Errorf("%s: want resource_exhausted, BODY_TOO_LARGE and %q, have %v", name, row.want, err)
		case !tooMany(e.Message):
			t.Errorf("%s: want more bytes than are allowed, have %v", name, err)
		case row.notSent != errors.Is(err, transport.ErrNotSent):
			t.Errorf("%s: not sent: want %t, have %v", name, row.notSent, err)
		}
	}
	if err := wait(t, errs, "the error handler"); status.CodeOf(err) != status.ResourceExhausted {
		t.Errorf("the server: want resource_exhausted, have %v", err)
	}
}

func TestResponsesBeforeOneTooLargeArrive(t *testing.T) {
	t.Parallel()
	const before = 3
	call := stream(t, func(_ context.Context, _ inSeq, out func(string) error) error {
		for range before {
			if err := out("x"); err != nil {
				return err
			}
		}
		return out(text(2001))
	}, nil, natstransport.ClientMaxResponse(2000))
	n := 0
	err := call(deadline(t), endpoint.Seq[*number](), func(string) error { n++; return nil })
	if e := status.As(err); e == nil || e.Code != status.ResourceExhausted || e.Reason != "BODY_TOO_LARGE" || n != before {
		t.Errorf("want %d responses and resource_exhausted, have %d and %v", before, n, err)
	}
}

// An error that NATS does not carry is shortened, and not silent.
func TestAnErrorTooLargeForNATSIsShortened(t *testing.T) {
	t.Parallel()
	b := newBroker(t, "max_payload: 4096")
	b.serve(natstransport.NewServer(unarySpec, func(ctx context.Context, _ int) (int, error) {
		transport.FromContext(ctx).Response.Set("X-Large", strings.Repeat("x", 3000))
		data, err := json.Marshal(text(5000))
		return 0, errors.Join(err, status.New(status.NotFound, "no "+text(2000)).WithReason("REASON").
			WithDetails(status.Detail{Type: "large", Value: data}))
	}))
	_, err := client[int, int](t, b.conn())(deadline(t), 1)
	e := status.As(err)
	if e == nil || e.Code != status.NotFound || e.Reason != "REASON" || !strings.HasPrefix(e.Message, "no xxx") || len(e.Details) > 0 {
		t.Errorf("want not_found and its reason, have %v", err)
	}
}

func TestTheDefaultLimitsOfMessages(t *testing.T) {
	t.Parallel()
	b := newBroker(t, "max_payload: 8MB")
	b.serve(natstransport.NewServer(unarySpec, func(_ context.Context, s string) (string, error) {
		return strings.Repeat(s, 5), nil
	}))
	call := client[string, string](t, b.conn())
	if _, err := call(deadline(t), text(natstransport.DefaultMaxRequest+1)); !strings.Contains(err.Error(), "the request has") {
		t.Errorf("want that the request is too large, have %v", err)
	}
	if _, err := call(deadline(t), text(natstransport.DefaultMaxRequest)); !strings.Contains(err.Error(), "the response of numbers/Double has") {
		t.Errorf("want that the response is too large, have %v", err)
	}
	if response, err := call(deadline(t), text(natstransport.DefaultMaxRequest/2)); err != nil || !strings.HasPrefix(response, "xx") {
		t.Errorf("want a response, have %v", err)
	}
}
