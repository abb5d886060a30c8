package workqueue

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// failed is the error of a message that was not stored, as far as is known.
func (c *client[Req]) failed(ctx context.Context, subject string, err error) error {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return refused(api).WithCause(err)
	}
	switch {
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		return notSent(status.Errorf(status.Unavailable, "no stream takes messages of %q", subject).WithCause(err))
	case errors.Is(err, nats.ErrMaxPayload):
		return notSent(status.Errorf(status.ResourceExhausted, "the request to %s is larger than the server takes, %d bytes",
			c.operation, c.js.Conn().MaxPayload()).WithCause(err))
	case errors.Is(err, nats.ErrBadHeaderMsg), errors.Is(err, nats.ErrBadSubject):
		return notSent(status.New(status.Internal, "the request to "+c.operation+" could not be written").WithCause(err))
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining), errors.Is(err, nats.ErrReconnectBufExceeded):
		return notSent(status.New(status.Unavailable, "there is no connection to the server").WithCause(err))
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return status.New(status.DeadlineExceeded, "the stream has not answered in time").WithCause(err)
	case errors.Is(err, context.Canceled):
		return status.From(err)
	}
	if gone := ctx.Err(); gone != nil {
		return status.From(errors.Join(gone, err))
	}
	return status.New(status.Unavailable, "the message could not be stored").WithCause(err)
}

// Error codes of JetStream that say that there is no room: server/errors.json in the source of the server.
const (
	codeTooLarge      jetstream.ErrorCode = 10054 // JSStreamMessageExceedsMaximumErr
	codeStoreFailed   jetstream.ErrorCode = 10077 // JSStreamStoreFailedF, as with a full stream that discards new messages
	codeNoResources   jetstream.ErrorCode = 10023 // JSInsufficientResourcesErr
	codeNoMemory      jetstream.ErrorCode = 10028 // JSMemoryResourcesExceededErr
	codeNoStorage     jetstream.ErrorCode = 10047 // JSStorageResourcesExceededErr
	codeAccountLimits jetstream.ErrorCode = 10002 // JSAccountResourcesExceededErr
)

// refused is the error of a message that a stream has not taken.
func refused(api *jetstream.APIError) *status.Error {
	code := status.FailedPrecondition
	switch api.ErrorCode {
	case codeTooLarge, codeStoreFailed, codeNoResources, codeNoMemory, codeNoStorage, codeAccountLimits:
		code = status.ResourceExhausted
	default:
		if api.Code >= http.StatusInternalServerError {
			code = status.Unavailable
		}
	}
	return status.Errorf(code, "the stream refuses the message: %s", api.Description)
}

// notSent adds to err that nothing was sent.
func notSent(err *status.Error) error {
	if err.Cause == nil {
		return err.WithCause(transport.ErrNotSent)
	}
	return err.WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, err.Cause))
}
