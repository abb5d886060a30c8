package grpctransport_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// What another server sends may be anything. Nothing of it is lost, and none of it makes an error that could not be.
func TestOddStatusesAreReadWithoutLoss(t *testing.T) {
	t.Parallel()
	counted := func(n string) proto.Message {
		return &errdetails.ErrorInfo{Reason: "R", Domain: grpctransport.ErrorDomain, Metadata: map[string]string{"details": n}}
	}
	violation := &errdetails.BadRequest_FieldViolation{Field: "f", LocalizedMessage: &errdetails.LocalizedMessage{Message: "m"}}
	for name, tt := range map[string]struct {
		code    int32
		details []proto.Message
		want    status.Error
		kept    int // details
	}{
		"a code beyond a byte": {code: 256 + 5, want: status.Error{Code: status.Unknown}},
		"a code below zero":    {code: -1, want: status.Error{Code: status.Unknown}},
		"two reasons": {5, []proto.Message{
			&errdetails.ErrorInfo{Reason: "A", Domain: grpctransport.ErrorDomain}, &errdetails.ErrorInfo{Reason: "B", Domain: grpctransport.ErrorDomain},
		}, status.Error{Code: status.NotFound, Reason: "A"}, 1},
		"a wait that is over": {5, []proto.Message{
			&errdetails.RetryInfo{RetryDelay: durationpb.New(-time.Second)},
		}, status.Error{Code: status.NotFound}, 1},
		"a violation in a language": {3, []proto.Message{
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{violation}},
		}, status.Error{Code: status.InvalidArgument, Violations: []status.Violation{{Field: "f"}}}, 1},
		"as many counted as there are": {5, []proto.Message{counted("1")}, status.Error{Code: status.NotFound, Reason: "R"}, 0},
		"more counted than there are":  {5, []proto.Message{counted("9")}, status.Error{Code: status.NotFound, Reason: "R"}, 0},
		"fewer than none counted":      {5, []proto.Message{counted("-1")}, status.Error{Code: status.NotFound, Reason: "R"}, 0},
	} {
		p := &spb.Status{Code: tt.code}
		for _, m := range tt.details {
			a, err := anypb.New(m)
			if err != nil {
				t.Fatal(err)
			}
			p.Details = append(p.Details, a)
		}
		have := grpctransport.Unwire(p)
		if have.Code != tt.want.Code || have.Reason != tt.want.Reason || have.RetryAfter != 0 || len(have.Violations) != len(tt.want.Violations) {
			t.Errorf("%s: want %+v, have %+v", name, tt.want, have)
		}
		if len(have.Details) != tt.kept {
			t.Errorf("%s: want %d details, have %v", name, tt.kept, have.Details)
		}
	}
}

func TestAnErrorOfADecoderIsTheCallersIfItIsAStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want status.Code
	}{
		{status.New(status.DataLoss, "torn"), status.DataLoss}, {errors.New("torn"), status.Internal},
	} {
		call := unary(t, echo, nil, grpctransport.ClientDecoder(func(context.Context, *response) (*response, error) { return nil, tt.err }))
		if _, err := call(t.Context(), &request{}); status.CodeOf(err) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%v: want %v, have %v", tt.err, tt.want, err)
		}
	}
}

func TestClientAfterDoesNotRunWhereNothingWasSent(t *testing.T) {
	t.Parallel()
	ran := false
	call := newClient[*request, *response](t, unarySpec, dial(t, "127.0.0.1:1"),
		grpctransport.ClientAfter(func(ctx context.Context, _ transport.Header) context.Context { ran = true; return ctx }))
	if _, err := call(t.Context(), &request{}); !errors.Is(err, transport.ErrNotSent) || ran {
		t.Errorf("want no hook and nothing sent, have %t and %v", ran, err)
	}
}
