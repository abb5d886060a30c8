package transporttest

import (
	"context"
	"errors"
	"fmt"
)

var messageChecks = []check{{
	name:   "Messages",
	clause: "every message arrives as it was sent, in order",
	run: func(c *cell) error {
		rounds, arrived := make(chan []Message, 1), results[[]Message]()
		call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
			requests, err := gather(in)
			arrived <- result[[]Message]{requests, err}
			if err != nil {
				return err
			}
			return send(out, <-rounds...)
		}})
		if err != nil {
			return err
		}
		all := samples()
		for i := range all {
			requests, responses := all[i:i+1], all[i:i+1]
			if c.has(manyIn()) {
				requests = all[:i+1]
			}
			if c.has(manyOut()) {
				responses = all[:i+1]
			}
			rounds <- responses
			have, err := c.ask(c.ctx, call, requests...)
			if err != nil {
				return fmt.Errorf("a call with %v: %w", requests, err)
			}
			seen, err := await(c, "the requests", arrived)
			if err := errors.Join(err, compare("request", requests, seen), compare("response", responses, have)); err != nil {
				return err
			}
		}
		return nil
	},
}, {
	name:   "NoMessages",
	clause: "a stream may have no messages at all, and ends as cleanly as any other",
	kinds:  streamKinds(),
	run: func(c *cell) error {
		seen := results[int]()
		call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
			all, err := gather(in)
			seen <- result[int]{len(all), err}
			if err == nil && !c.has(manyOut()) {
				err = out(hello())
			}
			return err
		}})
		if err != nil {
			return err
		}
		var requests, want []Message
		if !c.has(manyIn()) {
			requests = []Message{hello()}
		}
		if !c.has(manyOut()) {
			want = []Message{hello()}
		}
		have, err := c.ask(c.ctx, call, requests...)
		if err != nil {
			return err
		}
		n, err := await(c, "the end of the requests", seen)
		if err == nil && n != len(requests) {
			err = fmt.Errorf("the server read %d messages, want %d", n, len(requests))
		}
		return errors.Join(err, compare("response", want, have))
	},
}, {
	name:   "Large",
	clause: "a message just below the limit arrives, in either direction",
	run: func(c *cell) error {
		call, err := c.open(service{stream: c.echo()})
		if err != nil {
			return err
		}
		requests := []Message{large(1)}
		if c.has(manyIn()) {
			requests = append(requests, hello(), large(2))
		}
		responses := requests
		if !c.has(manyOut()) {
			responses = requests[len(requests)-1:]
		}
		have, err := c.ask(c.ctx, call, requests...)
		return errors.Join(err, compare("response", responses, have))
	},
}, {
	name:   "Apart",
	clause: "the two sides share no memory: what one of them does to a message that it has received does not change the other's",
	run: func(c *cell) error {
		sent := results[[]byte]()
		call, err := c.open(service{stream: reply(func(_ context.Context, request Message) (Message, error) {
			request.Data[0] = '!'
			data := []byte("response")
			sent <- ok(data)
			return Message{Data: data}, nil
		})})
		if err != nil {
			return err
		}
		request := []byte("request")
		have, err := c.ask(c.ctx, call, Message{Data: request})
		if err != nil {
			return err
		}
		if len(have) != 1 || len(have[0].Data) == 0 {
			return fmt.Errorf("want one response, have %v", have)
		}
		have[0].Data[0] = '!'
		response, err := await(c, "the response", sent)
		var errs []error
		if string(request) != "request" {
			errs = append(errs, fmt.Errorf("the client's data is shared: it has become %q", request))
		}
		if string(response) != "response" {
			errs = append(errs, fmt.Errorf("the server's data is shared: it has become %q", response))
		}
		return errors.Join(append(errs, err)...)
	},
}}
