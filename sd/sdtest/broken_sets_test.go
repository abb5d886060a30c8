package sdtest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/sd"
)

func brokenSets() []breakage {
	return []breakage{{
		name:   "yields what has come and no more",
		notice: []string{"FullSets"},
		others: true,
		watch: turns(func(_ context.Context, yield yield) yield {
			var last []sd.Instance
			return func(set []sd.Instance, err error) bool {
				if err != nil {
					return yield(nil, err)
				}
				added := slices.DeleteFunc(slices.Clone(set), func(i sd.Instance) bool { return slices.ContainsFunc(last, i.Equal) })
				last = set
				return yield(added, nil)
			}
		}),
	}, {
		name:   "never yields an empty set",
		notice: []string{"DeregisterCanceled", "DeregisterWaits", "Empty", "EndByLeaving", "EndOfContext", "OutageDeregister", "SlowConsumer"},
		watch: turns(func(_ context.Context, yield yield) yield {
			return func(set []sd.Instance, err error) bool { return err == nil && len(set) == 0 || yield(set, err) }
		}),
	}, {
		name:   "does not yield an empty set first",
		notice: []string{"DeregisterWaits", "Empty", "EndByLeaving", "EndOfContext", "OutageDeregister", "SlowConsumer"},
		may:    []string{"DeregisterCanceled"},
		watch: turns(func(_ context.Context, yield yield) yield {
			known := false
			return func(set []sd.Instance, err error) bool {
				if err == nil && len(set) == 0 && !known {
					return true
				}
				known = true
				return yield(set, err)
			}
		}),
	}, {
		name:   "yields sets in another order",
		notice: []string{"Order"},
		watch: sets(func(set []sd.Instance) []sd.Instance {
			slices.Reverse(set)
			return set
		}),
	}, {
		name:   "yields tags as they were put",
		notice: []string{"Order", "Tags"},
		watch: sets(func(set []sd.Instance) []sd.Instance {
			for n := range set {
				set[n].Tags = slices.Clone(set[n].Tags)
				slices.Reverse(set[n].Tags)
			}
			return set
		}),
	}, {
		name:   "yields duplicates",
		notice: []string{"Duplicates", "Order"},
		watch: sets(func(set []sd.Instance) []sd.Instance {
			if len(set) == 4 && set[0].ID == "i-01" && set[3].ID == "i-05" { // there is an i-02 that has the address of i-01
				twin := set[0]
				twin.ID = "i-02"
				set = slices.Insert(set, 1, twin)
			}
			return set
		}),
	}, {
		name:   "takes one or the other of two with one address",
		notice: []string{"Duplicates"},
		watch:  turns(wavering),
	}, {
		name:   "yields each set twice",
		notice: []string{"EqualSets", "NewestOnly"},
		watch: turns(func(ctx context.Context, yield yield) yield {
			return func(set []sd.Instance, err error) bool {
				return yield(set, err) && (err != nil || ctx.Err() != nil || yield(set, err))
			}
		}),
	}, {
		name:     "queues sets",
		notice:   []string{"NewestOnly"},
		registry: func(r *registry) { r.queues = true },
	}, {
		name:   "holds up all while one is busy",
		notice: []string{"LeavesNothing", "SlowConsumer"},
		watch: func(next watcher, _ *registry, _ <-chan struct{}) watcher {
			lock := make(chan struct{}, 1) // which the clock of synctest knows, unlike a sync.Mutex
			return turns(func(_ context.Context, yield yield) yield {
				return func(set []sd.Instance, err error) bool {
					lock <- struct{}{}
					defer func() { <-lock }()
					return yield(set, err)
				}
			})(next, nil, nil)
		},
	}, {
		name:   "sees no change of an instance",
		notice: []string{"EqualSets", "ReplacedLeaves", "Replaces", "Update"},
		watch: turns(func(_ context.Context, yield yield) yield {
			known := map[string]sd.Instance{}
			return func(set []sd.Instance, err error) bool {
				set = slices.Clone(set)
				for n, i := range set {
					if old, ok := known[i.ID]; ok {
						set[n] = old
					}
					known[i.ID] = set[n]
				}
				return yield(set, err)
			}
		}),
	}, {
		name:   "serves eight watches",
		notice: []string{"LeavesNothing", "ManyWatches", "OutageEnds"},
		watch: func(next watcher, _ *registry, _ <-chan struct{}) watcher {
			var n atomic.Int32
			return func(ctx context.Context) seq {
				if n.Add(1) <= 8 {
					return next(ctx)
				}
				return func(func([]sd.Instance, error) bool) { <-ctx.Done() }
			}
		},
	}, {
		name:   "yields the last set beside an error",
		notice: []string{"Errors"},
		watch: turns(func(_ context.Context, yield yield) yield {
			last := []sd.Instance{}
			return func(set []sd.Instance, err error) bool {
				if err == nil {
					last = set
				}
				return yield(last, err)
			}
		}),
	}, {
		name:   "leaves out entries that are no instances and does not say so",
		notice: []string{"EqualSets", "Errors"},
		watch: turns(func(_ context.Context, yield yield) yield {
			return func(set []sd.Instance, err error) bool {
				return errors.As(err, new(*sd.InvalidError)) || yield(set, err)
			}
		}),
	}, {
		name:   "says that an entry is wrong, and not which",
		notice: []string{"Errors"},
		watch: turns(func(_ context.Context, yield yield) yield {
			return func(set []sd.Instance, err error) bool {
				if errors.As(err, new(*sd.InvalidError)) {
					err = errors.New("an entry is no instance")
				}
				return yield(set, err)
			}
		}),
	}, {
		name:   "yields nothing more after an entry that is no instance",
		notice: []string{"Errors"},
		watch: turns(func(_ context.Context, yield yield) yield {
			bad := false
			return func(set []sd.Instance, err error) bool {
				bad = bad || errors.As(err, new(*sd.InvalidError))
				return bad && err == nil || yield(set, err)
			}
		}),
	}}
}

// wavering takes the one and the other of two instances with one address.
func wavering(_ context.Context, yield yield) yield {
	n := 0
	return func(set []sd.Instance, err error) bool {
		set = slices.Clone(set)
		if len(set) > 2 && strings.HasPrefix(set[0].ID, "i-01") && set[1].ID != "i-02" {
			n++
			set[0].ID += strings.Repeat("x", n%2)
		}
		return yield(set, err)
	}
}
