package transporttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

var flowChecks = []check{{
	name:   "AtOnce",
	clause: "a message of a stream arrives at once, and does not wait for the next one or for the end",
	kinds:  streamKinds(),
	run: func(c *cell) error {
		const rounds = 5
		read, sent := make(chan struct{}, rounds), make(chan struct{}, rounds) // what the server has read, and the client received
		call, err := c.open(service{stream: func(ctx context.Context, in sequence, out func(Message) error) error {
			if c.kind == endpoint.ServerStream {
				return c.wrong(c.inTurns(ctx, sent, rounds, out))
			}
			for m, err := range in {
				if err != nil {
					return err
				}
				read <- struct{}{}
				if c.kind == endpoint.Bidirectional {
					if err := out(m); err != nil {
						return err
					}
				}
			}
			if c.kind == endpoint.ClientStream {
				return out(hello())
			}
			return nil
		}})
		if err != nil {
			return err
		}
		turn := sent
		if c.kind == endpoint.ClientStream {
			turn = read
		}
		in := endpoint.Seq(hello())
		if c.has(manyIn()) {
			in = func(yield func(Message, error) bool) {
				stopped := errors.New("no more")
				if err := c.inTurns(c.ctx, turn, rounds, func(m Message) error {
					if !yield(m, nil) {
						return stopped
					}
					return nil
				}); err != nil && !errors.Is(err, stopped) {
					yield(Message{}, err)
				}
			}
		}
		return c.call(c.ctx, call, in, func(Message) error {
			sent <- struct{}{}
			return nil
		})
	},
}, {
	name:   "BothWays",
	clause: "a stream may be read on one goroutine while another one sends",
	kinds:  []endpoint.Kind{endpoint.Bidirectional},
	run: func(c *cell) error {
		const n = 100
		call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
			read := c.start(func() error { return c.wrong(new(counter).all(in, n)) })
			err := sendAll(out, numbered(n))
			_, readErr := await(c, "the reading", read)
			return errors.Join(err, readErr)
		}})
		if err != nil {
			return err
		}
		var got counter
		err = c.call(c.ctx, call, asIn(numbered(n)), got.see)
		return errors.Join(err, got.end(n))
	},
}, {
	name:   "BackPressure",
	clause: "a reader who does not read makes the sender wait: no more is sent ahead than the window of the harness holds",
	kinds:  streamKinds(),
	run: func(c *cell) error {
		var errs []error
		if c.has(manyOut()) {
			errs = append(errs, c.pressDown())
		}
		if c.has(manyIn()) {
			errs = append(errs, c.pressUp())
		}
		return errors.Join(errs...)
	},
}}

// inTurns sends n messages, each after the one before has been seen to arrive.
func (c *cell) inTurns(ctx context.Context, arrived <-chan struct{}, n int, out func(Message) error) error {
	for m := range numbered(n) {
		if err := out(m); err != nil {
			return err
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(c.patience):
			return fmt.Errorf("message %d did not arrive before the next", m.Number)
		}
	}
	return nil
}

// pressSize is the size of the messages of BackPressure.
const pressSize = 4 << 10

// excess is how many messages more than the window holds are sent: enough to see that there is no end to it.
const excess = 64

// press returns how many messages are sent, and in which order.
func (c *cell) press() (int, iter.Seq[Message]) {
	n := c.h.Window/pressSize + excess
	text := strings.Repeat("x", pressSize)
	return n, func(yield func(Message) bool) {
		for m := range numbered(n) {
			m.Text = text
			if !yield(m) {
				return
			}
		}
	}
}

func (c *cell) pressDown() error {
	n, messages := c.press()
	var sent atomic.Int64
	call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
		if _, err := gather(in); err != nil {
			return err
		}
		return sendAll(func(m Message) error {
			err := out(m)
			sent.Add(1)
			return err
		}, messages)
	}})
	if err != nil {
		return err
	}
	var got counter
	err = c.call(c.ctx, call, endpoint.Seq(hello()), func(m Message) error {
		if got.next == 0 {
			if err := c.stuck(&sent); err != nil {
				return err
			}
		}
		return got.see(m)
	})
	if err != nil {
		return fmt.Errorf("from the server: %w", err)
	}
	return got.end(n)
}

func (c *cell) pressUp() error {
	n, messages := c.press()
	var sent atomic.Int64
	call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
		var got counter
		for m, err := range in {
			if err != nil {
				return err
			}
			if got.next == 0 {
				if err := c.wrong(c.stuck(&sent)); err != nil {
					return err
				}
			}
			if err := c.wrong(got.see(m)); err != nil {
				return err
			}
		}
		if err := c.wrong(got.end(n)); err != nil {
			return err
		}
		return out(hello())
	}})
	if err != nil {
		return err
	}
	err = c.call(c.ctx, call, func(yield func(Message, error) bool) {
		for m := range messages {
			if !yield(m, nil) {
				return
			}
			sent.Add(1)
		}
	}, drop)
	if err != nil {
		return fmt.Errorf("from the client: %w", err)
	}
	return nil
}

// stuck waits until the sender sends no more, and fails when it has sent more than the window holds. A sender that is only slow
// passes, which is no harm: one without a limit is not.
func (c *cell) stuck(sent *atomic.Int64) error {
	const quiet, look = 30, 10 * time.Millisecond
	for before, still := sent.Load(), 0; still < quiet; still++ {
		timer := time.NewTimer(look)
		select {
		case <-timer.C:
		case <-c.ctx.Done():
			return errEnded
		}
		now := sent.Load()
		if ahead := now * pressSize; ahead > int64(c.h.Window)+excess/2*pressSize {
			return fmt.Errorf("the sender is %d messages of %d bytes ahead, and the window is %d bytes", now, pressSize, c.h.Window)
		}
		if now != before {
			before, still = now, 0
		}
	}
	return nil
}
