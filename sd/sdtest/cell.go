package sdtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// cell is one check of one system.
type cell struct {
	h       *Harness
	service string          // of its own
	ctx     context.Context // ends with the check
	cancel  context.CancelFunc

	mu            sync.Mutex
	closers       []io.Closer
	loops         []*loop
	registrations []*registration
	kept          map[string]*registration // by ID, what put has made
	broken        []*Violation             // of clauses that each loop looks after
}

// registration is one that a check has made.
type registration struct {
	instance   sd.Instance
	deregister func(ctx context.Context) error
}

func newCell(h *Harness) *cell {
	c := &cell{h: h, service: newService(), kept: make(map[string]*registration)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// newService returns a name that no other check has, and that any system can take.
func newService() string { return fmt.Sprintf("t-%010x", rand.Uint64N(1<<40)) } //nolint:gosec // no secret

// test runs the check, ends all that it has begun, and returns what is wrong.
func (c *cell) test(what check) []*Violation {
	err := contain(func() error { return what.run(c) })
	err = errors.Join(err, c.settle())
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.broken
	if err != nil {
		seen = append(seen, violation(what.name, err))
	}
	return seen
}

// contain calls f, and returns a panic as an error.
func contain(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("it panicked: %v\n%s", value, debug.Stack())
		}
	}()
	return f()
}

// settle ends the loops and the registrations, and waits for them.
func (c *cell) settle() error {
	c.cancel()
	c.mu.Lock()
	loops, registrations, closers := slices.Clone(c.loops), slices.Clone(c.registrations), slices.Clone(c.closers)
	c.mu.Unlock()
	var errs []error
	for _, l := range loops {
		l.release()
		if err := l.ended(c.h.Limit); err != nil {
			errs = append(errs, fmt.Errorf("after the check: %w", err))
			break // the others waste time
		}
	}
	for _, r := range registrations {
		ctx, cancel := context.WithTimeout(context.Background(), c.h.Limit)
		err := within(c.h.Limit+Prompt, "deregistering", func() error { return r.deregister(ctx) })
		cancel()
		if errors.As(err, new(*lateError)) {
			errs = append(errs, fmt.Errorf("after the check: %w", err))
			break
		}
	}
	for _, closer := range closers {
		if err := within(c.h.Limit, "closing the Instancer", closer.Close); err != nil {
			errs = append(errs, fmt.Errorf("closing the Instancer: %w", err))
			break
		}
	}
	return errors.Join(errs...)
}

// instancer returns a new Instancer of the service.
func (c *cell) instancer(service string) (sd.Instancer, error) {
	instancer, err := c.h.Instancer(service)
	if err != nil {
		return nil, fmt.Errorf("making an Instancer: %w", err)
	}
	if closer, ok := instancer.(io.Closer); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closers = append(c.closers, closer)
	}
	return instancer, nil
}

// register registers the instance with a new Registrar, until the check ends.
func (c *cell) register(ctx context.Context, service string, instance sd.Instance) (*registration, error) {
	registrar, err := c.h.Registrar(service)
	if err != nil {
		return nil, fmt.Errorf("making a Registrar: %w", err)
	}
	return c.registerWith(ctx, registrar, instance)
}

func (c *cell) registerWith(ctx context.Context, registrar sd.Registrar, instance sd.Instance) (*registration, error) {
	r := &registration{instance: instance}
	err := within(c.h.Limit+registerLimit, "Register", func() (err error) {
		r.deregister, err = registrar.Register(ctx, instance)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registering %v: %w", instance, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.registrations = append(c.registrations, r)
	return r, nil
}

// registerLimit is more than a driver needs to give up.
const registerLimit = 20 * time.Second

// deregister ends the registration.
func (c *cell) deregister(r *registration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), c.h.Limit)
	defer cancel()
	err := within(c.h.Limit+Prompt, "deregister", func() error { return r.deregister(ctx) })
	if err != nil {
		return fmt.Errorf("deregistering %v: %w", r.instance, err)
	}
	return nil
}

// put makes these the instances of the service. It knows what it made before, and changes no more than it must.
func (c *cell) put(instances ...sd.Instance) error {
	if c.h.Put != nil {
		if err := c.h.Put(c.service, instances...); err != nil {
			return fmt.Errorf("putting %v: %w", instances, err)
		}
		return nil
	}
	var (
		group sync.WaitGroup
		errs  = make([]error, len(instances))
		added = make([]*registration, len(instances))
		old   = c.kept
	)
	c.kept = make(map[string]*registration, len(instances))
	for n, i := range instances {
		if r := old[i.ID]; r != nil && r.instance.Equal(i) {
			added[n] = r
			continue
		}
		group.Go(func() { added[n], errs[n] = c.register(c.ctx, c.service, i) })
	}
	group.Wait()
	for n, i := range instances {
		if added[n] != nil {
			c.kept[i.ID] = added[n]
		}
		delete(old, i.ID)
	}
	for _, r := range old {
		errs = append(errs, c.deregister(r))
	}
	return errors.Join(errs...)
}

// lateError is the error of what takes too long.
type lateError struct {
	what  string
	limit time.Duration
}

func (e *lateError) Error() string {
	return fmt.Sprintf("%s has not returned within %v", e.what, e.limit)
}

// within calls f, and returns its error, or a *lateError when it takes longer than limit.
func within(limit time.Duration, what string, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- contain(f) }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return &lateError{what, limit}
	}
}
