package httptransport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// failed is what the caller gets when there was no answer, or not all of it.
func (c *client[Req, Resp]) failed(ctx context.Context, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		return status.From(ctxErr).WithCause(err)
	}
	if notSent(err) {
		err = errors.Join(err, transport.ErrNotSent)
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, transport.ErrNotSent) {
		return status.Errorf(status.DeadlineExceeded, "%s did not answer in time", c.operation).WithCause(err)
	}
	return status.Errorf(status.Unavailable, "%s could not be reached", c.operation).WithCause(err)
}

// notSent reports whether err came up before any byte of the request could have been sent.
func notSent(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
