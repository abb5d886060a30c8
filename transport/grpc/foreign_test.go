package grpctransport_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// A generated client finds all of an error in the messages that every client of gRPC knows.
func TestAGeneratedClientReadsErrorsOfAshlar(t *testing.T) {
	t.Parallel()
	sent := status.New(status.FailedPrecondition, "sold out").WithReason("OUT_OF_STOCK").WithRetryAfter(1500*time.Millisecond).
		WithViolations(status.Violation{Field: "sku", Description: "is gone"}).
		WithDetails(messageDetail(t, &testpb.Payload{Body: []byte("x")}), detail(t, "shop.Shelf", 7))
	sent.ID = "0123"
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) { return nil, sent }))
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = testpb.NewTestServiceClient(conn).UnaryCall(t.Context(), &request{})
	have := grpcstatus.Convert(err)
	if have.Code() != codes.FailedPrecondition || have.Message() != "sold out" {
		t.Errorf("have %v", have)
	}
	want := []proto.Message{
		&errdetails.ErrorInfo{Reason: "OUT_OF_STOCK", Domain: grpctransport.ErrorDomain},
		&errdetails.RequestInfo{RequestId: "0123"},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "sku", Description: "is gone"}}},
		&testpb.Payload{Body: []byte("x")},
	}
	details := have.Details()
	if len(details) != len(want)+1 {
		t.Fatalf("want %d details, have %v", len(want)+1, details)
	}
	for i, m := range want {
		if d, ok := details[i].(proto.Message); !ok || !proto.Equal(m, d) {
			t.Errorf("detail %d: want %v, have %v", i, m, details[i])
		}
	}
	if last := have.Proto().GetDetails()[len(want)]; last.GetTypeUrl() != grpctransport.JSONDetail+"shop.Shelf" || string(last.GetValue()) != "7" {
		t.Errorf("have %v", last)
	}
}

// odd is a generated server whose errors are not Ashlar's.
type odd struct {
	generated

	err func() error
}

func (o odd) UnaryCall(ctx context.Context, r *request) (*response, error) {
	_ = grpc.SetHeader(ctx, metadata.Pairs("x-header", "1", "x-bin", anyBytes))
	_ = grpc.SetTrailer(ctx, metadata.Pairs("x-trailer", "2"))
	if err := o.err(); err != nil {
		return nil, err
	}
	return o.generated.UnaryCall(ctx, r)
}

func withDetails(t testing.TB, details ...proto.Message) error {
	t.Helper()
	s := grpcstatus.New(codes.Aborted, "foreign").Proto()
	for _, m := range details {
		a, ok := m.(*anypb.Any)
		if !ok {
			var err error
			if a, err = anypb.New(m); err != nil {
				t.Fatal(err)
			}
		}
		s.Details = append(s.Details, a)
	}
	return grpcstatus.FromProto(s).Err()
}

func TestErrorsOfAForeignServerAreRead(t *testing.T) {
	t.Parallel()
	base := status.New(status.Aborted, "foreign")
	info := &errdetails.ErrorInfo{Reason: "QUOTA", Domain: "example.com", Metadata: map[string]string{"a": "b"}}
	bad := &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "a", Description: "b", Reason: "C"}}}
	unknown := &anypb.Any{TypeUrl: "example.com/not.Known", Value: []byte{1, 2, 3}}
	broken := &anypb.Any{TypeUrl: "type.googleapis.com/grpc.testing.Payload", Value: []byte{0xff}}
	asAny := func(a *anypb.Any) status.Detail {
		return detail(t, "google.protobuf.Any", map[string]any{"@type": a.GetTypeUrl(), "value": a.GetValue()})
	}
	var sent error
	s := grpc.NewServer()
	testpb.RegisterTestServiceServer(s, odd{err: func() error { return sent }})
	call := newClient[*request, *response](t, unarySpec, dial(t, serve(t, s)))
	for name, tt := range map[string]struct {
		sent error
		want *status.Error
	}{
		"bare":                     {grpcstatus.Error(codes.Aborted, "foreign"), base},
		"no status":                {errors.New("text"), status.New(status.Unknown, "text")},
		"an unknown code":          {grpcstatus.Error(300, "x"), status.New(status.Unknown, "x")},
		"retry info":               {withDetails(t, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)}), base.WithRetryAfter(time.Second)},
		"error info, kept whole":   {withDetails(t, info), base.WithReason("QUOTA").WithDetails(messageDetail(t, info))},
		"violations with a reason": {withDetails(t, bad), base.WithViolations(status.Violation{Field: "a", Description: "b"}).WithDetails(messageDetail(t, bad))},
		"request info":             {withDetails(t, &errdetails.RequestInfo{RequestId: "7"}), &status.Error{Code: status.Aborted, Message: "foreign", ID: "7"}},
		"twice":                    {withDetails(t, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)}, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Minute)}), base.WithRetryAfter(time.Second).WithDetails(messageDetail(t, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Minute)}))},
		"messages":                 {withDetails(t, &testpb.Payload{Body: []byte("x")}), base.WithDetails(messageDetail(t, &testpb.Payload{Body: []byte("x")}))},
		"unknown and broken":       {withDetails(t, unknown, broken), base.WithDetails(asAny(unknown), asAny(broken))},
		"no JSON":                  {withDetails(t, &anypb.Any{TypeUrl: grpctransport.JSONDetail + "a", Value: []byte("{")}), base.WithDetails(asAny(&anypb.Any{TypeUrl: grpctransport.JSONDetail + "a", Value: []byte("{")}))},
		"a count that is too high": {withDetails(t, &errdetails.ErrorInfo{Reason: "R", Domain: grpctransport.ErrorDomain, Metadata: map[string]string{"details": "9"}}, &testpb.Empty{}), base.WithReason("R").WithDetails(messageDetail(t, &testpb.Empty{}))},
	} {
		sent = tt.sent
		ctx, observer := transport.Observe(t.Context())
		_, err := call(ctx, &request{})
		if have := cross(t, err); !reflect.DeepEqual(tt.want, have) {
			t.Errorf("%s:\nwant %#v\nhave %#v", name, tt.want, have)
		}
		if _, err := json.Marshal(status.As(err)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if info := observer.Info(); info.Response.Get("X-Header") != "1" || info.Response.Get("X-Bin") != anyBytes || info.Trailer.Get("X-Trailer") != "2" {
			t.Errorf("%s: have %v and %v", name, info.Response, info.Trailer)
		}
	}
}

func TestAGeneratedClientAndAGeneratedServer(t *testing.T) {
	t.Parallel()
	s := grpc.NewServer()
	testpb.RegisterTestServiceServer(s, generated{})
	out, texts := collect()
	if err := newStreamClient[*ask, *answer](t, talkSpec, dial(t, serve(t, s)))(t.Context(), endpoint.Seq(askOf("a"), askOf("b")), out); err != nil {
		t.Error(err)
	}
	wantTexts(t, []string{"a", "b"}, *texts)

	conn := dial(t, start(t, grpctransport.NewGRPCServer(), interop()...))
	client := testpb.NewTestServiceClient(conn)
	if have, err := client.UnaryCall(t.Context(), &request{ResponseSize: 3}); err != nil || len(have.GetPayload().GetBody()) != 3 {
		t.Errorf("have %v, %v", have, err)
	}
	feed, err := client.StreamingOutputCall(t.Context(), sized(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		if _, err = feed.Recv(); err != nil {
			break
		}
		n++
	}
	if n != 2 || !errors.Is(err, io.EOF) {
		t.Errorf("want 2 messages, have %d, %v", n, err)
	}
	upload, err := client.StreamingInputCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := upload.Send(part(4)); err != nil {
		t.Fatal(err)
	}
	if have, err := upload.CloseAndRecv(); err != nil || have.GetAggregatedPayloadSize() != 4 {
		t.Errorf("have %v, %v", have, err)
	}
}

// A stream with one request gets exactly one, as gRPC demands.
func TestRequestsThatAreMissingOrTooManyAreRefused(t *testing.T) {
	t.Parallel()
	outcomes := make(chan error, 2)
	final := grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })
	conn := dial(t, start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, echo, final), grpctransport.NewStreamServer(feedSpec, echoes, final)))
	for _, method := range []string{"/" + service + "/UnaryCall", "/" + service + "/StreamingOutputCall"} {
		for _, n := range []int{0, 2} {
			stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
			if err != nil {
				t.Fatal(err)
			}
			for range n {
				_ = stream.SendMsg(&testpb.Empty{})
			}
			_ = stream.CloseSend()
			for err == nil {
				err = stream.RecvMsg(&testpb.Empty{})
			}
			if outcome := receive(t, outcomes); grpcstatus.Code(err) != codes.Internal || status.CodeOf(outcome) != status.Internal {
				t.Errorf("%s with %d requests: want internal, have %v and %v", method, n, err, outcome)
			}
		}
	}
}

// What a client sends that is no message is Internal, as gRPC says, on both sides.
func TestBytesThatAreNoMessageAreInternal(t *testing.T) {
	t.Parallel()
	outcomes := make(chan error, 2)
	final := grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })
	conn := dial(t, start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, echo, final), grpctransport.NewStreamServer(talkSpec, echoes, final)))
	type other = errdetails.ResourceInfo // which has a text where there should be a message
	_, err := newClient[*other, *response](t, unarySpec, conn)(t.Context(), &other{Owner: "\x0f"})
	wrongStream := newStreamClient[*other, *answer](t, talkSpec, conn)(t.Context(), endpoint.Seq(&other{Owner: "\x0f"}), nil)
	for kind, err := range map[string]error{"unary": err, "stream": wrongStream} {
		if outcome := receive(t, outcomes); status.CodeOf(err) != status.Internal || status.CodeOf(outcome) != status.Internal {
			t.Errorf("%s: want internal, have %v and %v", kind, err, outcome)
		}
	}
}
