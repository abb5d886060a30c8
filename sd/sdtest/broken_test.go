package sdtest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

type (
	seq   = iter.Seq2[[]sd.Instance, error]
	yield = func(set []sd.Instance, err error) bool
)

// breakage is one way in which a driver is broken, and the checks that must notice: all of them and no others.
type breakage struct {
	name   string
	notice []string
	may    []string // notice as chance will have it
	others bool     // others may notice, too: hardly anything works
	// What is broken, each of it around what is sound; nil leaves it sound. Over is closed when the suite has ended.
	harness  func(h *sdtest.Harness)
	registry func(r *registry)
	watch    func(next watcher, r *registry, over <-chan struct{}) watcher
	register func(next registering, r *registry, over <-chan struct{}) registering
}

// broken returns a harness of a sound registry with the breakage.
func (b breakage) broken(over <-chan struct{}) sdtest.Harness {
	r := newRegistry()
	if b.registry != nil {
		b.registry(r)
	}
	h := r.harness()
	h.Watches = 10
	instancer, registrar := h.Instancer, h.Registrar
	if b.watch != nil {
		h.Instancer = func(service string) (sd.Instancer, error) {
			i, err := instancer(service)
			return b.watch(i.Watch, r, over), err
		}
	}
	if b.register != nil {
		h.Registrar = func(service string) (sd.Registrar, error) {
			i, err := registrar(service)
			return b.register(i.Register, r, over), err
		}
	}
	if b.harness != nil {
		b.harness(&h)
	}
	return h
}

// tested returns the violations of the harness. The clock is that of synctest: what waits in vain does not take long.
func (b breakage) tested(t *testing.T) (all []*sdtest.Violation) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		err := sdtest.Test(b.broken(over))
		close(over)
		time.Sleep(time.Minute) // until what is broken has come to an end
		if err == nil {
			return
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatal(err)
		}
		for _, err := range joined.Unwrap() {
			v, ok := errors.AsType[*sdtest.Violation](err)
			if !ok {
				t.Fatal(err)
			}
			all = append(all, v)
		}
	})
	return all
}

func breakages() []breakage {
	return slices.Concat(brokenSets(), brokenFields(), brokenEnds(), brokenRegistrars(), brokenOutages())
}

func TestEachBreakageIsNoticedByItsChecksAndNoOthers(t *testing.T) {
	t.Parallel()
	for _, b := range breakages() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			wrong := b.misjudged(t)
			if len(wrong) > 0 { // goroutines are counted by the clock of the machine, which may have had no time for them
				t.Log(wrong)
				wrong = b.misjudged(t)
			}
			for _, w := range wrong {
				t.Error(w)
			}
		})
	}
}

// misjudged returns which checks do not notice what they are to, and which notice what they are not to.
func (b breakage) misjudged(t *testing.T) (wrong []string) {
	t.Helper()
	seen := map[string]error{}
	for _, v := range b.tested(t) {
		seen[v.Check] = v
	}
	for _, name := range b.notice {
		if seen[name] == nil {
			wrong = append(wrong, name+" does not notice")
		}
		delete(seen, name)
	}
	for name, err := range seen {
		if !b.others && !slices.Contains(b.may, name) {
			wrong = append(wrong, fmt.Sprintf("%s is not to notice: %v", name, err))
		}
	}
	return wrong
}

func TestEachCheckNoticesSomeBreakage(t *testing.T) {
	t.Parallel()
	noticed := map[string]bool{}
	for _, b := range breakages() {
		for _, name := range b.notice {
			noticed[name] = true
		}
	}
	for _, clause := range sdtest.Contract() {
		if !noticed[clause.Check] {
			t.Errorf("%s: no breakage shows that it can fail", clause.Check)
		}
	}
}

// turns returns a watch whose loop gets each turn by way of turn, which is made anew for each loop.
func turns(begin func(ctx context.Context, yield yield) yield) func(watcher, *registry, <-chan struct{}) watcher {
	return func(next watcher, _ *registry, _ <-chan struct{}) watcher {
		return func(ctx context.Context) seq {
			return func(yield func([]sd.Instance, error) bool) {
				turn := begin(ctx, yield)
				for set, err := range next(ctx) {
					if !turn(set, err) {
						return
					}
				}
			}
		}
	}
}

// sets returns a watch with other sets.
func sets(change func(set []sd.Instance) []sd.Instance) func(watcher, *registry, <-chan struct{}) watcher {
	return turns(func(_ context.Context, yield yield) yield {
		var last []sd.Instance
		known := false
		return func(set []sd.Instance, err error) bool {
			if err == nil {
				set = change(slices.Clone(set))
				if known && sd.Same(last, set) {
					return true
				}
			}
			last, known = set, err == nil
			return yield(set, err)
		}
	})
}

// puts returns a registrar that registers other instances.
func puts(change func(i sd.Instance) sd.Instance) func(registering, *registry, <-chan struct{}) registering {
	return func(next registering, _ *registry, _ <-chan struct{}) registering {
		return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
			if err := i.Check(); err != nil {
				return next(ctx, i)
			}
			return next(ctx, change(i))
		}
	}
}

// ending returns a registrar with another deregister, which is given the sound one.
func ending(change func(ctx context.Context, deregister func(context.Context) error) func(context.Context) error) func(registering, *registry, <-chan struct{}) registering {
	return func(next registering, _ *registry, _ <-chan struct{}) registering {
		return func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
			deregister, err := next(ctx, i)
			if err != nil {
				return nil, err
			}
			return change(ctx, deregister), nil
		}
	}
}

// lasting returns a context that ends with the suite.
func lasting(over <-chan struct{}) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-over
		cancel()
	}()
	return ctx
}

// pause waits for the clock or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
