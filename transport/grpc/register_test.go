package grpctransport_test

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

func itself[T any](_ context.Context, v T) (T, error) { return v, nil }

func TestServicesAreCheckedAgainstTheirFiles(t *testing.T) {
	t.Parallel()
	spec := func(method string) endpoint.Spec { return endpoint.Spec{Service: service, Method: method} }
	other := grpctransport.ServerFiles(new(protoregistry.Files))
	for want, servers := range map[string][]*grpctransport.Server{
		"grpc.testing.TestService/Other: grpc/testing/test.proto has no such method": {grpctransport.NewServer(spec("Other"), echo)},
		"grpc.testing.TestService/FullDuplexCall is unary here, and bidirectional in grpc/testing/test.proto": {
			grpctransport.NewServer(spec("FullDuplexCall"), func(context.Context, *ask) (*answer, error) { return &answer{}, nil }),
		},
		"grpc.testing.TestService/UnaryCall is server stream here, and unary in grpc/testing/test.proto": {
			grpctransport.NewStreamServer(endpoint.Spec{Service: service, Method: "UnaryCall", Kind: endpoint.ServerStream}, echo1),
		},
		"grpc.testing.TestService/UnaryCall has the request grpc.testing.Empty here, and grpc.testing.SimpleRequest in grpc/testing/test.proto": {
			grpctransport.NewServer(unarySpec, func(context.Context, *testpb.Empty) (*response, error) { return &response{}, nil }),
		},
		"grpc.testing.TestService/EmptyCall has the response grpc.testing.SimpleResponse here, and grpc.testing.Empty in grpc/testing/test.proto": {
			grpctransport.NewServer(spec("EmptyCall"), func(context.Context, *testpb.Empty) (*response, error) { return &response{}, nil }),
		},
		"grpc.testing.SimpleRequest is no service in grpc/testing/messages.proto": {
			grpctransport.NewServer(endpoint.Spec{Service: "grpc.testing.SimpleRequest", Method: "X"}, echo),
		},
		"grpc.testing.TestService/UnaryCall has two servers": {grpctransport.NewServer(unarySpec, echo), grpctransport.NewServer(unarySpec, echo)},
		"server 1 is nil": {grpctransport.NewServer(unarySpec, echo), nil},
		"grpc.testing.TestService/FullDuplexCall has other ServerFiles": {
			grpctransport.NewServer(unarySpec, echo), grpctransport.NewStreamServer(talkSpec, echoes, other),
		},
	} {
		s := grpc.NewServer()
		wantPanic(t, want, func() { grpctransport.Register(s, servers...) })
		s.Stop()
	}
	for name, servers := range map[string][]*grpctransport.Server{
		"right":               interop(),
		"in no file":          {grpctransport.NewServer(endpoint.Spec{Service: "other.Service", Method: "X"}, echo)},
		"another method":      {grpctransport.NewServer(spec("Other"), echo, other)},
		"two services":        {grpctransport.NewServer(unarySpec, echo), grpctransport.NewServer(endpoint.Spec{Service: "b", Method: "X"}, echo)},
		"by a domain decoder": {grpctransport.NewServer(unarySpec, itself[stone], decodeStone(), encodeStone())},
	} {
		s := grpc.NewServer()
		grpctransport.Register(s, servers...)
		if have := s.GetServiceInfo(); len(have) == 0 {
			t.Errorf("%s: nothing was registered", name)
		}
		s.Stop()
	}
}

func echo1(context.Context, seq[*request], func(*response) error) error { return nil }

func decodeStone() grpctransport.ServerOption {
	return grpctransport.ServerDecoder(func(_ context.Context, m *request) (stone, error) {
		if m.GetPayload() == nil {
			return stone{}, status.Invalid(status.Violation{Field: "payload", Description: "is missing"})
		}
		return stone{string(m.GetPayload().GetBody())}, nil
	})
}

func encodeStone() grpctransport.ServerOption {
	return grpctransport.ServerEncoder(func(_ context.Context, s stone) (*response, error) { return &response{Payload: payload(s.Name)}, nil })
}

func TestAServiceIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	s := grpc.NewServer()
	defer s.Stop()
	testpb.RegisterTestServiceServer(s, generated{})
	wantPanic(t, "grpctransport: Register: the service grpc.testing.TestService is registered already", func() {
		grpctransport.Register(s, grpctransport.NewServer(unarySpec, echo))
	})
	grpctransport.Register(s, grpctransport.NewServer(endpoint.Spec{Service: "other", Method: "X"}, echo)) // beside the generated one
	if have := len(s.GetServiceInfo()); have != 2 {
		t.Errorf("want 2 services, have %d", have)
	}
}

func TestTypesThatAreNoMessagesNeedAnOption(t *testing.T) {
	t.Parallel()
	conn := dial(t, "127.0.0.1:1")
	for want, f := range map[string]func(){
		"the request: grpctransport_test.stone is no generated message; ServerDecoder would say which message it comes in":    func() { grpctransport.NewServer(unarySpec, itself[stone]) },
		"the response: grpctransport_test.stone is no generated message; ServerEncoder would say which message it is sent in": func() { grpctransport.NewServer(unarySpec, itself[stone], decodeStone()) },
		"the messages of the client: grpctransport_test.stone is no generated message": func() {
			grpctransport.NewStreamServer[stone, *answer](talkSpec, func(context.Context, seq[stone], func(*answer) error) error { return nil })
		},
		"protoreflect.ProtoMessage is no generated message":                  func() { grpctransport.NewServer(unarySpec, itself[proto.Message]) },
		"*dynamicpb.Message is no generated message":                         func() { grpctransport.NewServer(unarySpec, itself[*dynamicpb.Message]) },
		"ServerDecoder makes another type than *grpc_testing.SimpleRequest":  func() { grpctransport.NewServer(unarySpec, echo, decodeStone()) },
		"ServerEncoder takes another type than *grpc_testing.SimpleResponse": func() { grpctransport.NewServer(unarySpec, echo, encodeStone()) },
		"ServerDecoder of a nil function":                                    func() { grpctransport.NewServer(unarySpec, echo, grpctransport.ServerDecoder[*request, *request](nil)) },
		"ServerEncoder of a nil function": func() {
			grpctransport.NewServer(unarySpec, echo, grpctransport.ServerEncoder[*response, *response](nil))
		},
		"ServerFiles of nil":                    func() { grpctransport.NewServer(unarySpec, echo, grpctransport.ServerFiles(nil)) },
		"ServerBefore: function 0 is nil":       func() { grpctransport.NewServer(unarySpec, echo, grpctransport.ServerBefore(nil)) },
		"ServerAfter: function 0 is nil":        func() { grpctransport.NewServer(unarySpec, echo, grpctransport.ServerAfter(nil)) },
		"ServerFinalizer: function 0 is nil":    func() { grpctransport.NewServer(unarySpec, echo, grpctransport.ServerFinalizer(nil)) },
		"ServerErrorHandler: function 0 is nil": func() { grpctransport.NewServer(unarySpec, echo, grpctransport.ServerErrorHandler(nil)) },
		"ServerMiddleware: function 0 is nil":   func() { grpctransport.NewServer(unarySpec, echo, grpctransport.ServerMiddleware(nil)) },
		"client of grpc.testing.TestService/UnaryCall: what is sent: grpctransport_test.stone is no generated message; ClientEncoder would": func() { mustClient[stone, *response](conn) },
		"what is received: grpctransport_test.stone is no generated message; ClientDecoder would":                                           func() { mustClient[*request, stone](conn) },
		"ClientBefore: function 0 is nil":      func() { mustClient[*request, *response](conn, grpctransport.ClientBefore(nil)) },
		"ClientAfter: function 0 is nil":       func() { mustClient[*request, *response](conn, grpctransport.ClientAfter(nil)) },
		"ClientFinalizer: function 0 is nil":   func() { mustClient[*request, *response](conn, grpctransport.ClientFinalizer(nil)) },
		"ClientCallOptions: function 0 is nil": func() { mustClient[*request, *response](conn, grpctransport.ClientCallOptions(nil)) },
		"ClientMaxResponse of 0 bytes":         func() { mustClient[*request, *response](conn, grpctransport.ClientMaxResponse(0)) },
		"ClientEncoder of a nil function":      func() { mustClient[*request, *response](conn, grpctransport.ClientEncoder[*request, *request](nil)) },
		"ClientDecoder: grpctransport_test.value is no generated message": func() {
			mustClient[*request, *response](conn, grpctransport.ClientDecoder[value, *response](nil))
		},
	} {
		wantPanic(t, want, f)
	}
}

// value is a message that is no pointer.
type value struct{ proto.Message }

func mustClient[Req, Resp any](conn grpc.ClientConnInterface, opts ...grpctransport.ClientOption) {
	if _, err := grpctransport.NewClient[Req, Resp](unarySpec, conn, opts...); err != nil {
		panic(err)
	}
}

func TestADomainTypeIsDecodedAndEncoded(t *testing.T) {
	t.Parallel()
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, itself[stone], decodeStone(), encodeStone()))
	encode := grpctransport.ClientEncoder(func(_ context.Context, s stone) (*request, error) {
		if s.Name == "" {
			return &request{}, nil
		}
		return requestOf(s.Name), nil
	})
	decode := grpctransport.ClientDecoder(func(_ context.Context, m *response) (stone, error) {
		return stone{string(m.GetPayload().GetBody())}, nil
	})
	call := newClient[stone, stone](t, unarySpec, dial(t, address), encode, decode)
	if have, err := call(t.Context(), stone{"ashlar"}); err != nil || have.Name != "ashlar" {
		t.Errorf("want ashlar, have %v, %v", have, err)
	}
	if _, err := call(t.Context(), stone{}); status.CodeOf(err) != status.InvalidArgument || len(cross(t, err).Violations) != 1 {
		t.Errorf("want invalid argument with a violation, have %v", err)
	}
}
