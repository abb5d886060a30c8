package transporttest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

var infoChecks = []check{{
	name:   "Info",
	clause: "Info names the transport and the operation, in the endpoint, in hooks and to whoever observes the call, failed or not",
	run: func(c *cell) error {
		named := func(where string, info *transport.Info) error {
			want := c.spec(c.kind).Operation()
			if info == nil {
				return fmt.Errorf("%s: there is no Info", where)
			}
			if info.Transport != c.h.Transport || info.Operation != want {
				return fmt.Errorf("%s: want %s and %s, have %q and %q", where, c.h.Transport, want, info.Transport, info.Operation)
			}
			return nil
		}
		finalized := results[error]()
		call, err := c.open(service{
			stream: reply(func(ctx context.Context, request Message) (Message, error) {
				_ = c.wrong(named("the endpoint", transport.FromContext(ctx)))
				if request.Number == 0 {
					return request, errPlain()
				}
				return request, nil
			}),
			server: ServerHooks{
				Before: []func(context.Context) context.Context{func(ctx context.Context) context.Context {
					_ = c.wrong(named("ServerBefore", transport.FromContext(ctx)))
					return ctx
				}},
				Finalizer: []func(context.Context, Outcome){func(ctx context.Context, _ Outcome) {
					finalized <- result[error]{err: named("ServerFinalizer", transport.FromContext(ctx))}
				}},
			},
		})
		if err != nil {
			return err
		}
		var errs []error
		for _, request := range []Message{hello(), {Text: "fail"}} {
			ctx, observer := transport.Observe(c.ctx)
			_, err := c.ask(ctx, call, request)
			if request.Number == 0 {
				err = same(errPlain(), err)
			}
			info := observer.Info()
			_, final := await(c, "the finalizer", finalized)
			errs = append(errs, err, named("the observer", &info), final)
		}
		return errors.Join(errs...)
	},
}, {
	name:   "Peer",
	clause: "Info.Peer is the network address of the other side, on both sides",
	run: func(c *cell) error {
		return c.exchange(nil, func(info *transport.Info) error { return peer("server", info.Peer) }, func(info transport.Info) error {
			return peer("client", info.Peer)
		})
	},
}, {
	name: "Sizes",
	clause: "finalizers on both sides and whoever observes the call know the sizes of the encoded messages; a unary endpoint knows that of " +
		"its request",
	run: func(c *cell) error {
		const n = 3
		request := Message{Text: strings.Repeat("x", textSize)}
		outcomes := results[Outcome]()
		finalizer := func(_ context.Context, o Outcome) { outcomes <- ok(o) }
		call, err := c.open(service{
			stream: func(ctx context.Context, in sequence, out func(Message) error) error {
				if info := transport.FromContext(ctx); c.kind == endpoint.Unary {
					_ = c.wrong(sized("what the endpoint knows of the request", info.RequestSize, 1))
				}
				return c.echo()(ctx, in, out)
			},
			server: ServerHooks{Finalizer: []func(context.Context, Outcome){finalizer}},
			client: ClientHooks{Finalizer: []func(context.Context, Outcome){finalizer}},
		})
		if err != nil {
			return err
		}
		requests := make([]Message, c.many(n, manyIn()))
		for i := range requests {
			requests[i] = request
		}
		ctx, observer := transport.Observe(c.ctx)
		responses, err := c.ask(ctx, call, requests...)
		if err != nil {
			return err
		}
		info := observer.Info()
		errs := []error{
			sized("the observer's request", info.RequestSize, len(requests)),
			sized("the observer's response", info.ResponseSize, len(responses)),
		}
		for range 2 {
			o, err := await(c, "a finalizer", outcomes)
			errs = append(errs, err,
				sized("a finalizer's request", o.RequestSize, len(requests)), sized("a finalizer's response", o.ResponseSize, len(responses)))
		}
		return errors.Join(errs...)
	},
}}

func peer(side, address string) error {
	if address == "" {
		return fmt.Errorf("the %s knows no peer", side)
	}
	if _, err := netip.ParseAddrPort(address); err != nil {
		return fmt.Errorf("the %s's peer is %q, want an address and a port", side, address)
	}
	return nil
}

// textSize is the size of the texts of Sizes.
const textSize = 1000

// sized returns an error unless have is what n messages come to, encoded in whatever way.
func sized(what string, have int64, n int) error {
	const size, around = textSize, 256 // a message, and all of them
	if have < int64(n*size) || have > int64(n*(size+around)+around) {
		return fmt.Errorf("%s: want the size of %d messages of %d bytes, have %d", what, n, size, have)
	}
	return nil
}
