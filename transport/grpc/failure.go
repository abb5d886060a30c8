package grpctransport

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// failed is what the caller gets of an error of grpc-go.
func (l *link[In, Out]) failed(ctx context.Context, x *sent, err error) error {
	s := statusOf(err)
	if s == nil { // an interceptor's own
		return status.From(err)
	}
	code := s.Code()
	if ctxErr := ctx.Err(); ctxErr != nil && (code == codes.Canceled || code == codes.DeadlineExceeded) {
		return status.From(ctxErr).WithCause(x.cause(err))
	}
	switch {
	case code == codes.Internal && x.unsendable(s.Message()), code == codes.Internal && !x.left():
		return l.unsent(err)
	case code == codes.Unavailable && !x.left(), code == codes.Canceled && s.Message() == connClosing:
		return status.New(status.Unavailable, l.operation+" could not be reached").WithCause(x.cause(err))
	case code == codes.Unavailable && broken(s.Message()):
		return status.New(status.Unavailable, "the connection broke during a call of "+l.operation).WithCause(err)
	}
	shown := unwire(s.Proto())
	if x.left() {
		return shown // the server's, equal to what it sent
	}
	return shown.WithCause(x.cause(err))
}

// statusOf returns the status of grpc-go in err's tree, nil where there is none. Texts wrapped around it, as by grpc-go after its last
// attempt, stay local.
func statusOf(err error) *grpcstatus.Status {
	if e, ok := errors.AsType[interface {
		error
		GRPCStatus() *grpcstatus.Status
	}](err); ok {
		return e.GRPCStatus()
	}
	return nil
}

// cause is err as a cause.
func (x *sent) cause(err error) error {
	if x.left() {
		return err
	}
	return fmt.Errorf("%w: %w", transport.ErrNotSent, err)
}

// unsent is what the caller gets for a request that gRPC cannot carry.
func (l *link[In, Out]) unsent(err error) error {
	return status.New(status.Internal, "the request to "+l.operation+" could not be encoded").
		WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, err))
}

// unsendable reports whether a unary call failed since its request cannot be encoded. Grpc-go finds that when it has a stream
// already, and says it in the words in which a server would say it of a response.
func (x *sent) unsendable(message string) bool {
	if x.request == nil || !strings.HasPrefix(message, "grpc: error while marshaling: ") {
		return false
	}
	_, err := proto.Marshal(x.request)
	return err != nil
}

// connClosing is the message of an error of grpc-go for a connection that was closed on this side.
const connClosing = "grpc: the client connection is closing"

// broken reports whether the message is one of those of grpc-go for a connection that broke, some of which name addresses.
func broken(message string) bool {
	for _, prefix := range [...]string{
		"error reading from server", "error writing to server", "closing transport due to", "the connection is draining",
		"transport is closing", "connection error", "keepalive ping failed", "unexpected EOF",
	} {
		if strings.HasPrefix(message, prefix) {
			return true
		}
	}
	return false
}
