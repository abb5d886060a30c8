package transporttest_test

import (
	"context"
	"slices"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// lastOnly keeps the last of the hooks, as if a later option replaced an earlier one.
func lastOnly[H any](hooks []H) []H { return hooks[max(len(hooks)-1, 0):] }

func brokenHooks() []breakage {
	return []breakage{{
		name:   "replaces hooks by later ones",
		notice: []string{"ServerHooks", "ErrorHandlers", "Finalizers"},
		serve: func(o *transporttest.Operation) {
			o.Hooks.Before, o.Hooks.After = lastOnly(o.Hooks.Before), lastOnly(o.Hooks.After)
			o.Hooks.ErrorHandler, o.Hooks.Finalizer = lastOnly(o.Hooks.ErrorHandler), lastOnly(o.Hooks.Finalizer)
		},
	}, {
		name:   "replaces hooks of clients by later ones",
		notice: []string{"ClientHooks", "Finalizers"},
		hooks: func(h *transporttest.ClientHooks) {
			h.Before, h.After, h.Finalizer = lastOnly(h.Before), lastOnly(h.After), lastOnly(h.Finalizer)
		},
	}, {
		name:   "runs hooks backwards",
		notice: []string{"ServerHooks"},
		serve:  func(o *transporttest.Operation) { slices.Reverse(o.Hooks.Before) },
	}, {
		name:   "runs middleware inside out",
		notice: []string{"ServerHooks"},
		serve:  func(o *transporttest.Operation) { slices.Reverse(o.Hooks.Middleware) },
	}, {
		name:   "runs ServerAfter first",
		notice: []string{"ServerHooks"},
		serve: func(o *transporttest.Operation) {
			for _, hook := range slices.Backward(o.Hooks.After) {
				o.Hooks.Before = slices.Insert(o.Hooks.Before, 0, func(ctx context.Context) context.Context { hook(ctx); return ctx })
			}
			o.Hooks.After = nil
		},
	}, {
		name:   "loses the context of ClientBefore",
		notice: []string{"ClientHooks", "HookedRequestHeader"},
		hooks: func(h *transporttest.ClientHooks) {
			for i, hook := range h.Before {
				h.Before[i] = func(ctx context.Context) context.Context {
					hook(ctx)
					return ctx
				}
			}
		},
	}, {
		name:   "handles no errors",
		notice: []string{"ErrorHandlers", "HiddenError"},
		serve: func(o *transporttest.Operation) {
			o.Hooks.ErrorHandler = []func(context.Context, error){func(context.Context, error) {}}
		},
	}, {
		name:   "runs finalizers twice",
		notice: []string{"ServerHooks", "Finalizers"},
		serve:  func(o *transporttest.Operation) { o.Hooks.Finalizer = slices.Repeat(o.Hooks.Finalizer, 2) },
	}, {
		name:   "runs the finalizers of its clients after a success only",
		notice: []string{"Finalizers"},
		hooks: func(h *transporttest.ClientHooks) {
			for i, hook := range h.Finalizer {
				h.Finalizer[i] = func(ctx context.Context, o transporttest.Outcome) {
					if o.Err == nil {
						hook(ctx, o)
					}
				}
			}
		},
	}, {
		name:   "tells finalizers of no errors",
		notice: []string{"Finalizers", "Panics", "PanicOfIn", "PanicOfOut"},
		serve: finalizing(func(hook finalizer) finalizer {
			return func(ctx context.Context, o transporttest.Outcome) {
				o.Err = nil
				hook(ctx, o)
			}
		}),
	}, {
		name:   "runs middleware for each request",
		notice: []string{"ServerMiddleware", "ServerHooks"},
		serve: func(o *transporttest.Operation) {
			extra := make([]endpoint.Handler, len(o.Hooks.Middleware))
			for i, mw := range o.Hooks.Middleware {
				extra[i] = mw(o.Spec.Server(), func(context.Context, any) (any, error) { return nil, nil })
			}
			each := func(s stream) stream {
				return func(ctx context.Context, in inSeq, out func(message) error) error {
					return requests(func(_ int, m message) []message {
						for _, h := range extra {
							_, _ = h(ctx, m)
						}
						return []message{m}
					})(s)(ctx, in, out)
				}
			}
			if o.Stream != nil {
				o.Stream = each(o.Stream)
			} else {
				o.Endpoint = each(o.Endpoint.Stream()).Unary
			}
		},
	}, {
		name:   "builds middleware for each call",
		notice: []string{"ServerMiddleware"},
		serve: func(o *transporttest.Operation) {
			for i, mw := range o.Hooks.Middleware {
				o.Hooks.Middleware[i] = func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
					return func(ctx context.Context, request any) (any, error) { return mw(spec, next)(ctx, request) }
				}
			}
		},
	}, {
		name:   "loses the context of middleware",
		notice: []string{"ServerMiddleware", "MiddlewareEnd", "Timeout"},
		serve: func(o *transporttest.Operation) {
			type key struct{}
			first := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
				return func(ctx context.Context, request any) (any, error) {
					return next(context.WithValue(ctx, key{}, ctx), request)
				}
			}
			last := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
				return func(ctx context.Context, request any) (any, error) {
					if outer, ok := ctx.Value(key{}).(context.Context); ok {
						ctx = outer
					}
					return next(ctx, request)
				}
			}
			if len(o.Hooks.Middleware) > 0 {
				o.Hooks.Middleware = slices.Concat([]endpoint.Middleware{first}, o.Hooks.Middleware, []endpoint.Middleware{last})
			}
		},
	}, {
		name:   "tells middleware the wrong side",
		notice: []string{"ServerMiddleware"},
		serve: func(o *transporttest.Operation) {
			for i, mw := range o.Hooks.Middleware {
				o.Hooks.Middleware[i] = func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler { return mw(spec.Client(), next) }
			}
		},
	}, {
		name:   "decodes before it asks the middleware",
		notice: []string{"Refusal"},
		serve: func(o *transporttest.Operation) {
			if o.Stream != nil || len(o.Hooks.Middleware) == 0 {
				return
			}
			o.Endpoint = endpoint.New(o.Spec, o.Endpoint, o.Hooks.Middleware...)
			o.Hooks.Middleware = nil
		},
	}}
}
