package transporttest_test

import (
	"context"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// inprocHarness is transport/inproc without a codec.
func inprocHarness() transporttest.Harness {
	return transporttest.Harness{
		Name:      "inproc",
		Transport: inproc.Name,
		Open:      openInproc(),
		Differences: append(inprocDifferences(), handedOver("Apart", "data is shared"), handedOver("Sizes", "have 0"),
			handedOver("GarbledRequest", "have no error"), handedOver("GarbledField", "no violation"),
			handedOver("GarbledResponse", "have no error"),
			handedOver("UnencodableRequest", "have no error"), handedOver("UnencodableResponse", "have no error")),
	}
}

func handedOver(check, have string) transporttest.Difference {
	return transporttest.Difference{
		Check: check, Have: have, Reason: "messages are handed over as they are, and nothing is encoded",
	}
}

// inprocDifferences are those with and without a codec.
func inprocDifferences() []transporttest.Difference {
	const nobody = "no server runs, and nothing is closed"
	return []transporttest.Difference{
		{Check: "Peer", Have: "knows no peer", Reason: "there is no network, and no address"},
		{
			Check: "MiddlewareEnd", Kinds: []endpoint.Kind{endpoint.ClientStream, endpoint.Bidirectional}, Have: "nothing happened",
			Reason: "the server waits on the goroutine of the caller, in the caller's own function",
		},
		{Check: "CancelAtOnce", Have: "nothing happened", Reason: "the server runs on the goroutine of the caller, which waits for it"},
		{Check: "OversizedRequest", Have: "have no error", Reason: "there is no limit: both sides have the same memory"},
		{Check: "OversizedResponse", Have: "have no error", Reason: "there is no limit: both sides have the same memory"},
		{Check: "Shutdown", Have: "calls are still accepted", Reason: nobody},
		{Check: "ShutdownOfStreams", Have: "nothing happened", Reason: nobody},
		{Check: "Closed", Have: "have no error", Reason: nobody},
	}
}

// copyHarness is transport/inproc with ClientCopy.
func copyHarness() transporttest.Harness {
	return transporttest.Harness{
		Name:        "inproc with ClientCopy",
		Transport:   inproc.Name,
		Open:        openInproc(inproc.ClientCopy(transporttest.Codec(json.New()))),
		Differences: inprocDifferences(),
	}
}

func openInproc(opts ...inproc.ClientOption) func(...transporttest.Operation) (transporttest.Link, error) {
	return func(operations ...transporttest.Operation) (transporttest.Link, error) {
		link := &inprocLink{opts: opts}
		for _, o := range operations {
			if o.Stream != nil {
				link.mux.Handle(inproc.NewStreamServer(o.Spec, o.Stream, inprocServer(o.Hooks)...))
			} else {
				link.mux.Handle(inproc.NewServer(o.Spec, o.Endpoint, inprocServer(o.Hooks)...))
			}
		}
		return link, nil
	}
}

type inprocLink struct {
	mux  inproc.Mux
	opts []inproc.ClientOption
}

func (l *inprocLink) Unary(
	spec endpoint.Spec, hooks transporttest.ClientHooks,
) (endpoint.Endpoint[transporttest.Message, transporttest.Message], error) {
	return inproc.NewClient[transporttest.Message, transporttest.Message](spec, &l.mux, append(inprocClient(hooks), l.opts...)...)
}

func (l *inprocLink) Stream(
	spec endpoint.Spec, hooks transporttest.ClientHooks,
) (endpoint.Stream[transporttest.Message, transporttest.Message], error) {
	return inproc.NewStreamClient[transporttest.Message, transporttest.Message](spec, &l.mux, append(inprocClient(hooks), l.opts...)...)
}

// Shutdown does nothing: there is no server that runs.
func (l *inprocLink) Shutdown(context.Context) error { return nil }

func (l *inprocLink) Close() error { return nil }

func inprocServer(hooks transporttest.ServerHooks) (opts []inproc.ServerOption) {
	for _, mw := range hooks.Middleware {
		opts = append(opts, inproc.ServerMiddleware(mw))
	}
	for _, hook := range hooks.Before {
		opts = append(opts, inproc.ServerBefore(hook))
	}
	for _, hook := range hooks.After {
		opts = append(opts, inproc.ServerAfter(hook))
	}
	for _, hook := range hooks.ErrorHandler {
		opts = append(opts, inproc.ServerErrorHandler(hook))
	}
	for _, hook := range hooks.Finalizer {
		opts = append(opts, inproc.ServerFinalizer(func(ctx context.Context, o inproc.Outcome) { hook(ctx, transporttest.Outcome(o)) }))
	}
	return opts
}

func inprocClient(hooks transporttest.ClientHooks) (opts []inproc.ClientOption) {
	for _, hook := range hooks.Before {
		opts = append(opts, inproc.ClientBefore(func(ctx context.Context, _ transport.Header) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.After {
		opts = append(opts, inproc.ClientAfter(func(ctx context.Context, _ transport.Header) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.Finalizer {
		opts = append(opts, inproc.ClientFinalizer(func(ctx context.Context, o inproc.Outcome) { hook(ctx, transporttest.Outcome(o)) }))
	}
	return opts
}
