package workqueue

import (
	"context"
	"fmt"
	"time"
)

// Delivery is one message as a consumer delivers it, before it is decoded. It is what the ServerMiddleware sees as the request.
// Nobody may change it.
type Delivery struct {
	// Stream and Consumer are the names of where it comes from.
	Stream, Consumer string
	// Subject is what it was published to.
	Subject string
	// Sequence is its number in the stream.
	Sequence uint64
	// Attempt counts the deliveries of this message: 1 for the first. What a dead worker or a drain cut short counts too.
	Attempt int
	// Limit is the ServerMaxDeliver of the server.
	Limit int
	// Stored is when the stream took the message.
	Stored time.Time
	// Pending is how many further messages the consumer had not delivered yet.
	Pending uint64
	// Data is the payload as it came. Its header fields are in transport.Info.Request.
	Data []byte
}

// ID names the message: the same at each delivery, and another one for each message, also in a stream of the same name that was
// made anew. It serves to see that work was done already.
func (d *Delivery) ID() string {
	return fmt.Sprintf("%s.%s.%d.%x", d.Stream, d.Consumer, d.Sequence, d.Stored.UnixNano())
}

type deliveryKey struct{}

// FromContext returns the delivery that is being worked on, nil outside of any.
func FromContext(ctx context.Context) *Delivery {
	d, _ := ctx.Value(deliveryKey{}).(*Delivery)
	return d
}
