// Package grpcload drives a gRPC server over one connection, by grpc-go and generated code, and checks each answer.
package grpcload

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/bench/internal/parallel"
)

// size is that of the payload.
const size = 100

// Load calls one server.
type Load struct {
	conn    *grpc.ClientConn
	client  testpb.TestServiceClient
	payload *testpb.Payload
	streams []testpb.TestService_FullDuplexCallClient
	cancel  context.CancelFunc
	atOnce  int
}

// Dial opens the connection, and streams on it, as many as messages are at once. Calls that are measured without streams
// should be made without them: each open stream occupies a worker of the server.
func Dial(address string, atOnce, streams int) (*Load, error) {
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Load{
		conn: conn, client: testpb.NewTestServiceClient(conn), cancel: cancel, atOnce: atOnce,
		payload: &testpb.Payload{Body: bytes.Repeat([]byte("x"), size)},
	}
	for range streams {
		stream, err := l.client.FullDuplexCall(ctx)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		l.streams = append(l.streams, stream)
	}
	return l, nil
}

// Unary makes n unary calls, some at a time.
func (l *Load) Unary(n int) error {
	request := &testpb.SimpleRequest{Payload: l.payload}
	return parallel.Do(n, l.atOnce, func(int) error {
		response, err := l.client.UnaryCall(context.Background(), request)
		return l.check(response.GetPayload(), err)
	})
}

// Messages sends n messages over the streams, each when the one before it has come back.
func (l *Load) Messages(n int) error {
	message := &testpb.StreamingOutputCallRequest{Payload: l.payload}
	return parallel.Do(n, l.atOnce, func(i int) error {
		if err := l.streams[i].Send(message); err != nil {
			return err
		}
		response, err := l.streams[i].Recv()
		return l.check(response.GetPayload(), err)
	})
}

func (l *Load) check(have *testpb.Payload, err error) error {
	if err == nil && !bytes.Equal(have.GetBody(), l.payload.GetBody()) {
		err = fmt.Errorf("want %q, have %q", l.payload.GetBody(), have.GetBody())
	}
	return err
}

// Close ends the streams and the connection.
func (l *Load) Close() error {
	l.cancel()
	return l.conn.Close()
}
