package transporttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

var codingChecks = []check{{
	name:   "GarbledRequest",
	clause: "a request that cannot be decoded is InvalidArgument, and does not reach the endpoint; those before it do",
	run: func(c *cell) error {
		return c.garbled(func(err error) error { return coded(status.InvalidArgument, err) })
	},
}, {
	name:   "GarbledField",
	clause: "the error of a request that cannot be decoded has a violation that says where",
	run: func(c *cell) error {
		return c.garbled(func(err error) error {
			e := status.As(err)
			if e == nil || len(e.Violations) == 0 {
				return fmt.Errorf("there is no violation in %w", told(err))
			}
			for _, v := range e.Violations {
				if strings.Contains(v.Field, "number") {
					return nil
				}
			}
			return fmt.Errorf("want a violation of the field number, have %v", e.Violations)
		})
	},
}, {
	name:   "GarbledResponse",
	clause: "a response that cannot be decoded is Internal to the client; those before it arrive",
	run: func(c *cell) error {
		want, have, err := c.answered(Message{Text: Garbled})
		if err := coded(status.Internal, err); err != nil {
			return err
		}
		return compare("response", want, have)
	},
}, {
	name:   "UnencodableRequest",
	clause: "a request that cannot be encoded is Internal to the client, and does not reach the endpoint; a unary call is not sent",
	run: func(c *cell) error {
		var reached atomic.Bool
		call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
			for m, err := range in {
				if err != nil {
					return err
				}
				if m.Number != 0 {
					reached.Store(true)
				}
			}
			return out(hello())
		}})
		if err != nil {
			return err
		}
		requests := []Message{{Text: Unencodable, Number: 1}}
		if c.has(manyIn()) {
			requests = append([]Message{{Text: "fine"}}, requests...)
		}
		_, err = c.ask(c.ctx, call, requests...)
		switch wrong := coded(status.Internal, err); {
		case wrong != nil:
			return wrong
		case reached.Load():
			return errors.New("the request reached the endpoint")
		case c.kind == endpoint.Unary:
			return found(transport.ErrNotSent, err)
		}
		return nil
	},
}, {
	name:   "UnencodableResponse",
	clause: "a response that cannot be encoded is Internal with an ID to the client, who is not told why; those before it arrive",
	run: func(c *cell) error {
		want, have, err := c.answered(Message{Text: Unencodable})
		if err := coded(status.Internal, err); err != nil {
			return err
		}
		if status.As(err).ID == "" {
			return fmt.Errorf("there is no ID in %w", err)
		}
		return errors.Join(silent(err), compare("response", want, have))
	},
}}

// garbled makes a call with a request that cannot be decoded, after one that can where the shape allows that.
func (c *cell) garbled(shown func(error) error) error {
	reached := make(chan Message, 3)
	call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
		for m, err := range in {
			if err != nil {
				return err
			}
			reached <- m
		}
		return out(hello())
	}})
	if err != nil {
		return err
	}
	requests := []Message{{Text: Garbled}}
	if c.has(manyIn()) {
		requests = []Message{hello(), {Text: Garbled}, hello()}
	}
	_, err = c.ask(c.ctx, call, requests...)
	if err := shown(err); err != nil {
		return err
	}
	if have, want := len(reached), len(requests)/2; have != want {
		return fmt.Errorf("%d requests reached the endpoint, want %d", have, want)
	}
	return nil
}

// answered makes a call that is answered with m, after another response where the shape allows that. It returns the responses that
// should arrive, and those that did.
func (c *cell) answered(m Message) (want, have []Message, err error) {
	call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
		if _, err := gather(in); err != nil {
			return err
		}
		return send(out, append(want, m)...)
	}})
	if err != nil {
		return nil, nil, err
	}
	if c.has(manyOut()) {
		want = []Message{hello()}
	}
	have, err = c.ask(c.ctx, call, hello())
	return want, have, err
}
