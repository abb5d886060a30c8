package transporttest_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// natsHarness is transport/nats, through the nats-server at url.
func natsHarness(url string) transporttest.Harness {
	return transporttest.Harness{
		Name:      "NATS",
		Transport: natstransport.Name,
		Open:      openNATS(url),
		Window:    natstransport.DefaultWindowBytes,
		Differences: []transporttest.Difference{
			{Check: "NoServer", Have: "have unavailable (NO_RESPONDERS)", Reason: "NATS knows who listens now, and not what there could be"},
			{Check: "Peer", Have: "knows no peer", Reason: "there is no connection between the two sides, and no address of the other"},
		},
	}
}

func openNATS(url string) func(...transporttest.Operation) (transporttest.Link, error) {
	var links atomic.Int64
	return func(operations ...transporttest.Operation) (transporttest.Link, error) {
		l := &natsLink{prefix: "link" + strconv.FormatInt(links.Add(1), 10) + "."}
		var err error
		if l.there, err = nats.Connect(url); err != nil {
			return nil, err
		}
		if l.here, err = nats.Connect(url); err != nil {
			l.there.Close()
			return nil, err
		}
		servers := make([]*natstransport.Server, len(operations))
		for i, o := range operations {
			opts := append(natsServer(o.Hooks), natstransport.ServerSubject(l.subject(o.Spec)))
			if o.Stream != nil {
				servers[i] = natstransport.NewStreamServer(o.Spec, o.Stream, opts...)
			} else {
				servers[i] = natstransport.NewServer(o.Spec, o.Endpoint, opts...)
			}
		}
		if l.service, err = natstransport.Serve(l.there, "suite", "1.0.0", servers, natstransport.ServiceGrace(0)); err == nil {
			l.conn, err = natstransport.NewConn(l.here)
		}
		if err != nil {
			l.there.Close()
			l.here.Close()
			return nil, err
		}
		return l, nil
	}
}

type natsLink struct {
	prefix      string // of its subjects
	there, here *nats.Conn
	service     *natstransport.Service
	conn        *natstransport.Conn
}

func (l *natsLink) subject(spec endpoint.Spec) string {
	return l.prefix + spec.Service + "." + spec.Method
}

func (l *natsLink) Unary(spec endpoint.Spec, hooks transporttest.ClientHooks) (endpoint.Endpoint[message, message], error) {
	return natstransport.NewClient[message, message](spec, l.conn, append(natsClient(hooks), natstransport.ClientSubject(l.subject(spec)))...)
}

func (l *natsLink) Stream(spec endpoint.Spec, hooks transporttest.ClientHooks) (stream, error) {
	return natstransport.NewStreamClient[message, message](spec, l.conn, append(natsClient(hooks), natstransport.ClientSubject(l.subject(spec)))...)
}

func (l *natsLink) Shutdown(ctx context.Context) error { return l.service.Shutdown(ctx) }

func (l *natsLink) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	err := errors.Join(l.Shutdown(ctx), l.conn.Close())
	for _, nc := range []*nats.Conn{l.there, l.here} {
		if n := nc.NumSubscriptions(); n > 0 {
			err = errors.Join(err, fmt.Errorf("%d subscriptions are left", n))
		}
		nc.Close()
	}
	return err
}

func natsServer(hooks transporttest.ServerHooks) []natstransport.ServerOption {
	opts := []natstransport.ServerOption{
		natstransport.ServerCodecs(transporttest.Codec(json.New())), natstransport.ServerMaxRequest(transporttest.MaxMessage),
	}
	for _, mw := range hooks.Middleware {
		opts = append(opts, natstransport.ServerMiddleware(mw))
	}
	for _, hook := range hooks.Before {
		opts = append(opts, natstransport.ServerBefore(hook))
	}
	for _, hook := range hooks.After {
		opts = append(opts, natstransport.ServerAfter(hook))
	}
	for _, hook := range hooks.ErrorHandler {
		opts = append(opts, natstransport.ServerErrorHandler(hook))
	}
	for _, hook := range hooks.Finalizer {
		opts = append(opts, natstransport.ServerFinalizer(func(ctx context.Context, o natstransport.Outcome) {
			hook(ctx, transporttest.Outcome(o))
		}))
	}
	return opts
}

func natsClient(hooks transporttest.ClientHooks) []natstransport.ClientOption {
	opts := []natstransport.ClientOption{
		natstransport.ClientCodecs(transporttest.Codec(json.New())), natstransport.ClientMaxResponse(transporttest.MaxMessage),
	}
	for _, hook := range hooks.Before {
		opts = append(opts, natstransport.ClientBefore(func(ctx context.Context, _ transport.Header) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.After {
		opts = append(opts, natstransport.ClientAfter(func(ctx context.Context, _ transport.Header) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.Finalizer {
		opts = append(opts, natstransport.ClientFinalizer(func(ctx context.Context, o natstransport.Outcome) {
			hook(ctx, transporttest.Outcome(o))
		}))
	}
	return opts
}
