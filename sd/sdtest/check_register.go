package sdtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ashlar-go/ashlar/sd"
)

func registerChecks() []check {
	registrar := []string{needRegistrar}
	return []check{{
		name:   "RegisterWaits",
		clause: "Register returns when the registry has the instance: a watch that begins then yields it in its first set",
		needs:  registrar,
		run:    registerWaits,
	}, {
		name:   "DeregisterWaits",
		clause: "deregister waits until the instance is withdrawn: a watch that begins then does not yield it",
		needs:  registrar,
		run:    deregisterWaits,
	}, {
		name:   "DeregisterTwice",
		clause: "to call deregister again, or at the same time, is harmless and returns what came of it",
		needs:  registrar,
		run:    deregisterTwice,
	}, {
		name:   "DeregisterCanceled",
		clause: "the ctx of deregister limits the wait, and nothing else: its error is returned, and the instance is withdrawn",
		needs:  registrar,
		run:    deregisterCanceled,
	}, {
		name:   "EndOfContext",
		clause: "the instance is withdrawn when the ctx of Register ends; to call deregister after that is harmless",
		needs:  registrar,
		run:    endOfContext,
	}, {
		name:   "Replaces",
		clause: "registering an ID again, from here or elsewhere, replaces what is there",
		needs:  registrar,
		run:    replaces,
	}, {
		name:   "ReplacedLeaves",
		clause: "deregistering what was replaced withdraws nothing: what has taken its place stays",
		needs:  registrar,
		run:    replacedLeaves,
	}, {
		name:   "RegistersAgain",
		clause: "Register keeps the instance announced, also when the registry has lost it",
		needs:  []string{needRegistrar, needForget},
		run:    registersAgain,
	}, {
		name:   "RegisterCanceled",
		clause: "Register with a ctx that has ended returns the error of it, and registers nothing",
		needs:  registrar,
		run:    registerCanceled,
	}, {
		name:   "RegisterInvalid",
		clause: "Register refuses an instance that Instance.Check refuses, with what that says",
		needs:  registrar,
		run:    registerInvalid,
	}, {
		name:   "RegisterMany",
		clause: "a Registrar is safe for concurrent use, and takes any number of instances",
		needs:  registrar,
		run:    registerMany,
	}}
}

// first returns the first set of a new watch.
func (c *cell) first() (yielded, error) {
	l, err := c.watch()
	if err != nil {
		return yielded{}, err
	}
	defer l.cancel()
	return l.await(0, "a set", func(y yielded) bool { return y.err == nil })
}

// now waits until a new watch has these instances.
func (c *cell) now(want ...sd.Instance) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	defer l.cancel()
	_, err = l.set(want...)
	return err
}

func registerWaits(c *cell) error {
	for n := 1; n <= 5; n++ {
		if err := c.put(instances(n)...); err != nil {
			return err
		}
		y, err := c.first()
		if err != nil {
			return err
		}
		if !strings.Contains(strings.Join(y.addresses(), " "), instance(n).Address) {
			return fmt.Errorf("want %v in the first set, have %v", instance(n), y)
		}
	}
	return nil
}

func deregisterWaits(c *cell) error {
	for n := 1; n <= 5; n++ {
		if err := c.settled(instances(n)...); err != nil {
			return err
		}
		if err := c.put(); err != nil {
			return err
		}
		y, err := c.first()
		if err != nil {
			return err
		}
		if len(y.set) > 0 {
			return fmt.Errorf("want an empty set, have %v", y)
		}
	}
	return nil
}

// settled puts the instances, and waits until a new watch has them.
func (c *cell) settled(list ...sd.Instance) error {
	if err := c.put(list...); err != nil {
		return err
	}
	return c.now(list...)
}

func deregisterTwice(c *cell) error {
	r, err := c.register(c.ctx, c.service, instance(1))
	if err != nil {
		return err
	}
	if err := errors.Join(c.put(instances(2)...), c.now(instances(1, 2)...)); err != nil {
		return err
	}
	var group sync.WaitGroup
	errs := make([]error, 4)
	for n := range errs {
		group.Go(func() { errs[n] = c.deregister(r) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := c.now(instances(2)...); err != nil {
		return err
	}
	if err := c.deregister(r); err != nil {
		return fmt.Errorf("again: %w", err)
	}
	return c.now(instances(2)...)
}

func deregisterCanceled(c *cell) error {
	r, err := c.register(c.ctx, c.service, instance(1))
	if err != nil {
		return err
	}
	if err := c.now(instances(1)...); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	err = within(Prompt, "deregister with a ctx that has ended", func() error { return r.deregister(ctx) })
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("want the error of ctx, have %w", told(err))
	}
	if err := c.now(); err != nil {
		return err
	}
	if err := c.deregister(r); err != nil {
		return fmt.Errorf("again, with another ctx: %w", err)
	}
	return nil
}

func endOfContext(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	r, err := c.register(ctx, c.service, instance(1))
	if err != nil {
		return err
	}
	if _, err := l.set(instances(1)...); err != nil {
		return err
	}
	cancel()
	if _, err := l.set(); err != nil {
		return err
	}
	if err := c.deregister(r); err != nil {
		return fmt.Errorf("after the end of ctx: %w", err)
	}
	return c.now()
}

func replaces(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	registrar, err := c.h.Registrar(c.service)
	if err != nil {
		return fmt.Errorf("making a Registrar: %w", err)
	}
	list := instances(1, 2, 3)
	for n, i := range list {
		i.ID = "i-01"
		if n < 2 {
			_, err = c.registerWith(c.ctx, registrar, i) // from here
		} else {
			_, err = c.register(c.ctx, c.service, i) // from elsewhere
		}
		if err != nil {
			return err
		}
		if _, err := l.set(i); err != nil {
			return err
		}
	}
	_, err = l.set(list[2])
	return err
}

// replacedLeaves is what happens when an instance is started anew before the old one has ended.
func replacedLeaves(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	old, later := instance(1), instance(2)
	later.ID = old.ID
	replaced, err := c.register(c.ctx, c.service, old)
	if err != nil {
		return err
	}
	if _, err := l.set(old); err != nil {
		return err
	}
	if err := c.steps(l, []sd.Instance{later}); err != nil {
		return err
	}
	n := l.count()
	if err := c.deregister(replaced); err != nil {
		return err
	}
	if err := c.steps(l, []sd.Instance{later, instance(3)}); err != nil {
		return fmt.Errorf("after %v, which was replaced, was deregistered: %w", old, err)
	}
	for _, y := range l.history(n) {
		if !slices.Contains(y.addresses(), later.Address) {
			return fmt.Errorf("after %v, which was replaced, was deregistered: have %v", old, y)
		}
	}
	return l.quiet()
}

func registersAgain(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	if err := c.steps(l, instances(1, 2)); err != nil {
		return err
	}
	for range 2 {
		if err := c.h.Forget(c.service, instance(1)); err != nil {
			return fmt.Errorf("letting the registry lose %v: %w", instance(1), err)
		}
		if err := c.now(instances(1, 2)...); err != nil {
			return fmt.Errorf("after the registry has lost %v: %w", instance(1), err)
		}
		if err := c.steps(l, instances(1, 2, 3), instances(1, 2)); err != nil {
			return fmt.Errorf("after the registry had lost %v: %w", instance(1), err)
		}
	}
	if err := c.put(instances(2)...); err != nil {
		return err
	}
	return c.now(instances(2)...)
}

func registerCanceled(c *cell) error {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	if _, err := c.register(ctx, c.service, instance(1)); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("want the error of ctx, have %w", told(err))
	}
	return c.settled(instances(2)...)
}

func registerInvalid(c *cell) error {
	var errs []error
	bad := map[string]func(i *sd.Instance){
		"no address":               func(i *sd.Instance) { i.Address = "" },
		"a negative weight":        func(i *sd.Instance) { i.Weight = -1 },
		"too large a weight":       func(i *sd.Instance) { i.Weight = sd.MaxWeight + 1 },
		"an ID with a line end":    func(i *sd.Instance) { i.ID = "a\nb" },
		"a zone that is not UTF-8": func(i *sd.Instance) { i.Zone = "\xff" },
		"an empty tag":             func(i *sd.Instance) { i.Tags = []string{""} },
		"metadata without a key":   func(i *sd.Instance) { i.Metadata = map[string]string{"": "x"} },
	}
	for name, change := range bad {
		i := instance(1)
		change(&i)
		if _, err := c.register(c.ctx, c.service, i); err == nil || !strings.Contains(err.Error(), i.Check().Error()) {
			errs = append(errs, fmt.Errorf("%s: want an error with %w, have %w", name, i.Check(), told(err)))
		}
	}
	return errors.Join(append(errs, c.settled(instances(2)...))...)
}

func registerMany(c *cell) error {
	registrar, err := c.h.Registrar(c.service)
	if err != nil {
		return fmt.Errorf("making a Registrar: %w", err)
	}
	const many = 20
	var (
		group sync.WaitGroup
		all   = make([]sd.Instance, many)
		made  = make([]*registration, many)
		errs  = make([]error, many)
	)
	for n := range all {
		all[n] = instance(n + 1)
		group.Go(func() { made[n], errs[n] = c.registerWith(c.ctx, registrar, all[n]) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := c.now(all...); err != nil {
		return err
	}
	for n := range many / 2 {
		group.Go(func() { errs[n] = c.deregister(made[n]) })
	}
	group.Wait()
	return errors.Join(append(errs, c.now(all[many/2:]...))...)
}
