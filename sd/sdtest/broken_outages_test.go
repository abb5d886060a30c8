package sdtest_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// onError returns a watch that does something else with the error of an outage.
func onError(begin func(ctx context.Context, yield yield) func(err error) bool) func(watcher, *registry, <-chan struct{}) watcher {
	return turns(func(ctx context.Context, yield yield) yield {
		fail := begin(ctx, yield)
		return func(set []sd.Instance, err error) bool {
			if errors.Is(err, errDown) {
				return fail(err)
			}
			return yield(set, err)
		}
	})
}

func brokenOutages() []breakage {
	return []breakage{{
		name:   "empties when the registry is away",
		notice: []string{"OutageBegins", "OutageEnds", "OutageKeeps"},
		may:    []string{"EqualSets"},
		watch: turns(func(_ context.Context, yield yield) yield {
			gone := false
			return func(set []sd.Instance, err error) bool {
				if errors.Is(err, errDown) {
					if gone {
						return true
					}
					gone = true
					return yield([]sd.Instance{}, nil)
				}
				gone = false
				return yield(set, err)
			}
		}),
	}, {
		name:   "says nothing of an outage",
		notice: []string{"OutageBegins", "OutageKeeps", "OutageEnds", "EqualSets"},
		watch: onError(func(context.Context, yield) func(error) bool {
			return func(error) bool { return true }
		}),
	}, {
		name:   "tries without delay",
		notice: []string{"OutageQuiet"},
		watch: onError(func(ctx context.Context, yield yield) func(error) bool {
			return func(err error) bool {
				for range 100 {
					if ctx.Err() != nil || !yield(nil, err) {
						return false
					}
					pause(ctx, 10*time.Millisecond)
				}
				return true
			}
		}),
	}, {
		name:   "begins with an empty set",
		notice: []string{"OutageBegins"},
		watch: turns(func(_ context.Context, yield yield) yield {
			known := false
			return func(set []sd.Instance, err error) bool {
				if !known && err != nil && !yield([]sd.Instance{}, nil) {
					return false
				}
				known = true
				return yield(set, err)
			}
		}),
	}, {
		name:   "waits in an outage without looking at ctx",
		notice: []string{"OutageEnds"},
		watch: onError(func(ctx context.Context, yield yield) func(error) bool {
			return func(err error) bool {
				left := !yield(nil, err)
				if left || ctx.Err() != nil {
					pause(context.Background(), 4*time.Second)
				}
				return !left
			}
		}),
	}, {
		name:   "registers for ever in an outage",
		notice: []string{"OutageRegister"},
		register: func(next registering, r *registry, over <-chan struct{}) registering {
			return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				if r.away() {
					<-over
				}
				return next(ctx, i)
			}
		},
	}, {
		name:   "says that it has registered in an outage",
		notice: []string{"OutageRegister"},
		register: func(next registering, r *registry, _ <-chan struct{}) registering {
			return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				if r.away() {
					return func(context.Context) error { return nil }, nil
				}
				return next(ctx, i)
			}
		},
	}, {
		name:   "registers after an outage what has failed",
		notice: []string{"OutageRegister"},
		register: func(next registering, r *registry, over <-chan struct{}) registering {
			return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				if !r.away() {
					return next(ctx, i)
				}
				go func() {
					for r.away() {
						within(over, 10*time.Millisecond)
					}
					_, _ = next(lasting(over), i)
				}()
				return nil, errDown
			}
		},
	}, {
		name:   "deregisters in an outage as if nothing were",
		notice: []string{"OutageDeregister"},
		register: ending(func(_ context.Context, deregister deregister) deregister {
			return func(ctx context.Context) error {
				err := deregister(ctx)
				if errors.Is(err, context.DeadlineExceeded) {
					return nil
				}
				return err
			}
		}),
	}, {
		name:     "has no patience with deregistering",
		notice:   []string{"OutageDeregister"},
		registry: func(r *registry) { r.eternal = true },
	}, {
		name:   "does not yield what it has yielded before an error",
		notice: []string{"RestartReports"},
		watch: turns(func(_ context.Context, yield yield) yield {
			var last []sd.Instance
			return func(set []sd.Instance, err error) bool {
				if err == nil && last != nil && sd.Same(last, set) {
					return true
				}
				if err == nil {
					last = set
				}
				return yield(set, err)
			}
		}),
	}, {
		name:   "yields nothing more after an outage",
		notice: []string{"RestartReports"},
		watch: turns(func(ctx context.Context, yield yield) yield {
			return func(set []sd.Instance, err error) bool {
				if !yield(set, err) {
					return false
				}
				if errors.Is(err, errDown) {
					<-ctx.Done()
				}
				return true
			}
		}),
	}, {
		name:   "comes back with a part",
		notice: []string{"RestartKeeps"},
		watch: turns(func(_ context.Context, yield yield) yield {
			failed := false
			return func(set []sd.Instance, err error) bool {
				if failed && err == nil && len(set) > 1 && !yield(slices.Clone(set[:1]), nil) {
					return false
				}
				failed = errors.Is(err, errDown)
				return yield(set, err)
			}
		}),
	}, {
		name:     "does not register again what an outage has lost",
		notice:   []string{"RegistersAgain", "RestartKeeps", "RestartRegistered", "RestartReports"},
		registry: func(r *registry) { r.careless, r.forgetful = true, true },
	}}
}
