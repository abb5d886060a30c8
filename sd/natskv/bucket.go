package natskv

import (
	"cmp"
	"context"
	"encoding/json"
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

// newest returns the sequence of the newest message of the service, as the leader of the bucket knows it; 0 where there is none. Stream has
// methods for this, which any server of a bucket answers, with what it knows.
func (p place) newest(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	request, err := json.Marshal(map[string]string{"last_by_subj": p.prefix() + "*"})
	if err != nil {
		return 0, err
	}
	subject := cmp.Or(p.upper(), jetstream.DefaultAPIPrefix) + "STREAM.MSG.GET." + streamPrefix + p.bucket
	answer, err := p.js.Conn().RequestWithContext(ctx, subject, request)
	if err != nil {
		return 0, err
	}
	var found struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Sequence uint64 `json:"seq"`
		} `json:"message"`
	}
	switch err := json.Unmarshal(answer.Data, &found); {
	case err != nil:
		return 0, err
	case found.Error != nil && found.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return 0, nil
	case found.Error != nil:
		return 0, found.Error
	}
	return found.Message.Sequence, nil
}
