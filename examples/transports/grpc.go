package main

import (
	"context"
	"errors"
	"net"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// Over gRPC a message is one of Protocol Buffers. These stand for the types of the service; most programs have their own .proto file,
// as the shop beside this has.

func cutToProto(_ context.Context, c *Cut) (*structpb.Struct, error) {
	return structpb.NewStruct(map[string]any{"stone": c.Stone, "count": c.Count})
}

func cutFromProto(_ context.Context, m *structpb.Struct) (*Cut, error) {
	return &Cut{Stone: m.GetFields()["stone"].GetStringValue(), Count: int(m.GetFields()["count"].GetNumberValue())}, nil
}

func blockToProto(_ context.Context, b *Block) (*wrapperspb.StringValue, error) {
	return wrapperspb.String(b.Text), nil
}

func blockFromProto(_ context.Context, m *wrapperspb.StringValue) (*Block, error) {
	return &Block{Text: m.GetValue()}, nil
}

func overGRPC(served yard) (called yard, stop func() error, err error) {
	server := grpctransport.NewGRPCServer()
	decode, encode := grpctransport.ServerDecoder(cutFromProto), grpctransport.ServerEncoder(blockToProto)
	grpctransport.Register(server,
		grpctransport.NewServer(cutSpec(), served.cut, decode, encode),
		grpctransport.NewStreamServer(watchSpec(), served.watch, decode, encode))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return called, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()

	conn, err := grpctransport.Dial(listener.Addr().String(), grpctransport.DialInsecure())
	if err != nil {
		return called, nil, err
	}
	stop = func() error {
		return errors.Join(conn.Close(), grpctransport.Shutdown(context.Background(), server, grace), <-ended)
	}
	ask, answer := grpctransport.ClientEncoder(cutToProto), grpctransport.ClientDecoder(blockFromProto)
	if called.cut, err = grpctransport.NewClient[*Cut, *Block](cutSpec(), conn, ask, answer); err != nil {
		return called, stop, err
	}
	called.watch, err = grpctransport.NewStreamClient[*Cut, *Block](watchSpec(), conn, ask, answer)
	return called, stop, err
}
