package httptransport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/fieldrule"
)

// unanswered is what the caller gets when err came instead of a response.
func (c *client[Req, Resp]) unanswered(ctx context.Context, r *http.Request, err error) error {
	if bad := badHeader(r.Header); bad != nil {
		return c.unwritten(fmt.Errorf("%w: %w", bad, err))
	}
	return c.failed(ctx, err)
}

// failed is what the caller gets when there was no answer, or not all of it.
func (c *client[Req, Resp]) failed(ctx context.Context, err error) error {
	if notSent(err) {
		err = fmt.Errorf("%w: %w", transport.ErrNotSent, err)
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		return status.From(ctxErr).WithCause(err)
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, transport.ErrNotSent) {
		return status.Errorf(status.DeadlineExceeded, "%s did not answer in time", c.operation).WithCause(err)
	}
	return status.Errorf(status.Unavailable, "%s could not be reached", c.operation).WithCause(err)
}

// unwritten is what the caller gets for a request that HTTP cannot carry.
func (c *client[Req, Resp]) unwritten(err error) error {
	return status.New(status.Internal, "the request to "+c.operation+" could not be encoded").
		WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, err))
}

// badHeader returns an error for a header that net/http refuses to send, which it tells only by a text.
func badHeader(header http.Header) error {
	for name, values := range header {
		if err := fieldrule.Check(name, values); err != nil {
			return err
		}
	}
	return nil
}

// notSent reports whether err came up before any byte of the request could have been sent.
func notSent(err error) bool {
	if _, written := errors.AsType[*writtenError](err); written {
		return false
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// writtenError is the error of a request that was written, if not for the last time: http.Transport sends one whose method is safe again,
// when its connection was lost, and what it returns then is the error of the last time.
type writtenError struct{ error }

// Unwrap returns that error.
func (e *writtenError) Unwrap() error { return e.error }

// traced returns r with a context by which x knows that it was written.
func traced(r *http.Request, x *sent) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{WroteHeaders: func() { x.wrote.Store(true) }}))
}
