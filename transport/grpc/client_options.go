package grpctransport

import (
	"context"
	"fmt"
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// ClientOption sets up a client. Options of the same name append to each other, in order, unless they say otherwise.
type ClientOption func(*clientConfig) error

type clientConfig struct {
	before     []func(context.Context, transport.Header) context.Context
	after      []func(context.Context, transport.Header) context.Context
	finalizers []func(context.Context, Outcome)
	encode     any // *outlet[Req]
	decode     any // *inlet[Resp]
	calls      []grpc.CallOption
}

func newClientConfig(opts []ClientOption) (*clientConfig, error) {
	c := new(clientConfig)
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// ClientBefore adds hooks that run, in order, before the request is sent. They may set fields of its header and add to the
// context. The header has what the context holds as outgoing metadata.
func ClientBefore(hooks ...func(ctx context.Context, request transport.Header) context.Context) ClientOption {
	return func(c *clientConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ClientBefore", hooks)
	}
}

// ClientAfter adds hooks that see the header of the response, also of one that is an error. On a stream they run before the
// first message, or at its end where there is none. They do not run where nothing was sent.
func ClientAfter(hooks ...func(ctx context.Context, response transport.Header) context.Context) ClientOption {
	return func(c *clientConfig) error {
		c.after = append(c.after, hooks...)
		return option.RefuseNil("ClientAfter", hooks)
	}
}

// ClientFinalizer adds hooks that run last, whatever happened.
func ClientFinalizer(hooks ...func(ctx context.Context, outcome Outcome)) ClientOption {
	return func(c *clientConfig) error {
		c.finalizers = append(c.finalizers, hooks...)
		return option.RefuseNil("ClientFinalizer", hooks)
	}
}

// ClientEncoder sets the function that makes the message which a request is sent in, a pointer to a generated one; on a stream, each of
// them. Its Req must be that of the client. It replaces an earlier one.
func ClientEncoder[Req any, M proto.Message](encode func(ctx context.Context, request Req) (M, error)) ClientOption {
	return func(c *clientConfig) error {
		out, err := encoding("ClientEncoder", encode)
		c.encode = out
		return err
	}
}

// ClientDecoder sets the function that makes a response of the message that it comes in; on a stream, of each message. Its Resp must be
// that of the client. It replaces an earlier one.
func ClientDecoder[M proto.Message, Resp any](decode func(ctx context.Context, message M) (Resp, error)) ClientOption {
	return func(c *clientConfig) error {
		in, err := decoding("ClientDecoder", decode)
		c.decode = in
		return err
	}
}

// ClientMaxResponse limits the response, or each message of a stream, to n bytes after decompression. The default is that of the
// connection: DefaultMaxResponse of one from Dial. It replaces an earlier one.
func ClientMaxResponse(n int64) ClientOption {
	return func(c *clientConfig) error {
		if n <= 0 {
			return fmt.Errorf("ClientMaxResponse of %d bytes, want more than 0", n)
		}
		c.calls = append(c.calls, grpc.MaxCallRecvMsgSize(int(min(n, math.MaxInt32))))
		return nil
	}
}

// ClientGzip compresses what the client sends. A server answers with what it was asked in, so that responses are
// compressed as well. Without it nothing is.
func ClientGzip() ClientOption {
	return func(c *clientConfig) error {
		c.calls = append(c.calls, grpc.UseCompressor(gzip.Name))
		return nil
	}
}

// ClientCallOptions adds options of grpc-go to each call, such as grpc.WaitForReady.
func ClientCallOptions(opts ...grpc.CallOption) ClientOption {
	return func(c *clientConfig) error {
		c.calls = append(c.calls, opts...)
		return option.RefuseNil("ClientCallOptions", opts)
	}
}
