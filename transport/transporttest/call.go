package transporttest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/ashlar-go/ashlar/endpoint"
)

// call calls the stream, and gives up on it when it does not return.
func (c *cell) call(ctx context.Context, s stream, in sequence, out func(Message) error) error {
	_, err := awaitFor(c.h.Patience, "the end of the call", c.begin(ctx, s, in, out))
	return err
}

// begin calls the stream on a goroutine of its own.
func (c *cell) begin(ctx context.Context, s stream, in sequence, out func(Message) error) <-chan result[error] {
	return c.start(func() error { return s(ctx, in, out) })
}

// ask calls the stream with the requests, and returns the responses.
func (c *cell) ask(ctx context.Context, s stream, requests ...Message) ([]Message, error) {
	var got inbox
	err := c.call(ctx, s, endpoint.Seq(requests...), got.put)
	return got.all(), err
}

// inbox collects messages.
type inbox struct {
	mu       sync.Mutex
	messages []Message
}

func (b *inbox) put(m Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
	return nil
}

func (b *inbox) all() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

// hello is a request that asks for nothing special.
func hello() Message { return Message{Text: "hello", Number: 1} }

// try makes one call with one request, and returns its error.
func (c *cell) try(s stream) error {
	_, err := c.ask(c.ctx, s, hello())
	return err
}

// last reads in to its end and returns the last message.
func last(in sequence) (m Message, err error) {
	for message, err := range in {
		if err != nil {
			return m, err
		}
		m = message
	}
	return m, nil
}

// first reads the first message of in, which must have one.
func first(in sequence) (Message, error) {
	for m, err := range in {
		return m, err
	}
	return Message{}, errors.New("there was no request")
}

// gather reads in to its end.
func gather(in sequence) (all []Message, err error) {
	for message, err := range in {
		if err != nil {
			return all, err
		}
		all = append(all, message)
	}
	return all, nil
}

// send sends the messages.
func send(out func(Message) error, messages ...Message) error {
	for _, m := range messages {
		if err := out(m); err != nil {
			return err
		}
	}
	return nil
}

// reply is a stream that reads all requests and answers with what f makes of the last.
func reply(f func(ctx context.Context, request Message) (Message, error)) stream {
	return func(ctx context.Context, in sequence, out func(Message) error) error {
		request, err := last(in)
		if err != nil {
			return err
		}
		response, err := f(ctx, request)
		if err != nil {
			return err
		}
		return out(response)
	}
}

// look is a stream that reads all requests, calls f and answers with the last request.
func look(f func(ctx context.Context) error) stream {
	return reply(func(ctx context.Context, request Message) (Message, error) { return request, f(ctx) })
}

// echo is a stream that answers with the last request, or of a shape with many responses with each.
func (c *cell) echo() stream {
	if !c.has(manyOut()) {
		return look(func(context.Context) error { return nil })
	}
	return func(_ context.Context, in sequence, out func(Message) error) error {
		for m, err := range in {
			if err != nil {
				return err
			}
			if err := out(m); err != nil {
				return err
			}
		}
		return nil
	}
}

// errEnded is why a handler or a client of the suite gives up waiting.
var errEnded = errors.New("transporttest: the check has ended")

// gate opens once.
type gate chan struct{}

// pass waits until the gate opens, the context ends or the check does.
func (c *cell) pass(ctx context.Context, g gate) error {
	select {
	case <-g:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.ctx.Done():
		return errEnded
	}
}

// hold is an in that yields the messages and goes on until ctx ends.
func (c *cell) hold(ctx context.Context, messages ...Message) sequence {
	return func(yield func(Message, error) bool) {
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
		_ = c.pass(ctx, nil)
	}
}

// requests is the in of a call that lasts: it goes on where the shape allows that.
func (c *cell) requests(ctx context.Context) sequence {
	if c.has(manyIn()) {
		return c.hold(ctx, hello())
	}
	return endpoint.Seq(hello())
}

// drop is an out that takes whatever comes.
func drop(Message) error { return nil }
