package authtest_test

import (
	"context"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/inproc"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

type message = transporttest.Message

// harness carries calls within the process. The others are attacked in package transporttest.
func harness() transporttest.Harness {
	return transporttest.Harness{
		Name: "inproc", Transport: inproc.Name,
		Open: func(operations ...transporttest.Operation) (transporttest.Link, error) {
			l := new(link)
			for _, o := range operations {
				var opts []inproc.ServerOption
				for _, mw := range o.Hooks.Middleware {
					opts = append(opts, inproc.ServerMiddleware(mw))
				}
				if o.Stream != nil {
					l.mux.Handle(inproc.NewStreamServer(o.Spec, o.Stream, opts...))
				} else {
					l.mux.Handle(inproc.NewServer(o.Spec, o.Endpoint, opts...))
				}
			}
			return l, nil
		},
	}
}

type link struct{ mux inproc.Mux }

func (l *link) Unary(spec endpoint.Spec, _ transporttest.ClientHooks) (endpoint.Endpoint[message, message], error) {
	return inproc.NewClient[message, message](spec, &l.mux)
}

func (l *link) Stream(spec endpoint.Spec, _ transporttest.ClientHooks) (endpoint.Stream[message, message], error) {
	return inproc.NewStreamClient[message, message](spec, &l.mux)
}

func (l *link) Shutdown(context.Context) error { return nil }

func (l *link) Close() error { return nil }
