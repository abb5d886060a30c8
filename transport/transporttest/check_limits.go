package transporttest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/status"
)

var limitChecks = []check{{
	name:   "OversizedRequest",
	clause: "a request above the limit is ResourceExhausted, with the limit in the message, and does not reach the endpoint; the next does",
	run: func(c *cell) error {
		var arrived atomic.Bool
		call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
			for m, err := range in {
				if err != nil {
					return err
				}
				if len(m.Text) > MaxMessage {
					arrived.Store(true)
				}
			}
			return out(hello())
		}})
		if err != nil {
			return err
		}
		requests := []Message{oversized()}
		if c.has(manyIn()) {
			requests = []Message{hello(), oversized(), hello()}
		}
		if _, err = c.ask(c.ctx, call, requests...); exhausted(err) != nil {
			return exhausted(err)
		}
		if arrived.Load() {
			return fmt.Errorf("a request of more than %d bytes has reached the endpoint", MaxMessage)
		}
		return c.try(call)
	},
}, {
	name:   "OversizedResponse",
	clause: "a response above the limit is ResourceExhausted to the client, with the limit in the message; those before it arrive",
	run: func(c *cell) error {
		want, have, err := c.answered(oversized())
		if err := exhausted(err); err != nil {
			return err
		}
		return compare("response", want, have)
	},
}}

func oversized() Message { return Message{Text: strings.Repeat("x", MaxMessage+1)} }

func exhausted(err error) error {
	if e := coded(status.ResourceExhausted, err); e != nil {
		return e
	}
	if message := status.As(err).Message; !strings.Contains(message, strconv.Itoa(MaxMessage)) {
		return fmt.Errorf("the message is %q, want the limit of %d in it", message, MaxMessage)
	}
	return nil
}
