package transporttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ashlar-go/ashlar/transport"
)

var headerChecks = []check{{
	name: "RequestHeader",
	clause: "the server finds the fields of transport.WithHeader in Info.Request, whatever the case of their keys and with all of their " +
		"values; a later WithHeader replaces, and one without values removes",
	run: func(c *cell) error {
		long := strings.Repeat("0123456789abcdef", 256)
		odd := `a, b; c="d" %41 \ {}`
		return c.exchange(func(ctx context.Context) context.Context {
			ctx = transport.WithHeader(ctx, "x-one", "old")
			ctx = transport.WithHeader(ctx, "X-Gone", "here")
			ctx = transport.WithHeader(ctx, "X-Two", "a", "b")
			ctx = transport.WithHeader(ctx, "X-Long", long)
			ctx = transport.WithHeader(ctx, "X-Odd", odd)
			ctx = transport.WithHeader(ctx, "X-ONE", "new")
			return transport.WithHeader(ctx, "x-gone")
		}, func(info *transport.Info) error {
			return errors.Join(
				field(info.Request, "x-oNe", "new"), field(info.Request, "X-Two", "a", "b"), field(info.Request, "X-Gone"),
				field(info.Request, "X-Long", long), field(info.Request, "X-Odd", odd), field(info.Request, "X-Never"),
			)
		}, nil)
	},
}, {
	name:   "HookedRequestHeader",
	clause: "a ClientBefore hook can add fields with transport.WithHeader",
	run: func(c *cell) error {
		hook := func(ctx context.Context) context.Context { return transport.WithHeader(ctx, "X-Hook", "set") }
		call, err := c.open(service{
			stream: look(func(ctx context.Context) error {
				return c.wrong(field(transport.FromContext(ctx).Request, "X-Hook", "set"))
			}),
			client: ClientHooks{Before: []func(context.Context) context.Context{hook}},
		})
		if err != nil {
			return err
		}
		return c.try(call)
	},
}, {
	name:   "ResponseHeader",
	clause: "whoever observes the call finds the fields that the endpoint has set on Info.Response, on a stream before its first message",
	run: func(c *cell) error {
		return c.exchange(nil, func(info *transport.Info) error {
			info.Response.Set("X-Two", "a")
			transport.AddHeader(info.Response, "x-two", "b")
			info.Response.Set("X-Gone", "here")
			info.Response.Set("X-Gone")
			return nil
		}, func(info transport.Info) error {
			return errors.Join(field(info.Response, "X-tWo", "a", "b"), field(info.Response, "X-Gone"))
		})
	},
}, {
	name:   "HookedResponseHeader",
	clause: "whoever observes the call finds the fields that ServerBefore and ServerAfter hooks have set on Info.Response",
	run: func(c *cell) error {
		set := func(ctx context.Context, key string) { transport.FromContext(ctx).Response.Set(key, "set") }
		call, err := c.open(service{stream: c.echo(), server: ServerHooks{
			Before: []func(context.Context) context.Context{func(ctx context.Context) context.Context {
				set(ctx, "X-Before")
				return ctx
			}},
			After: []func(context.Context){func(ctx context.Context) { set(ctx, "X-After") }},
		}})
		if err != nil {
			return err
		}
		ctx, observer := transport.Observe(c.ctx)
		_, err = c.ask(ctx, call, hello())
		header := observer.Info().Response
		return errors.Join(err, field(header, "X-Before", "set"), field(header, "X-After", "set"))
	},
}, {
	name:   "Trailer",
	clause: "whoever observes the call finds the fields that the endpoint has set on Info.Trailer until its end, there or in Info.Response",
	run: func(c *cell) error {
		call, err := c.open(service{stream: func(ctx context.Context, in sequence, out func(Message) error) error {
			m, err := last(in)
			if err == nil {
				err = out(m)
			}
			transport.FromContext(ctx).Trailer.Set("X-Total", "1")
			return err
		}})
		if err != nil {
			return err
		}
		ctx, observer := transport.Observe(c.ctx)
		_, err = c.ask(ctx, call, hello())
		return errors.Join(err, trailer(observer, "X-Total", "1"))
	},
}, {
	name:   "ErrorHeader",
	clause: "the fields of Info.Response cross with an error as well",
	run: func(c *cell) error {
		return c.failing(func(info *transport.Info) { info.Response.Set("X-Why", "because") }, func(observer *transport.Observer) error {
			return trailer(observer, "X-Why", "because")
		})
	},
}, {
	name:   "ErrorTrailer",
	clause: "the fields of Info.Trailer cross with an error as well",
	run: func(c *cell) error {
		return c.failing(func(info *transport.Info) { info.Trailer.Set("X-Why", "because") }, func(observer *transport.Observer) error {
			return trailer(observer, "X-Why", "because")
		})
	},
}, {
	name:   "HeaderInjection",
	clause: "a field with a line break in it never becomes two: it arrives as one, or the call fails",
	run: func(c *cell) error {
		const bad = "a\r\nX-Injected: b"
		inject := func(header transport.Header) error {
			if have := header.Values("X-Injected"); len(have) > 0 {
				return fmt.Errorf("X-Injected has come out of another field: %q", have)
			}
			return nil
		}
		call, err := c.open(service{stream: look(func(ctx context.Context) error {
			info := transport.FromContext(ctx)
			info.Response.Set("X-Bad", bad)
			return c.wrong(inject(info.Request))
		})})
		if err != nil {
			return err
		}
		var errs []error
		for _, base := range []context.Context{
			c.ctx, transport.WithHeader(c.ctx, "X-Bad", bad), transport.WithHeader(c.ctx, "X-Bad: a\r\nX-Injected", "b"),
		} {
			ctx, observer := transport.Observe(base)
			if _, err := c.ask(ctx, call, hello()); isHang(err) {
				errs = append(errs, err)
			}
			errs = append(errs, inject(observer.Info().Response))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "HeaderOfCall",
	clause: "a call has the fields of its own context and endpoint, and none of a call before it or beside it",
	run: func(c *cell) error {
		own := func(m Message) string { return fmt.Sprintf("X-Own-%d", m.Number) }
		foreign := func(header transport.Header, key string) error {
			for name := range header.All() {
				if len(name) > len("X-Own-") && strings.EqualFold(name[:len("X-Own-")], "X-Own-") && !strings.EqualFold(name, key) {
					return fmt.Errorf("the call of %s has %s", key, name)
				}
			}
			return nil
		}
		call, err := c.open(service{stream: reply(func(ctx context.Context, m Message) (Message, error) {
			info, key := transport.FromContext(ctx), own(m)
			info.Response.Set(key, "yes")
			return m, c.wrong(errors.Join(field(info.Request, key, "yes"), field(info.Request, "X-All", "yes"), foreign(info.Request, key)))
		})})
		if err != nil {
			return err
		}
		const calls = 8
		errs := make([]error, calls)
		base := transport.WithHeader(c.ctx, "X-All", "yes")
		one := func(i int) {
			m := Message{Number: int64(i)}
			ctx, observer := transport.Observe(transport.WithHeader(base, own(m), "yes"))
			_, err := c.ask(ctx, call, m)
			errs[i] = errors.Join(err, foreign(observer.Info().Response, own(m)))
		}
		var all sync.WaitGroup
		for i := range calls {
			if i < calls/2 {
				one(i)
			} else {
				all.Go(func() { one(i) })
			}
		}
		all.Wait()
		return errors.Join(errs...)
	},
}, {
	name:   "HeaderStaysHere",
	clause: "fields of the call being served do not join the calls that its endpoint makes",
	run: func(c *cell) error {
		inner, err := c.open(service{stream: look(func(ctx context.Context) error {
			header := transport.FromContext(ctx).Request
			return c.wrong(errors.Join(field(header, "X-Caller"), field(header, "X-Own", "own")))
		})})
		if err != nil {
			return err
		}
		outer, err := c.open(service{stream: look(func(ctx context.Context) error {
			if transport.Observed(ctx) {
				return c.wrong(errors.New("the client's observer is in the server's context"))
			}
			_, err := c.ask(transport.WithHeader(ctx, "X-Own", "own"), inner, hello())
			return err
		})})
		if err != nil {
			return err
		}
		ctx, _ := transport.Observe(transport.WithHeader(c.ctx, "X-Caller", "the first"))
		_, err = c.ask(ctx, outer, hello())
		return err
	},
}, {
	name: "Priority",
	clause: "the priority of a call is that of the client's context, and goes with the calls that its endpoint makes unless that sets " +
		"another",
	run: priorities,
}, {
	name:   "ContextValues",
	clause: "the server's context has none of the values of the client's",
	run: func(c *cell) error {
		type key struct{}
		call, err := c.open(service{stream: look(func(ctx context.Context) error {
			if value := ctx.Value(key{}); value != nil {
				return c.wrong(fmt.Errorf("the server's context has the client's %v", value))
			}
			return nil
		})})
		if err != nil {
			return err
		}
		_, err = c.ask(context.WithValue(c.ctx, key{}, "value"), call, hello())
		return err
	},
}}

// priorities calls an endpoint that calls another, with each priority.
func priorities(c *cell) error {
	check := func(ctx context.Context, want transport.Priority) error {
		if have := transport.PriorityOf(ctx); want != have {
			return c.wrong(fmt.Errorf("want the priority %v, have %v", want, have))
		}
		return nil
	}
	var want, inherited transport.Priority
	inner, err := c.open(service{stream: look(func(ctx context.Context) error { return check(ctx, inherited) })})
	if err != nil {
		return err
	}
	outer, err := c.open(service{stream: look(func(ctx context.Context) error {
		if err := check(ctx, want); err != nil {
			return err
		}
		if inherited != want {
			ctx = transport.WithPriority(ctx, inherited)
		}
		_, err := c.ask(ctx, inner, hello())
		return err
	})})
	if err != nil {
		return err
	}
	all := []transport.Priority{transport.PrioritySheddable, transport.PriorityDefault, transport.PriorityCritical}
	for _, want = range all {
		for _, inherited = range all {
			if _, err := c.ask(transport.WithPriority(c.ctx, want), outer, hello()); err != nil {
				return err
			}
		}
	}
	return nil
}

// exchange makes one observed call. Before adds to its context, within is called by the endpoint, and after with what the observer saw.
func (c *cell) exchange(
	before func(context.Context) context.Context, within func(*transport.Info) error, after func(transport.Info) error,
) error {
	call, err := c.open(service{stream: look(func(ctx context.Context) error { return c.wrong(within(transport.FromContext(ctx))) })})
	if err != nil {
		return err
	}
	ctx, observer := transport.Observe(c.ctx)
	if before != nil {
		ctx = before(ctx)
	}
	if _, err := c.ask(ctx, call, hello()); err != nil || after == nil {
		return err
	}
	return after(observer.Info())
}

// failing makes one observed call of an endpoint that sets fields and fails. See is called afterwards.
func (c *cell) failing(set func(*transport.Info), see func(*transport.Observer) error) error {
	call, err := c.open(service{stream: look(func(ctx context.Context) error {
		set(transport.FromContext(ctx))
		return errPlain()
	})})
	if err != nil {
		return err
	}
	ctx, observer := transport.Observe(c.ctx)
	_, err = c.ask(ctx, call, hello())
	return errors.Join(same(errPlain(), err), see(observer))
}

// field returns an error unless the header has the values.
func field(header transport.Header, key string, want ...string) error {
	have := header.Values(key)
	if len(have) == 0 && len(want) > 0 {
		return fmt.Errorf("the header field %s is missing", key)
	}
	if !slices.Equal(want, have) {
		return fmt.Errorf("the header field %s: want %.60q, have %.60q", key, want, have)
	}
	if len(want) > 0 && header.Get(key) != want[0] {
		return fmt.Errorf("the header field %s: Get returns %.60q, want %.60q", key, header.Get(key), want[0])
	}
	for name, values := range header.All() {
		if strings.EqualFold(name, key) && !slices.Equal(want, values) {
			return fmt.Errorf("the header field %s: All yields %.60q, want %.60q", key, values, want)
		}
	}
	return nil
}

// trailer returns an error unless the trailer, or else the header, has the field.
func trailer(observer *transport.Observer, key, want string) error {
	info := observer.Info()
	if len(info.Trailer.Values(key)) > 0 {
		return field(info.Trailer, key, want)
	}
	return field(info.Response, key, want)
}
