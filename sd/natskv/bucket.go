package natskv

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// open returns the stream that the bucket is, which must be as Bucket says.
func (p place) open(ctx context.Context) (jetstream.Stream, error) {
	if err := p.connected(); err != nil {
		return nil, p.failed("opening it", err)
	}
	ctx, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	stream, err := p.js.Stream(ctx, streamPrefix+p.bucket)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = jetstream.ErrBucketNotFound
	}
	if err != nil {
		return nil, p.failed("opening it", err)
	}
	switch config := stream.CachedInfo().Config; {
	case config.Mirror != nil:
		err = errors.New("it is a mirror of another")
	case !config.AllowMsgTTL || config.SubjectDeleteMarkerTTL <= 0:
		err = errors.New("its entries have no times to live of their own; make it with a LimitMarkerTTL, as natskv.Bucket says")
	default:
		return stream, nil
	}
	return nil, p.failed("looking at it", err)
}

// connected returns an error when there is no connection to NATS.
func (p place) connected() error {
	nc := p.js.Conn()
	if nc.IsConnected() {
		return nil
	}
	return lost(nc.Status())
}

var errLost = errors.New("there is no connection to NATS")

func lost(state nats.Status) error {
	if state == nats.CLOSED {
		return nats.ErrConnectionClosed
	}
	return fmt.Errorf("%w: it is %v", errLost, state)
}

// failed says what was to be done with the bucket when it failed.
func (p place) failed(doing string, err error) error {
	return fmt.Errorf("natskv: the bucket %s: %s, for %s: %w", p.bucket, doing, p.service, err)
}
