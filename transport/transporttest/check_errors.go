package transporttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/status"
)

var errorChecks = []check{{
	name:   "Codes",
	clause: "each of the sixteen codes reaches the client with its message",
	run: func(c *cell) error {
		var errs []error
		call, err := c.open(service{stream: reply(func(_ context.Context, request Message) (Message, error) {
			return Message{}, status.New(status.Code(request.Number), request.Text)
		})})
		if err != nil {
			return err
		}
		for code := status.Canceled; code <= status.Unauthenticated; code++ {
			want := status.New(code, "this is "+code.String())
			_, err := c.ask(c.ctx, call, Message{Text: want.Message, Number: int64(code)})
			errs = append(errs, same(want, err))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "ErrorFields",
	clause: "every field of a *status.Error except its cause reaches the client as it was",
	run: func(c *cell) error {
		var errs []error
		for _, want := range []*status.Error{errShown(), errLong(), {Code: status.NotFound}} {
			_, err := c.failure(want)
			errs = append(errs, same(want, err))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "WrappedStatus",
	clause: "a *status.Error reaches the client also when it is wrapped, and what it is wrapped in does not",
	run: func(c *cell) error {
		_, err := c.failure(fmt.Errorf("reading %s: %w", secret, errPlain().WithCause(errors.New(secret))))
		return errors.Join(same(errPlain(), err), silent(err))
	},
}, {
	name: "HiddenError",
	clause: "any other error is Internal with a fixed message and an ID, which is the one that the server's ErrorHandler sees beside the " +
		"true text",
	run: func(c *cell) error {
		cause := errors.New("connecting as " + secret)
		seen, err := c.failure(cause)
		if !errors.Is(seen, cause) {
			return fmt.Errorf("the ErrorHandler saw %w, want the endpoint's error in it", seen)
		}
		return hidden(err, seen)
	},
}, {
	name:   "ContextErrors",
	clause: "a context's error that an endpoint returns is Canceled or DeadlineExceeded to the client",
	run: func(c *cell) error {
		var errs []error
		for err, code := range map[error]status.Code{
			context.Canceled: status.Canceled, fmt.Errorf("asking: %w", context.DeadlineExceeded): status.DeadlineExceeded,
		} {
			_, have := c.failure(err)
			errs = append(errs, coded(code, have))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "UnknownCodes",
	clause: "a code that is none of the sixteen is Unknown to the client",
	run: func(c *cell) error {
		var errs []error
		for _, code := range []status.Code{status.OK, 77} {
			_, err := c.failure(status.New(code, "strange"))
			errs = append(errs, same(status.New(status.Unknown, "strange"), err))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "ErrorAfterMessages",
	clause: "what a stream sent before it failed arrives, and then its error",
	kinds:  manyOut(),
	run: func(c *cell) error {
		return c.broken(func() error { return errPlain() }, func(err error) error { return same(errPlain(), err) })
	},
}, {
	name:   "EarlyError",
	clause: "the error of a stream that has not read all requests reaches the client, which sends no more",
	kinds:  manyIn(),
	run: func(c *cell) error {
		return c.early(errPlain(), func(err error) error { return same(errPlain(), err) })
	},
}, {
	name:   "EarlyReturn",
	clause: "a stream may end well without having read all requests, and the client sends no more",
	kinds:  manyIn(),
	run:    func(c *cell) error { return c.early(nil, func(err error) error { return err }) },
}}

// failure calls an endpoint that fails with err, and returns what an ErrorHandler and the client saw.
func (c *cell) failure(err error) (seen, shown error) {
	handled := results[error]()
	call, openErr := c.open(service{
		stream: look(func(context.Context) error { return err }),
		server: ServerHooks{ErrorHandler: []func(context.Context, error){func(_ context.Context, err error) { handled <- ok(err) }}},
	})
	if openErr != nil {
		return openErr, openErr
	}
	_, shown = c.ask(c.ctx, call, hello())
	seen, hang := await(c, "the ErrorHandler", handled)
	if hang != nil {
		seen = hang
	}
	return seen, shown
}

// broken calls a stream that sends two messages and ends as end does. Shown is given what the client gets.
func (c *cell) broken(end func() error, shown func(error) error) error {
	want := []Message{{Number: 1}, {Number: 2}}
	call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
		if _, err := gather(in); err != nil {
			return err
		}
		if err := send(out, want...); err != nil {
			return err
		}
		return end()
	}})
	if err != nil {
		return err
	}
	have, err := c.ask(c.ctx, call, hello())
	return errors.Join(compare("response", want, have), shown(err))
}

// early calls a stream that reads one request and ends with err, while the client has endless ones. Shown is given what the client gets.
func (c *cell) early(err error, shown func(error) error) error {
	call, openErr := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
		for m, readErr := range in {
			if readErr != nil {
				return readErr
			}
			if err != nil {
				return err
			}
			return out(m)
		}
		return nil
	}})
	if openErr != nil {
		return openErr
	}
	over, stop := context.WithCancel(c.ctx)
	defer stop()
	endless := 20_000 + c.h.Window/32 // many times what a sound transport takes before it stops
	var (
		all atomic.Bool // of them have been taken
		got inbox
	)
	callErr := c.call(c.ctx, call, func(yield func(Message, error) bool) {
		text := strings.Repeat("x", pressSize/4)
		for m := range numbered(endless) {
			m.Text = text
			if over.Err() != nil || !yield(m, nil) {
				return
			}
		}
		all.Store(true)
	}, got.put)
	errs := []error{shown(callErr)}
	if all.Load() {
		errs = append(errs, fmt.Errorf("the client sent all of %d requests", endless))
	}
	if have := len(got.all()); err == nil && have != 1 {
		errs = append(errs, fmt.Errorf("want 1 response, have %d", have))
	}
	return errors.Join(errs...)
}
