package grpctransport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// failing are calls, unary and streaming, to a server that fails as f does.
func failing(t *testing.T, f func() error, opts ...grpctransport.ServerOption) map[string]func() error {
	t.Helper()
	address := start(t, grpctransport.NewGRPCServer(),
		grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) { return &response{}, f() }, opts...),
		grpctransport.NewStreamServer(talkSpec, func(ctx context.Context, in asks, out func(*answer) error) error {
			return errors.Join(echoes(ctx, in, out), f())
		}, opts...),
		grpctransport.NewStreamServer(feedSpec, func(context.Context, asks, func(*answer) error) error { return f() }, opts...))
	conn := dial(t, address)
	call := newClient[*request, *response](t, unarySpec, conn)
	stream := newStreamClient[*ask, *answer](t, talkSpec, conn)
	feed := newStreamClient[*ask, *answer](t, feedSpec, conn)
	return map[string]func() error{
		"unary": func() error {
			have, err := call(t.Context(), &request{})
			if err != nil && have != nil {
				t.Errorf("want no response with an error, have %v", have)
			}
			return err
		},
		"stream": func() error {
			out, _ := collect()
			return stream(t.Context(), endpoint.Seq(askOf("a")), out)
		},
		"feed": func() error { return feed(t.Context(), endpoint.Seq(askOf("a")), nil) },
	}
}

func detail(t testing.TB, name string, value any) status.Detail {
	t.Helper()
	d, err := status.NewDetail(name, value)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// messageDetail is a detail that any client of gRPC can read.
func messageDetail(t testing.TB, m proto.Message) status.Detail {
	t.Helper()
	data, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return detail(t, string(m.ProtoReflect().Descriptor().FullName()), json.RawMessage(data))
}

// cross is what a client gets of an error.
func cross(t testing.TB, err error) *status.Error {
	t.Helper()
	have := status.As(err)
	if have == nil {
		t.Fatalf("want a *status.Error, have %T: %v", err, err)
	}
	bare := *have
	bare.Cause = nil
	return &bare
}

func TestEveryErrorCrosses(t *testing.T) {
	t.Parallel()
	list := []*status.Error{
		status.New(status.NotFound, ""),
		status.New(status.NotFound, "100 % ünicode\nand lines"),
		status.New(status.Aborted, "x").WithReason("REASON"),
		status.New(status.Aborted, "x").WithRetryAfter(1500 * time.Millisecond),
		status.New(status.Aborted, "x").WithViolations(status.Violation{Field: "a", Description: "b"}, status.Violation{Description: "whole"}),
		status.New(status.Aborted, "x").WithDetails(detail(t, "shop.Other", map[string]int{"n": 1}), status.Detail{Type: "shop.Empty"}, detail(t, "a/b c", 7)),
		status.New(status.Aborted, "x").WithDetails(messageDetail(t, &testpb.Payload{Body: []byte("x")}), detail(t, "grpc.testing.Payload", map[string]string{"body": "not base64!"})),
		// details whose types are those of fields
		status.New(status.Aborted, "x").WithDetails(messageDetail(t, &errdetails.ErrorInfo{Reason: "A", Domain: "b"})),
		status.New(status.Aborted, "x").WithReason("R").WithDetails(messageDetail(t, &errdetails.ErrorInfo{Reason: "A", Domain: grpctransport.ErrorDomain})),
		status.New(status.Aborted, "x").WithReason("R").WithDetails(messageDetail(t, &errdetails.RequestInfo{RequestId: "1"})),
		status.New(status.Aborted, "x").WithDetails(messageDetail(t, &errdetails.BadRequest{}), messageDetail(t, &errdetails.RetryInfo{})),
		status.New(status.Aborted, "x").WithViolations(status.Violation{Field: "a"}).WithDetails(detail(t, "google.rpc.BadRequest", "no object")),
	}
	for code := status.Canceled; code.Valid(); code++ {
		e := status.Errorf(code, "message of %v", code).WithReason("REASON").WithRetryAfter(time.Second).
			WithViolations(status.Violation{Field: "n", Description: "odd"}).
			WithDetails(detail(t, "shop.Out", 7), messageDetail(t, &testpb.Empty{}))
		e.ID = "0123456789abcdef"
		list = append(list, e)
	}
	var sent error
	calls := failing(t, func() error { return sent })
	for _, want := range list {
		sent = fmt.Errorf("wrapped: %w", want.WithCause(errors.New("a secret")))
		for name, call := range calls {
			err := call()
			if have := cross(t, err); !reflect.DeepEqual(want, have) {
				t.Errorf("%s:\nwant %#v\nhave %#v", name, want, have)
			}
			if !errors.Is(err, want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: want what errors.Is finds %v in, without the cause, have %v", name, want, err)
			}
		}
	}
}

func TestAnErrorThatIsNoStatusIsHidden(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]error{
		"any":                       errors.New("postgres://admin:hunter2@db"),
		"a status of grpc-go":       grpcstatus.Error(codes.NotFound, "hunter2"),
		"wrapped status of grpc-go": fmt.Errorf("calling: %w", grpcstatus.Error(codes.NotFound, "hunter2")),
	} {
		var seen notes
		handler := grpctransport.ServerErrorHandler(func(_ context.Context, err error) {
			seen.add("%s %t", status.As(err).ID, errors.Is(err, secret))
		})
		for kind, call := range failing(t, func() error { return secret }, handler) {
			err := call()
			have := cross(t, err)
			if have.Code != status.Internal || have.ID == "" || strings.Contains(fmt.Sprint(err, have.Details), "hunter2") {
				t.Errorf("%s, %s: want internal with an ID and nothing else, have %v", name, kind, err)
			}
			wantTexts(t, []string{have.ID + " true"}, seen.take())
		}
	}
}

func TestAContextsErrorCrosses(t *testing.T) {
	t.Parallel()
	for sent, want := range map[error]status.Code{context.Canceled: status.Canceled, context.DeadlineExceeded: status.DeadlineExceeded} {
		for name, call := range failing(t, func() error { return sent }) {
			if have := status.CodeOf(call()); have != want {
				t.Errorf("%s: want %v, have %v", name, want, have)
			}
		}
	}
}

func TestAnUnknownCodeIsUnknown(t *testing.T) {
	t.Parallel()
	for _, code := range []status.Code{0, 17, 255} {
		for name, call := range failing(t, func() error { return &status.Error{Code: code, Message: "x"} }) {
			if have := cross(t, call()); have.Code != status.Unknown || have.Message != "x" {
				t.Errorf("%s, %d: want unknown, have %v", name, code, have)
			}
		}
	}
}

// A client that has no room for a trailer sees nothing of an error; here it has 8 KiB, as many have.
func TestAnErrorFitsTheTrailer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü%", 5000)
	var violations []status.Violation
	var details []status.Detail
	for i := range 1000 {
		violations = append(violations, status.Violation{Field: fmt.Sprintf("items[%d]", i), Description: "is wrong"})
		details = append(details, detail(t, "shop.Item", strings.Repeat("x", i)))
	}
	full := status.New(status.NotFound, "short").WithReason("R").WithRetryAfter(time.Second)
	full.ID = "1"
	for name, tt := range map[string]struct {
		err   *status.Error
		check func(have *status.Error) bool
	}{
		"message":          {status.New(status.NotFound, long), func(e *status.Error) bool { return len(e.Message) > 2000 && strings.HasSuffix(e.Message, "…") }},
		"message and more": {status.New(status.NotFound, long).WithReason("R"), func(e *status.Error) bool { return len(e.Message) > 900 && e.Reason == "R" }},
		"violations": {full.WithViolations(violations...).WithDetails(details...), func(e *status.Error) bool {
			return e.Message == "short" && e.Reason == "R" && e.ID == "1" && len(e.Violations) > 50 && len(e.Violations) < 1000 && e.Details == nil
		}},
		"details": {full.WithViolations(violations[:20]...).WithDetails(details...), func(e *status.Error) bool {
			return len(e.Violations) == 20 && len(e.Details) > 20 && reflect.DeepEqual(e.Details, details[:len(e.Details)])
		}},
		"fields as details": {full.WithDetails(messageDetail(t, &errdetails.ErrorInfo{Reason: "A"})).WithDetails(details...), func(e *status.Error) bool {
			return e.Reason == "R" && len(e.Details) > 10 && e.Details[0].Type == "google.rpc.ErrorInfo" && reflect.DeepEqual(e.Details[1:], details[:len(e.Details)-1])
		}},
		"reason":    {status.New(status.NotFound, "short").WithReason(long), func(e *status.Error) bool { return e.Message == "short" && e.Reason == "" }},
		"not UTF-8": {status.New(status.NotFound, "a\xffb").WithReason("\xff").WithViolations(status.Violation{Field: "\xff"}), func(e *status.Error) bool { return e.Message == "a\uFFFDb" && e.Reason == "\uFFFD" }},
		"not JSON":  {status.New(status.NotFound, "x").WithDetails(status.Detail{Type: "a", Value: []byte("{")}), func(e *status.Error) bool { return e.Details == nil }},
	} {
		address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec,
			func(context.Context, *request) (*response, error) { return nil, tt.err }))
		conn := dial(t, address, grpctransport.DialOptions(eightKiB()))
		_, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{})
		if have := cross(t, err); have.Code != status.NotFound || !tt.check(have) {
			t.Errorf("%s: have %d bytes of message, reason %.10q, %d violations, %d details: %.200v", name, len(have.Message), have.Reason, len(have.Violations), len(have.Details), have)
		}
	}
}

func TestServerMaxErrorLimitsErrors(t *testing.T) {
	t.Parallel()
	message := strings.Repeat("x", 20_000)
	for limit, want := range map[int]int{1024: 1024, 15_000: 15_000, 30_000: 20_000} {
		calls := failing(t, func() error { return status.New(status.NotFound, message) }, grpctransport.ServerMaxError(limit))
		if have := cross(t, calls["unary"]()); len(have.Message) > want || len(have.Message) < want-20 {
			t.Errorf("want %d bytes, have %d", want, len(have.Message))
		}
	}
	wantPanic(t, "ServerMaxError of 1023 bytes, want at least 1024", func() {
		grpctransport.NewServer(unarySpec, echo, grpctransport.ServerMaxError(1023))
	})
}

func TestACallThatNeverLeftSaysSo(t *testing.T) {
	t.Parallel()
	closed := dial(t, "127.0.0.1:1")
	_ = closed.Close()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, echo), grpctransport.NewStreamServer(talkSpec, echoes))
	served := dial(t, address)
	for name, tt := range map[string]struct {
		ctx  context.Context
		conn string
		want status.Code
		text string
	}{
		"refused":     {t.Context(), "refused", status.Unavailable, "could not be reached"},
		"closed":      {t.Context(), "closed", status.Unavailable, "could not be reached"},
		"cancelled":   {gone, "served", status.Canceled, "was canceled"},
		"a bad value": {transport.WithHeader(t.Context(), "X-Name", "a\nb"), "served", status.Internal, "could not be encoded"},
		"a bad name":  {transport.WithHeader(t.Context(), "X Name", "a"), "served", status.Internal, "could not be encoded"},
		"gRPC's own":  {transport.WithHeader(t.Context(), "Grpc-Timeout", "1S"), "served", status.Internal, "could not be encoded"},
		"too large":   {transport.WithHeader(t.Context(), "X-Name", strings.Repeat("x", grpctransport.DefaultMaxHeader)), "served", status.Internal, "could not be encoded"},
	} {
		conn := served
		switch tt.conn {
		case "refused":
			conn = dial(t, "127.0.0.1:1")
		case "closed":
			conn = closed
		}
		if name == "too large" { // grpc-go knows the limit when it has the server's settings
			if _, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := newClient[*request, *response](t, unarySpec, conn)(tt.ctx, &request{})
		errs := map[string]error{"unary": err, "stream": newStreamClient[*ask, *answer](t, talkSpec, conn)(tt.ctx, endpoint.Seq(&ask{}), nil)}
		for kind, err := range errs {
			if status.CodeOf(err) != tt.want || !errors.Is(err, transport.ErrNotSent) || !strings.Contains(cross(t, err).Message, tt.text) {
				t.Errorf("%s, %s: want %v that was not sent, have %v", name, kind, tt.want, err)
			}
		}
	}
	for name, err := range failing(t, func() error { return status.New(status.Unavailable, "no") }) {
		if errors.Is(err(), transport.ErrNotSent) {
			t.Errorf("%s: want an error of a call that was sent", name)
		}
	}
}

func TestARequestThatCannotBeEncodedWasNotSent(t *testing.T) {
	t.Parallel()
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, echo), grpctransport.NewStreamServer(feedSpec, echoes))
	conn := dial(t, address)
	_, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{ResponseStatus: &testpb.EchoStatus{Message: "\xff"}})
	feed := newStreamClient[*ask, *answer](t, feedSpec, conn)(t.Context(), endpoint.Seq(&ask{ResponseStatus: &testpb.EchoStatus{Message: "\xff"}}), nil)
	for name, err := range map[string]error{"unary": err, "feed": feed} {
		if status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) || !strings.Contains(err.Error(), "could not be encoded") {
			t.Errorf("%s: have %v", name, err)
		}
	}
}

// strange is a connection that is not grpc-go's own, and heeds no options.
type strange struct{ grpc.ClientConnInterface }

func (strange) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return grpcstatus.Error(codes.Unavailable, "after it was done")
}

// Nothing is said to be safe to repeat that may have happened.
func TestOfAnotherConnectionItIsNotSaidThatACallNeverLeft(t *testing.T) {
	t.Parallel()
	_, err := newClient[*request, *response](t, unarySpec, strange{})(t.Context(), &request{})
	if have := cross(t, err); have.Code != status.Unavailable || have.Message != "after it was done" || errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want what the connection said, have %v", err)
	}
}
