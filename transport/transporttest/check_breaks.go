package transporttest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// errOwn is what a client's own in or out fails with.
var errOwn = errors.New("transporttest: the client's own error")

var breakChecks = []check{{
	name:   "ErrorOfIn",
	clause: "an error of the client's own in cancels the call, and is found in what the call returns; the server's in ends with Canceled",
	kinds:  manyIn(),
	run: func(c *cell) error {
		return c.breaking(c.answering, func(ctx context.Context, call stream) error {
			return call(ctx, func(yield func(Message, error) bool) {
				if yield(hello(), nil) {
					yield(Message{}, errOwn)
				}
			}, drop)
		}, errOwn)
	},
}, {
	name:   "ErrorOfOnlyIn",
	clause: "an error of the client's own in that comes before its one request is found in what the call returns",
	kinds:  []endpoint.Kind{endpoint.ServerStream},
	run: func(c *cell) error {
		call, err := c.open(service{stream: c.echo()})
		if err != nil {
			return err
		}
		err = c.call(c.ctx, call, func(yield func(Message, error) bool) { yield(Message{}, errOwn) }, drop)
		return found(errOwn, err)
	},
}, {
	name:   "ErrorOfOut",
	clause: "an error of the client's own out cancels the call, and is found in what the call returns; the server's out fails with Canceled",
	kinds:  manyOut(),
	run: func(c *cell) error {
		return c.breaking(c.flooding, func(ctx context.Context, call stream) error {
			return call(ctx, c.requests(ctx), func(Message) error { return errOwn })
		}, errOwn)
	},
}, {
	name:   "ErrorOfLastOut",
	clause: "an error of the client's own out is found in what the call returns also when the response was the only one",
	kinds:  []endpoint.Kind{endpoint.ClientStream},
	run: func(c *cell) error {
		call, err := c.open(service{stream: c.echo()})
		if err != nil {
			return err
		}
		return found(errOwn, c.call(c.ctx, call, endpoint.Seq(hello()), func(Message) error { return errOwn }))
	},
}, {
	name:   "BrokenOffReceive",
	clause: "a client that breaks off its loop over the messages cancels the call; the server's out fails with Canceled",
	kinds:  manyOut(),
	run: func(c *cell) error {
		return c.breaking(c.flooding, func(ctx context.Context, call stream) error {
			for _, err := range call.Receive(ctx, hello()) {
				return err
			}
			return errors.New("there was no message")
		}, nil)
	},
}}

// breaking makes a call of a server that ends when it is broken off, which do does, and looks at both sides. Want is what the client
// is to find.
func (c *cell) breaking(server stream, do func(ctx context.Context, call stream) error, want error) error {
	ends := results[error]()
	call, err := c.open(service{stream: func(ctx context.Context, in sequence, out func(Message) error) error {
		err := server(ctx, in, out)
		ends <- ok(err)
		return err
	}})
	if err != nil {
		return err
	}
	_, err = await(c, "the end of the call", c.start(func() error { return do(c.ctx, call) }))
	errs := []error{found(want, err)}
	end, err := await(c, "the end of the server's stream", ends)
	errs = append(errs, err)
	if err == nil {
		errs = append(errs, canceled("the server's stream", end))
	}
	return errors.Join(errs...)
}

// answering reads all requests, and answers each where the shape allows that. It returns the first error of either.
func (c *cell) answering(_ context.Context, in sequence, out func(Message) error) error {
	for m, err := range in {
		if err == nil && c.has(manyOut()) {
			err = out(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flooding reads one request, and sends until that fails; but no more than would fill the window of the harness.
func (c *cell) flooding(_ context.Context, in sequence, out func(Message) error) error {
	if _, err := first(in); err != nil {
		return err
	}
	const size, more = 1 << 10, 10_000
	m := Message{Text: strings.Repeat("x", size)}
	for range c.h.Window/size + more {
		if err := out(m); err != nil {
			return err
		}
	}
	return nil
}

// canceled returns an error unless err is Canceled, on the server, where a context's own error is as good.
func canceled(what string, err error) error {
	if status.CodeOf(err) != status.Canceled {
		return fmt.Errorf("%s ended with %w, want canceled", what, told(err))
	}
	return nil
}

// found returns an error unless want is in err.
func found(want, err error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("the call returned %w, want %w in it", told(err), told(want))
	}
	return nil
}
