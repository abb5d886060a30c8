package sdtest_test

import (
	"context"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// after returns a watch that does one thing more when the sound one has ended, unless the loop was left.
func after(more func(ctx context.Context, left bool, over <-chan struct{}, yield yield)) func(watcher, *registry, <-chan struct{}) watcher {
	return func(next watcher, _ *registry, over <-chan struct{}) watcher {
		return func(ctx context.Context) seq {
			return func(yield func([]sd.Instance, error) bool) {
				left := false
				for set, err := range next(ctx) {
					if left = !yield(set, err); left {
						break
					}
				}
				more(ctx, left, over, yield)
			}
		}
	}
}

func brokenEnds() []breakage {
	return []breakage{{
		name:   "yields the error of ctx at last",
		notice: []string{"EndByContext", "SlowConsumer"},
		watch: after(func(ctx context.Context, left bool, _ <-chan struct{}, yield yield) {
			if !left {
				yield(nil, ctx.Err())
			}
		}),
	}, {
		name:   "yields a set whether ctx has ended or not",
		notice: []string{"EndByContext"},
		watch: func(next watcher, _ *registry, _ <-chan struct{}) watcher {
			return func(ctx context.Context) seq {
				if ctx.Err() != nil {
					return func(yield func([]sd.Instance, error) bool) { yield(nil, nil) }
				}
				return next(ctx)
			}
		},
	}, {
		name:   "ends late",
		notice: []string{"EndByContext", "LeavesNothing", "OutageEnds", "SlowConsumer"},
		watch: after(func(_ context.Context, left bool, over <-chan struct{}, _ yield) {
			if !left {
				within(over, 5*time.Second)
			}
		}),
	}, {
		name:   "is left late",
		notice: []string{"EndByLeaving", "LeavesNothing", "OutageEnds"},
		watch: after(func(_ context.Context, left bool, over <-chan struct{}, _ yield) {
			if left {
				within(over, 5*time.Second)
			}
		}),
	}, {
		name:   "cannot be left at first",
		notice: []string{"EndByLeaving", "LeavesNothing", "OutageEnds"},
		watch: turns(func(_ context.Context, yield yield) yield {
			n := 0
			return func(set []sd.Instance, err error) bool {
				n++
				return yield(set, err) || n == 1
			}
		}),
	}, {
		name:   "ends all when one is left",
		notice: []string{"EndByLeaving", "OutageEnds", "RestartReports"},
		may:    []string{"OutageKeeps"},
		watch: func(next watcher, _ *registry, _ <-chan struct{}) watcher {
			var once sync.Once
			all := make(chan struct{})
			return func(ctx context.Context) seq {
				return func(yield func([]sd.Instance, error) bool) {
					ctx, cancel := context.WithCancel(ctx)
					defer cancel()
					go func() {
						select {
						case <-all:
							cancel()
						case <-ctx.Done():
						}
					}()
					for set, err := range next(ctx) {
						if !yield(set, err) {
							once.Do(func() { close(all) })
							return
						}
					}
				}
			}
		},
	}, {
		name:   "leaves a goroutine behind",
		notice: []string{"LeavesNothing", "OutageEnds"},
		watch: func(next watcher, _ *registry, over <-chan struct{}) watcher {
			return func(ctx context.Context) seq {
				go func() { <-over }()
				return next(ctx)
			}
		},
	}, {
		name:   "leaves a goroutine behind when it is left",
		notice: []string{"LeavesNothing", "OutageEnds"},
		watch: after(func(_ context.Context, left bool, over <-chan struct{}, _ yield) {
			if left {
				go func() { <-over }()
			}
		}),
	}}
}

// within waits for the clock or the end of the suite.
func within(over <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
	}
}
