package sdtest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

type deregister = func(ctx context.Context) error

// registrars returns a registrar by a function that is given the sound one.
func registrars(register func(ctx context.Context, i sd.Instance, next registering) (deregister, error)) func(registering, *registry, <-chan struct{}) registering {
	return func(next registering, _ *registry, _ <-chan struct{}) registering {
		return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
			return register(ctx, i, next)
		}
	}
}

func brokenRegistrars() []breakage {
	return []breakage{{
		name:     "registers later",
		notice:   []string{"OutageRegister", "RegisterWaits"},
		may:      []string{"ReplacedLeaves"},
		registry: func(r *registry) { r.lateBy = time.Second },
	}, {
		name:   "deregisters later",
		notice: []string{"DeregisterWaits", "OutageDeregister"},
		register: ending(func(_ context.Context, deregister deregister) deregister {
			return func(ctx context.Context) error {
				if ctx.Err() != nil {
					return deregister(ctx)
				}
				go func() {
					pause(context.Background(), time.Second) // the clock goes on when all wait
					_ = deregister(context.Background())
				}()
				return nil
			}
		}),
	}, {
		name:   "fails the second time",
		notice: []string{"DeregisterTwice"},
		register: ending(func(_ context.Context, deregister deregister) deregister {
			var called atomic.Bool
			return func(ctx context.Context) error {
				err := deregister(ctx)
				if err == nil && called.Swap(true) {
					return errors.New("there is no such instance")
				}
				return err
			}
		}),
	}, {
		name:   "panics the second time",
		notice: []string{"DeregisterTwice", "DeregisterCanceled"},
		register: ending(func(_ context.Context, deregister deregister) deregister {
			gone := make(chan struct{})
			return func(ctx context.Context) error {
				close(gone)
				return deregister(ctx)
			}
		}),
	}, {
		name:   "heeds no ctx of deregister",
		notice: []string{"DeregisterCanceled", "OutageDeregister"},
		register: ending(func(_ context.Context, deregister deregister) deregister {
			return func(ctx context.Context) error { return deregister(context.WithoutCancel(ctx)) }
		}),
	}, {
		name:   "does not deregister with a ctx that has ended",
		notice: []string{"DeregisterCanceled"},
		register: ending(func(_ context.Context, deregister deregister) deregister {
			return func(ctx context.Context) error {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return deregister(ctx)
			}
		}),
	}, {
		name:   "stays when ctx has ended",
		notice: []string{"EndOfContext"},
		register: func(next registering, _ *registry, over <-chan struct{}) registering {
			return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return next(lasting(over), i)
			}
		},
	}, {
		name:   "fails to deregister when ctx has ended",
		notice: []string{"EndOfContext"},
		register: ending(func(ctx context.Context, deregister deregister) deregister {
			return func(c context.Context) error { return errors.Join(deregister(c), ctx.Err()) }
		}),
	}, {
		name:     "refuses an ID that is there",
		notice:   []string{"EqualSets", "ReplacedLeaves", "Replaces", "Update"},
		registry: func(r *registry) { r.strict = true },
	}, {
		name:     "keeps what is there",
		notice:   []string{"ReplacedLeaves", "Replaces", "Update"},
		registry: func(r *registry) { r.jealous = true },
	}, {
		name:     "deregisters whatever is there",
		notice:   []string{"ReplacedLeaves"},
		registry: func(r *registry) { r.blind = true },
	}, {
		name:     "does not register again",
		notice:   []string{"RegistersAgain"},
		registry: func(r *registry) { r.careless = true },
	}, {
		name:   "registers with a ctx that has ended",
		notice: []string{"RegisterCanceled"},
		register: func(next registering, _ *registry, over <-chan struct{}) registering {
			return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				if ctx.Err() != nil {
					ctx = lasting(over)
				}
				return next(ctx, i)
			}
		},
	}, {
		name:   "says something else of a ctx that has ended",
		notice: []string{"RegisterCanceled"},
		register: registrars(func(ctx context.Context, i sd.Instance, next registering) (deregister, error) {
			d, err := next(ctx, i)
			if err != nil && ctx.Err() != nil {
				err = errors.New("it did not work")
			}
			return d, err
		}),
	}, {
		name:   "leaves behind what it registers with a ctx that has ended",
		notice: []string{"RegisterCanceled"},
		register: func(next registering, _ *registry, over <-chan struct{}) registering {
			return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				if ctx.Err() != nil {
					_, _ = next(lasting(over), i)
					return nil, ctx.Err()
				}
				return next(ctx, i)
			}
		},
	}, {
		name:   "says nothing of what is invalid",
		notice: []string{"RegisterInvalid"},
		register: registrars(func(ctx context.Context, i sd.Instance, next registering) (deregister, error) {
			if i.Check() != nil {
				return nil, errors.New("invalid instance")
			}
			return next(ctx, i)
		}),
	}, {
		name:   "registers what is invalid",
		notice: []string{"RegisterInvalid"},
		register: registrars(func(ctx context.Context, i sd.Instance, next registering) (deregister, error) {
			if i.Check() != nil {
				i = sd.Instance{Address: "192.0.2.99:1"}
			}
			return next(ctx, i)
		}),
	}, {
		name:   "has room for ten",
		notice: []string{"RegisterMany"},
		register: func(next registering, _ *registry, _ <-chan struct{}) registering {
			var n atomic.Int32
			return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				if n.Add(1) > 10 {
					return nil, errors.New("it is full")
				}
				return next(ctx, i)
			}
		},
	}}
}

// away says whether the registry is down.
func (r *registry) away() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down
}
