package grpctransport_test

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// interop is the test service of grpc/doc/interop-test-descriptions.md, as endpoints.
func interop() []*grpctransport.Server {
	spec := func(method string, kind endpoint.Kind) endpoint.Spec {
		return endpoint.Spec{Service: service, Method: method, Kind: kind}
	}
	return []*grpctransport.Server{
		grpctransport.NewServer(spec("EmptyCall", endpoint.Unary), func(context.Context, *testpb.Empty) (*testpb.Empty, error) {
			return &testpb.Empty{}, nil
		}),
		grpctransport.NewServer(spec("UnaryCall", endpoint.Unary), func(ctx context.Context, r *request) (*response, error) {
			echoMetadata(ctx)
			if err := echoStatus(r.GetResponseStatus()); err != nil {
				return nil, err
			}
			return &response{Payload: zeros(r.GetResponseSize())}, nil
		}),
		grpctransport.NewStreamServer(spec("StreamingOutputCall", endpoint.ServerStream), endpoint.FromServerStream(respond)),
		grpctransport.NewStreamServer(spec("StreamingInputCall", endpoint.ClientStream),
			endpoint.FromClientStream(func(_ context.Context, parts seq[*testpb.StreamingInputCallRequest]) (*testpb.StreamingInputCallResponse, error) {
				whole := new(testpb.StreamingInputCallResponse)
				for part, err := range parts {
					if err != nil {
						return nil, err
					}
					whole.AggregatedPayloadSize += int32(len(part.GetPayload().GetBody()))
				}
				return whole, nil
			})),
		grpctransport.NewStreamServer(spec("FullDuplexCall", endpoint.Bidirectional), func(ctx context.Context, in asks, out func(*answer) error) error {
			echoMetadata(ctx)
			for r, err := range in {
				if err != nil {
					return err
				}
				if err := respond(ctx, r, out); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func echoMetadata(ctx context.Context) {
	info := transport.FromContext(ctx)
	const initial, trailing = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
	info.Response.Set(initial, info.Request.Values(initial)...)
	info.Trailer.Set(trailing, info.Request.Values(trailing)...)
}

func echoStatus(s *testpb.EchoStatus) error {
	if s.GetCode() == 0 {
		return nil
	}
	return status.New(status.Code(s.GetCode()), s.GetMessage())
}

func zeros(n int32) *testpb.Payload { return &testpb.Payload{Body: make([]byte, n)} }

func respond(ctx context.Context, r *ask, out func(*answer) error) error {
	if err := echoStatus(r.GetResponseStatus()); err != nil {
		return err
	}
	for _, p := range r.GetResponseParameters() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(p.GetIntervalUs()) * time.Microsecond):
		}
		if err := out(&answer{Payload: zeros(p.GetSize())}); err != nil {
			return err
		}
	}
	return nil
}

func TestTheOfficialInteropClientPasses(t *testing.T) {
	t.Parallel()
	program := testserver.Program(t, "grpc-interop-client")
	host, port, err := net.SplitHostPort(start(t, grpctransport.NewGRPCServer(), interop()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream", "cancel_after_begin",
		"cancel_after_first_response", "timeout_on_sleeping_server", "status_code_and_message", "special_status_message",
		"unimplemented_method", "unimplemented_service", "custom_metadata",
	} {
		if text, err := runInterop(t, program, host, port, name); err != nil || !strings.Contains(text, " done") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// runInterop runs one case of the client, which says at its end that it is done.
func runInterop(t testing.TB, program, host, port, name string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "-server_host="+host, "-server_port="+port, "-test_case="+name)
	cmd.Env = append(cmd.Environ(), "GRPC_GO_LOG_SEVERITY_LEVEL=info")
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func TestTheOfficialInteropClientNoticesAWrongServer(t *testing.T) {
	t.Parallel()
	program := testserver.Program(t, "grpc-interop-client")
	host, port, err := net.SplitHostPort(start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, echo)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"large_unary", "custom_metadata", "ping_pong"} {
		if text, err := runInterop(t, program, host, port, name); err == nil {
			t.Errorf("%s: want a failure, have %s", name, text)
		}
	}
}

func TestGrpcurlListsDescribesAndCalls(t *testing.T) {
	t.Parallel()
	program := testserver.Program(t, "grpcurl")
	address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCReflection(), grpctransport.GRPCHealth()), interop()...)
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{address, "list"}, []string{service, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}},
		{[]string{address, "describe", service}, []string{"rpc UnaryCall ( .grpc.testing.SimpleRequest ) returns ( .grpc.testing.SimpleResponse );"}},
		{[]string{"-d", `{"responseSize":3}`, address, service + "/UnaryCall"}, []string{`"body": "AAAA"`}},
		{[]string{"-d", `{"responseParameters":[{"size":3},{"size":6}]}`, address, service + "/StreamingOutputCall"}, []string{`"AAAA"`, `"AAAAAAAA"`}},
		{[]string{"-d", `{"payload":{"body":"AAAA"}} {"payload":{"body":"AAAA"}}`, address, service + "/StreamingInputCall"}, []string{`"aggregatedPayloadSize": 6`}},
		{[]string{"-d", `{"service":"` + service + `"}`, address, "grpc.health.v1.Health/Check"}, []string{`"SERVING"`}},
	} {
		args := append([]string{"-plaintext", "-format-error"}, tt.args...)
		text, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		for _, want := range tt.want {
			if err != nil || !strings.Contains(string(text), want) {
				t.Errorf("grpcurl %q: want %s, have %v\n%s", tt.args, want, err, text)
			}
		}
	}
}
