package transporttest_test

import (
	"context"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	"github.com/ashlar-go/ashlar/transport/transporttest"
	"github.com/ashlar-go/ashlar/transport/transporttest/messagepb"
)

// grpcHarness is transport/grpc, with the suite's message as a domain type that is encoded and decoded by functions.
func grpcHarness() transporttest.Harness {
	return transporttest.Harness{
		Name:      "gRPC",
		Transport: grpctransport.Name,
		Open:      openGRPC,
		Window:    1 << 20,
		Differences: []transporttest.Difference{
			{Check: "GarbledRequest", Have: "have internal", Reason: "gRPC's list of codes has Internal for it, and grpc-go tells the client by itself"},
			{Check: "GarbledField", Have: "no violation", Reason: "Protocol Buffers do not say where"},
			{Check: "WrongShape", Have: "have no error", Reason: "on the wire a unary call is a stream of one message each way"},
		},
	}
}

// maxError is room for the longest error of the suite; by default it is for 7 KiB, since many clients have none for more.
const maxError = 32 << 10

func openGRPC(operations ...transporttest.Operation) (transporttest.Link, error) {
	server := grpctransport.NewGRPCServer(grpctransport.GRPCMaxRequest(transporttest.MaxMessage))
	for _, o := range operations {
		if o.Stream != nil {
			grpctransport.Register(server, grpctransport.NewStreamServer(o.Spec, o.Stream, grpcServer(o.Hooks)...))
		} else {
			grpctransport.Register(server, grpctransport.NewServer(o.Spec, o.Endpoint, grpcServer(o.Hooks)...))
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	conn, err := grpctransport.Dial("passthrough:///"+listener.Addr().String(), grpctransport.DialInsecure())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	l := &grpcLink{server: server, conn: conn, hangUp: sync.OnceValue(conn.Close), served: make(chan error, 1)}
	go func() { l.served <- server.Serve(listener) }()
	return l, nil
}

type grpcLink struct {
	server *grpctransport.GRPCServer
	conn   *grpc.ClientConn
	hangUp func() error
	served chan error
}

func (l *grpcLink) Unary(spec endpoint.Spec, hooks transporttest.ClientHooks) (endpoint.Endpoint[message, message], error) {
	return grpctransport.NewClient[message, message](spec, l.conn, grpcClient(hooks)...)
}

func (l *grpcLink) Stream(spec endpoint.Spec, hooks transporttest.ClientHooks) (stream, error) {
	return grpctransport.NewStreamClient[message, message](spec, l.conn, grpcClient(hooks)...)
}

func (l *grpcLink) Shutdown(ctx context.Context) error {
	return grpctransport.Shutdown(ctx, l.server, 0)
}

func (l *grpcLink) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	err := l.Shutdown(ctx)
	served := <-l.served
	l.served <- served
	if errors.Is(served, grpc.ErrServerStopped) { // before it began
		served = nil
	}
	return errors.Join(err, served, l.hangUp())
}

func encodeMessage(_ context.Context, m message) (*messagepb.Message, error) {
	pb := &messagepb.Message{Text: m.Text, Number: m.Number, Data: m.Data}
	switch m.Text {
	case transporttest.Unencodable:
		return nil, transporttest.ErrUnencodable
	case transporttest.Garbled:
		const text, length = 1<<3 | 2, 100 // a text of 100 bytes, of which none come
		pb.Reset()
		pb.ProtoReflect().SetUnknown(protoreflect.RawFields{text, length})
	}
	return pb, nil
}

func decodeMessage(_ context.Context, pb *messagepb.Message) (message, error) {
	return message{Text: pb.GetText(), Number: pb.GetNumber(), Data: pb.GetData()}, nil
}

func grpcServer(hooks transporttest.ServerHooks) []grpctransport.ServerOption {
	opts := []grpctransport.ServerOption{
		grpctransport.ServerDecoder(decodeMessage), grpctransport.ServerEncoder(encodeMessage), grpctransport.ServerMaxError(maxError),
	}
	for _, mw := range hooks.Middleware {
		opts = append(opts, grpctransport.ServerMiddleware(mw))
	}
	for _, hook := range hooks.Before {
		opts = append(opts, grpctransport.ServerBefore(hook))
	}
	for _, hook := range hooks.After {
		opts = append(opts, grpctransport.ServerAfter(hook))
	}
	for _, hook := range hooks.ErrorHandler {
		opts = append(opts, grpctransport.ServerErrorHandler(hook))
	}
	for _, hook := range hooks.Finalizer {
		opts = append(opts, grpctransport.ServerFinalizer(func(ctx context.Context, o grpctransport.Outcome) {
			hook(ctx, transporttest.Outcome(o))
		}))
	}
	return opts
}

func grpcClient(hooks transporttest.ClientHooks) []grpctransport.ClientOption {
	opts := []grpctransport.ClientOption{
		grpctransport.ClientEncoder(encodeMessage), grpctransport.ClientDecoder(decodeMessage),
		grpctransport.ClientMaxResponse(transporttest.MaxMessage),
	}
	for _, hook := range hooks.Before {
		opts = append(opts, grpctransport.ClientBefore(func(ctx context.Context, _ transport.Header) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.After {
		opts = append(opts, grpctransport.ClientAfter(func(ctx context.Context, _ transport.Header) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.Finalizer {
		opts = append(opts, grpctransport.ClientFinalizer(func(ctx context.Context, o grpctransport.Outcome) {
			hook(ctx, transporttest.Outcome(o))
		}))
	}
	return opts
}
