package sdtest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

var (
	errDown = errors.New("the registry cannot be reached")
	errLost = errors.New("the registry has lost it")
	// What a broken one says.
	errThere = errors.New("there is one already")
)

// registry is one in memory, whose drivers are made as those of real ones.
type registry struct {
	mu       sync.Mutex
	down     bool
	changed  chan struct{}                  // closed, and made anew, at each change
	services map[string]map[string]stored   // by service, and the key of the instance
	past     map[string][]map[string]stored // what they ever were

	// What may be wrong with it, and with its registrar.
	queues    bool          // a watch yields what there ever was
	lateBy    time.Duration // how much later than it says it takes an instance
	jealous   bool          // what is there is not replaced
	strict    bool          // what is there is not replaced, and that is an error
	blind     bool          // what is removed is whatever is there
	careless  bool          // what is lost is not registered again
	forgetful bool          // an outage loses all
	eternal   bool          // what cannot be removed at once stays
}

type stored struct {
	data  string
	owner *held
}

func newRegistry() *registry {
	return &registry{changed: make(chan struct{}), services: make(map[string]map[string]stored), past: make(map[string][]map[string]stored)}
}

// change changes the entries of the service, unless the registry is down.
func (r *registry) change(service string, f func(entries map[string]stored)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return errDown
	}
	if r.services[service] == nil {
		r.services[service] = make(map[string]stored)
	}
	f(r.services[service])
	r.past[service] = append(r.past[service], maps.Clone(r.services[service]))
	r.tell()
	return nil
}

func (r *registry) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *registry) entries(service string) (entries map[string]stored, changed <-chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return nil, nil, errDown
	}
	return maps.Clone(r.services[service]), r.changed, nil
}

// before returns what the entries of the service ever were.
func (r *registry) before(service string) []map[string]stored {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.past[service]
}

// ready returns a channel that is closed.
func ready() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func (r *registry) outage() (restore func() error, err error) {
	set := func(down bool) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.down = down
		for _, entries := range r.services { // as a lease ends that nobody renews
			maps.DeleteFunc(entries, func(_ string, s stored) bool {
				return r.forgetful || !r.eternal && s.owner != nil && s.owner.over.Load()
			})
		}
		r.tell()
		return nil
	}
	return func() error { return set(false) }, set(true)
}

func (r *registry) forget(service string, instance sd.Instance) error {
	return r.change(service, func(entries map[string]stored) { delete(entries, driver.Key(instance.ID)) })
}

func (r *registry) corrupt(service string) error {
	return r.change(service, func(entries map[string]stored) { entries["x"] = stored{data: `{"address":7}`} })
}

// put is for a harness without a registrar.
func (r *registry) put(service string, instances ...sd.Instance) error {
	return r.change(service, func(entries map[string]stored) {
		maps.DeleteFunc(entries, func(key string, _ stored) bool { return key != "x" })
		for _, i := range sd.Normalize(instances) {
			data, err := driver.Marshal(i)
			if err != nil {
				panic(err)
			}
			entries[driver.Key(i.ID)] = stored{data: string(data)}
		}
	})
}

func (r *registry) harness() sdtest.Harness {
	return sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) { return r.watch(service), nil },
		Registrar: func(service string) (sd.Registrar, error) { return r.register(service), nil },
		Forget:    r.forget, Corrupt: r.corrupt, Outage: r.outage,
	}
}

// watcher and registering are interfaces as functions.
type (
	watcher     func(ctx context.Context) iter.Seq2[[]sd.Instance, error]
	registering func(ctx context.Context, instance sd.Instance) (func(context.Context) error, error)
)

func (w watcher) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] { return w(ctx) }

func (r registering) Register(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
	return r(ctx, i)
}

func (r *registry) watch(service string) watcher {
	return func(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
		return driver.Watch(ctx, func(ctx context.Context, feed *driver.Feed) error {
			n := len(r.before(service))
			for {
				entries, changed, err := r.entries(service)
				if err != nil {
					return err
				}
				if past := r.before(service); r.queues && n < len(past) {
					entries, changed = past[n], ready()
					n++
				}
				instances, invalid := decode(entries)
				if !feed.Set(instances, invalid...) {
					return nil
				}
				select {
				case <-changed:
				case <-ctx.Done():
					return nil
				}
			}
		})
	}
}

func (r *registry) register(service string) registering {
	return func(ctx context.Context, instance sd.Instance) (func(context.Context) error, error) {
		instance, err := driver.Check(instance)
		if err != nil {
			return nil, err
		}
		data, err := driver.Marshal(instance)
		if err != nil {
			return nil, err
		}
		return driver.Register(ctx, &held{registry: r, service: service, key: driver.Key(instance.ID), data: string(data)}, nil)
	}
}

// held is a registration.
type held struct {
	registry           *registry
	service, key, data string
	over               atomic.Bool
}

func (h *held) Hold(ctx context.Context, done func()) error {
	r := h.registry
	if r.lateBy > 0 {
		done()
		pause(ctx, r.lateBy)
	}
	var there bool
	err := r.change(h.service, func(entries map[string]stored) {
		if _, there = entries[h.key]; !there || !r.jealous && !r.strict {
			entries[h.key] = stored{data: h.data, owner: h}
		}
	})
	switch {
	case err != nil:
		return err
	case there && r.strict:
		return errThere
	}
	done()
	if r.careless {
		<-ctx.Done()
		return nil
	}
	for {
		entries, changed, err := r.entries(h.service)
		if err != nil {
			return err
		}
		if _, ok := entries[h.key]; !ok {
			return errLost
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *held) Remove(ctx context.Context) error {
	h.over.Store(true)
	var delay driver.Backoff
	for {
		err := h.registry.change(h.service, func(entries map[string]stored) {
			if entries[h.key].owner == h || h.registry.blind {
				delete(entries, h.key)
			}
		})
		if err != nil && h.registry.eternal {
			return fmt.Errorf("%w: %w", driver.ErrClosed, err) // which gives it up
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		delay.Wait(ctx)
	}
}

func decode(entries map[string]stored) (instances []sd.Instance, invalid []*sd.InvalidError) {
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		instance, err := driver.Unmarshal(key, []byte(entries[key].data))
		if err != nil {
			invalid = append(invalid, err)
			continue
		}
		instances = append(instances, instance)
	}
	return instances, invalid
}
