package transporttest_test

import (
	"context"
	"iter"
	"strings"
	"sync"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// informed changes the Info of a call before the endpoint sees it.
func informed(change func(info *transport.Info)) func(s stream) stream {
	return within(func(ctx context.Context) context.Context {
		change(transport.FromContext(ctx))
		return ctx
	})
}

// firstOnly is a header that has no second values.
type firstOnly struct{ transport.Header }

func (h firstOnly) Values(key string) []string {
	values := h.Header.Values(key)
	return values[:min(len(values), 1)]
}

func (h firstOnly) All() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for key := range h.Header.All() {
			if !yield(key, h.Values(key)) {
				return
			}
		}
	}
}

func brokenHeaders() []breakage {
	return []breakage{{
		name:   "loses the fields of requests",
		notice: []string{"RequestHeader", "HookedRequestHeader", "HeaderStaysHere", "HeaderOfCall", "Priority"},
		server: informed(func(info *transport.Info) { info.Request = transport.HeaderMap{} }),
	}, {
		name:   "takes no notice of the priority of calls",
		notice: []string{"Priority"},
		server: informed(func(info *transport.Info) { info.Request.Set(transport.PriorityHeader) }),
	}, {
		name:   "loses second values of the fields of requests",
		notice: []string{"RequestHeader"},
		server: informed(func(info *transport.Info) { info.Request = firstOnly{info.Request} }),
	}, {
		name:   "loses the fields of responses",
		notice: []string{"ResponseHeader", "ErrorHeader", "HookedResponseHeader"},
		server: informed(func(info *transport.Info) { info.Response = transport.HeaderMap{} }),
	}, {
		name:   "loses the fields of responses that are errors",
		notice: []string{"ErrorHeader", "ErrorTrailer"},
		server: func(s stream) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				err := s(ctx, in, out)
				if info := transport.FromContext(ctx); err != nil {
					info.Response.Set("X-Why")
					info.Trailer.Set("X-Why")
				}
				return err
			}
		},
	}, {
		name:   "loses trailers",
		notice: []string{"Trailer", "ErrorTrailer"},
		server: informed(func(info *transport.Info) { info.Trailer = transport.HeaderMap{} }),
	}, {
		name:   "writes the fields of requests as they are",
		notice: []string{"HeaderInjection"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				header := transport.HeaderMap{}
				transport.SetOutgoing(ctx, header)
				for key, values := range header {
					if value, line, ok := strings.Cut(strings.Join(values, ""), "\r\n"); ok {
						injected, rest, _ := strings.Cut(line, ": ")
						ctx = transport.WithHeader(transport.WithHeader(ctx, key, value), injected, rest)
					}
				}
				return s(ctx, in, out)
			}
		},
	}, {
		name:   "keeps the fields of the first call for the others",
		notice: []string{"HeaderOfCall", "Priority"},
		client: func(s stream, _ endpoint.Spec) stream {
			var (
				once  sync.Once
				first = transport.HeaderMap{}
			)
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				once.Do(func() { transport.SetOutgoing(ctx, first) })
				for key, values := range first {
					ctx = transport.WithHeader(ctx, key, values...)
				}
				return s(ctx, in, out)
			}
		},
	}, {
		name:   "passes on the fields of the call being served",
		notice: []string{"HeaderStaysHere", "Priority"},
		server: within(func(ctx context.Context) context.Context {
			for key, values := range transport.FromContext(ctx).Request.All() {
				ctx = transport.WithHeader(ctx, key, values...)
			}
			return ctx
		}),
	}, {
		name:   "calls itself by another name",
		notice: []string{"Info"},
		serve: func(o *transporttest.Operation) {
			o.Hooks.Before = append([]func(context.Context) context.Context{func(ctx context.Context) context.Context {
				transport.FromContext(ctx).Transport = "pigeons"
				return ctx
			}}, o.Hooks.Before...)
		},
	}, {
		name:   "does not count",
		notice: []string{"Sizes"},
		serve: func(o *transporttest.Operation) {
			for i, hook := range o.Hooks.Finalizer {
				o.Hooks.Finalizer[i] = func(ctx context.Context, outcome transporttest.Outcome) {
					outcome.RequestSize = 0
					hook(ctx, outcome)
				}
			}
		},
	}}
}
