package transporttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// notes are what hooks wrote, in order.
type notes struct {
	mu    sync.Mutex
	texts []string
}

func (n *notes) add(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, text)
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.texts)
}

// inOrder returns an error unless each of the texts was written once, in this order.
func (n *notes) inOrder(texts ...string) error {
	have := n.all()
	at := -1
	for _, text := range texts {
		i := slices.Index(have, text)
		switch {
		case i < 0:
			return fmt.Errorf("%s did not run, of %q", text, have)
		case slices.Contains(have[i+1:], text):
			return fmt.Errorf("%s ran more than once, in %q", text, have)
		case i < at:
			return fmt.Errorf("want %q in this order, have %q", texts, have)
		}
		at = i
	}
	return nil
}

type noteKey string

var hookChecks = []check{{
	name: "ServerHooks",
	clause: "options append: ServerBefore hooks run first, then the ServerMiddleware, the endpoint, ServerAfter hooks before the response " +
		"goes out, and finalizers last; the context of the first is that of the others",
	run: func(c *cell) error {
		var n notes
		final := results[struct{}]()
		s := noted(&n, final)
		s.stream = func(ctx context.Context, in sequence, out func(Message) error) error {
			n.add("endpoint of " + fmt.Sprint(ctx.Value(noteKey("before 2"))))
			return c.echo()(ctx, in, out)
		}
		call, err := c.open(s)
		if err != nil {
			return err
		}
		if err := c.try(call); err != nil {
			return err
		}
		if _, err := await(c, "the finalizer", final); err != nil {
			return err
		}
		errs := []error{
			n.inOrder("before 1", "before 2", "outer", "inner", "endpoint of before 2", "final 1 of before 1", "final 2"),
			n.inOrder("before 2", "after 1 of before 1", "after 2", "final 1 of before 1"),
		}
		if c.kind == endpoint.Unary {
			errs = append(errs, n.inOrder("endpoint of before 2", "after 1 of before 1"))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "ClientHooks",
	clause: "options append: ClientBefore hooks run first, then ClientAfter, and finalizers last; the context of each is that of the next",
	run: func(c *cell) error {
		var n notes
		hook := func(name, of string) func(context.Context) context.Context {
			return func(ctx context.Context) context.Context {
				n.add(name + " of " + fmt.Sprint(ctx.Value(noteKey(of))))
				return context.WithValue(ctx, noteKey(name), name)
			}
		}
		final := func(name, of string) func(context.Context, Outcome) {
			return func(ctx context.Context, _ Outcome) { n.add(name + " of " + fmt.Sprint(ctx.Value(noteKey(of)))) }
		}
		call, err := c.open(service{stream: c.echo(), client: ClientHooks{
			Before:    []func(context.Context) context.Context{hook("before 1", ""), hook("before 2", "before 1")},
			After:     []func(context.Context) context.Context{hook("after 1", "before 2"), hook("after 2", "after 1")},
			Finalizer: []func(context.Context, Outcome){final("final 1", "after 2"), final("final 2", "before 1")},
		}})
		if err != nil {
			return err
		}
		err = c.try(call)
		return errors.Join(err, n.inOrder("before 1 of <nil>", "before 2 of before 1", "after 1 of before 2", "after 2 of after 1",
			"final 1 of after 2", "final 2 of before 1"))
	},
}, {
	name:   "ErrorHandlers",
	clause: "ServerErrorHandler hooks see an error once each, in order, with its causes, and nothing of a success",
	run: func(c *cell) error {
		var n notes
		cause := fmt.Errorf("wrapped: %w", errPlain().WithCause(errOwn))
		hook := func(name string) func(context.Context, error) {
			return func(_ context.Context, err error) {
				if !errors.Is(err, errOwn) {
					_ = c.wrong(fmt.Errorf("%s: the cause is missing in %w", name, err))
				}
				n.add(name)
			}
		}
		final := results[struct{}]()
		call, err := c.open(service{
			stream: reply(func(_ context.Context, request Message) (Message, error) {
				if request.Number == 0 {
					return request, cause
				}
				return request, nil
			}),
			server: ServerHooks{
				ErrorHandler: []func(context.Context, error){hook("handler 1"), hook("handler 2")},
				Finalizer:    []func(context.Context, Outcome){func(context.Context, Outcome) { final <- ok(struct{}{}) }},
			},
		})
		if err != nil {
			return err
		}
		if err := c.try(call); err != nil {
			return err
		}
		if _, err := await(c, "the finalizer", final); err != nil {
			return err
		}
		if have := n.all(); len(have) > 0 {
			return fmt.Errorf("a success: %q ran", have)
		}
		_, shown := c.ask(c.ctx, call, Message{})
		_, err = await(c, "the finalizer", final)
		return errors.Join(same(errPlain(), shown), err, n.inOrder("handler 1", "handler 2"))
	},
}, {
	name: "Finalizers",
	clause: "finalizers on both sides run once, whatever happened, and are told what: a success, an error with its causes, a panic, a " +
		"refusal, a cancellation; the client's are told what the caller gets",
	run: func(c *cell) error {
		var errs []error
		for _, e := range endings() {
			errs = append(errs, within(e.name, c.finalized(e)))
		}
		return errors.Join(errs...)
	},
}}

// noted returns a server whose hooks write notes. The last of them also writes to final.
func noted(n *notes, final chan<- result[struct{}]) service {
	before := func(name string) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context {
			n.add(name)
			return context.WithValue(ctx, noteKey(name), name)
		}
	}
	mw := func(name string) endpoint.Middleware {
		return func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			return func(ctx context.Context, request any) (any, error) {
				n.add(name)
				return next(ctx, request)
			}
		}
	}
	of := func(ctx context.Context) string { return " of " + fmt.Sprint(ctx.Value(noteKey("before 1"))) }
	return service{server: ServerHooks{
		Before:     []func(context.Context) context.Context{before("before 1"), before("before 2")},
		Middleware: []endpoint.Middleware{mw("outer"), mw("inner")},
		After: []func(context.Context){
			func(ctx context.Context) { n.add("after 1" + of(ctx)) }, func(context.Context) { n.add("after 2") },
		},
		Finalizer: []func(context.Context, Outcome){
			func(ctx context.Context, _ Outcome) { n.add("final 1" + of(ctx)) },
			func(context.Context, Outcome) {
				n.add("final 2")
				final <- ok(struct{}{})
			},
		},
	}}
}

// ending is a way in which a call can end.
type ending struct {
	name   string
	code   status.Code // of the call
	causes error       // found in the error on the server
	refuse bool        // by a ServerMiddleware
	cancel bool        // by the client
	end    func() error
}

func endings() []ending {
	hidden := errors.New(secret)
	return []ending{
		{name: "a success", end: func() error { return nil }},
		{name: "a status", code: status.FailedPrecondition, causes: errOwn, end: func() error { return errPlain().WithCause(errOwn) }},
		{name: "another error", code: status.Internal, causes: hidden, end: func() error { return hidden }},
		{name: "a panic", code: status.Internal, end: func() error { panic(secret) }},
		{name: "a refusal", code: status.Unauthenticated, refuse: true},
		{name: "a cancellation", code: status.Canceled, cancel: true},
	}
}

// finalized makes a call that ends in one way, and looks at the finalizers of both sides.
func (c *cell) finalized(e ending) error {
	server, client := results[Outcome](), results[Outcome]()
	began := results[struct{}]()
	to := func(where chan<- result[Outcome]) []func(context.Context, Outcome) {
		f := func(_ context.Context, o Outcome) { where <- ok(o) }
		return []func(context.Context, Outcome){f, f}
	}
	refuse := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		if !e.refuse {
			return next
		}
		return func(context.Context, any) (any, error) { return nil, status.New(e.code, "refused") }
	}
	call, err := c.open(service{
		stream: func(ctx context.Context, in sequence, out func(Message) error) error {
			if e.cancel {
				began <- ok(struct{}{})
				_ = c.pass(ctx, nil)
				return ctx.Err()
			}
			return look(func(context.Context) error { return e.end() })(ctx, in, out)
		},
		server: ServerHooks{Finalizer: to(server), Middleware: []endpoint.Middleware{refuse}},
		client: ClientHooks{Finalizer: to(client)},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	done := c.begin(ctx, call, endpoint.Seq(hello()), drop)
	if e.cancel {
		if _, err := await(c, "the server", began); err != nil {
			return err
		}
		cancel()
	}
	_, shown := await(c, "the end of the call", done)
	errs := []error{}
	if status.CodeOf(shown) != e.code {
		errs = append(errs, fmt.Errorf("the call returned %w, want %v", told(shown), e.code))
	}
	for range 2 {
		errs = append(errs, c.told("the server's finalizer", server, e.code, e.causes), c.told("the client's finalizer", client, e.code, shown))
	}
	return errors.Join(append(errs, c.noMore(server, client))...)
}

// told returns an error unless a finalizer is told of the code and of what is to be found in the error.
func (c *cell) told(who string, outcomes <-chan result[Outcome], code status.Code, in error) error {
	o, err := await(c, who, outcomes)
	switch {
	case err != nil:
		return err
	case status.CodeOf(o.Err) != code:
		return fmt.Errorf("%s is told %w, want %v", who, told(o.Err), code)
	case in != nil && !errors.Is(o.Err, in):
		return fmt.Errorf("%s is told %w, want %w in it", who, o.Err, in)
	}
	return nil
}

// noMore returns an error if finalizers run again before all is closed.
func (c *cell) noMore(outcomes ...<-chan result[Outcome]) error {
	errs := []error{c.close()}
	for _, ch := range outcomes {
		select {
		case o := <-ch:
			errs = append(errs, fmt.Errorf("a finalizer runs more than once, and is told %w", told(o.value.Err)))
		default:
		}
	}
	return errors.Join(errs...)
}
