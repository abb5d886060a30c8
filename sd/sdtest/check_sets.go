package sdtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// instance returns the nth instance of a check.
func instance(n int) sd.Instance {
	return sd.Instance{ID: fmt.Sprintf("i-%02d", n), Address: fmt.Sprintf("192.0.2.%d:%d", n, 8000+n)}
}

// instances returns those with the numbers.
func instances(numbers ...int) []sd.Instance {
	all := make([]sd.Instance, len(numbers))
	for i, n := range numbers {
		all[i] = instance(n)
	}
	return all
}

func setChecks() []check {
	return []check{{
		name:   "FullSets",
		clause: "a set is always the whole of it, never a difference from the last",
		run:    fullSets,
	}, {
		name:   "Empty",
		clause: "Watch yields the set of instances as soon as it is known, also when it is empty, and then each time that it has changed",
		run:    empty,
	}, {
		name:   "Order",
		clause: "a set is as Normalize makes it: sorted by ID, with sorted tags, and of two with one ID or one address only the first",
		run:    order,
	}, {
		name:   "Duplicates",
		clause: "of two instances with one address only one is in the set, and always the same",
		run:    duplicates,
	}, {
		name:   "EqualSets",
		clause: "no set equals the one before it, but for the first after an error",
		run:    equalSets,
	}, {
		name:   "NewestOnly",
		clause: "a set is the newest: what came and went while the loop was busy is not seen",
		run:    newestOnly,
	}, {
		name:   "SlowConsumer",
		clause: "a loop that is busy holds up neither other watches nor registrations, and is seen to end",
		run:    slowConsumer,
	}, {
		name:   "Update",
		clause: "each change of an instance changes the set, and an instance with the ID of another takes its place",
		run:    update,
	}, {
		name:   "ManyWatches",
		clause: "an Instancer is safe for concurrent use: each of many watches yields every newest set",
		run:    manyWatches,
	}, {
		name:   "Errors",
		clause: "an entry that is no instance is left out, and said to be by an *sd.InvalidError with a nil set; it ends nothing",
		needs:  []string{needCorrupt},
		run:    invalidEntry,
	}}
}

// steps puts one list of instances after the other, and waits until the loop has seen each.
func (c *cell) steps(l *loop, lists ...[]sd.Instance) error {
	for _, list := range lists {
		if err := c.put(list...); err != nil {
			return err
		}
		if _, err := l.set(list...); err != nil {
			return err
		}
	}
	return nil
}

// quiet returns an error if the loop was given one, which nothing is the reason for.
func (l *loop) quiet() error {
	for _, y := range l.history(0) {
		if y.err != nil {
			return fmt.Errorf("an error without a reason: %w", y.err)
		}
	}
	return nil
}

func fullSets(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	err = c.steps(l, instances(1), instances(1, 2), instances(1, 2, 3), instances(2, 3), instances(2), instances(2, 4))
	if err != nil {
		return err
	}
	seen := false
	for _, y := range l.history(0) {
		has := slices.Contains(y.addresses(), instance(2).Address)
		if y.err == nil && seen && !has {
			return fmt.Errorf("%v has been there all the time, and is not in %v", instance(2), y.set)
		}
		seen = seen || has
	}
	return l.quiet()
}

func empty(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	first, err := l.await(0, "an empty set at first", func(yielded) bool { return true })
	if err != nil {
		return err
	}
	if first.err != nil || len(first.set) > 0 {
		return fmt.Errorf("want an empty set at first, have %v", first)
	}
	if err := c.steps(l, instances(1), nil, instances(1, 2), nil); err != nil {
		return err
	}
	return l.quiet()
}

func order(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	all := instances(7, 3, 9, 1)
	for n := range all {
		all[n].Tags = []string{"z", "a", "m", "a"}
	}
	if err := c.steps(l, all[:2], all, all[1:]); err != nil {
		return err
	}
	return l.quiet()
}

func duplicates(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	one, two := instance(1), instance(1)
	two.ID = "i-02"
	list := []sd.Instance{one}
	if err := c.steps(l, list); err != nil {
		return err
	}
	if err := c.put(one, two); err != nil {
		return err
	}
	var known string
	for n := 3; n < 9; n++ { // a choice by chance is not the same so often
		list = append(list, instance(n))
		if err := c.put(append([]sd.Instance{two}, list...)...); err != nil {
			return err
		}
		y, err := l.set(list...)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(y.set, func(i sd.Instance) bool { return i.Address == one.Address })
		if id := y.set[i].ID; known == "" {
			known = id
		} else if id != known {
			return fmt.Errorf("of two instances with one address %s was there, and now it is %s", known, id)
		}
	}
	return l.quiet()
}

func equalSets(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	if err := c.steps(l, instances(1, 2)); err != nil {
		return err
	}
	for n := range 3 {
		c.kept = map[string]*registration{} // so that they are put again
		if err := c.steps(l, instances(1, 2), instances(1, 2, 3+n), instances(1, 2)); err != nil {
			return err
		}
	}
	return l.quiet()
}

func newestOnly(c *cell) error {
	slow, err := c.watch()
	if err != nil {
		return err
	}
	fast, err := c.watch()
	if err != nil {
		return err
	}
	// What the registry has told one watch it may not have told another yet. So there is a time for that, which grows when it is not enough.
	var seen []yielded
	for _, grace := range []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 3 * time.Second} {
		if seen, err = c.missed(slow, fast, grace); seen == nil || err != nil {
			return err
		}
	}
	return fmt.Errorf("want only %v after the loop was busy, have %v", instances(4), seen)
}

// missed keeps the slow loop busy while things come and go, and returns what it got afterwards if that is more than the newest.
func (c *cell) missed(slow, fast *loop, grace time.Duration) ([]yielded, error) {
	if err := errors.Join(c.steps(fast, instances(1)), slow.awaitSet(instances(1))); err != nil {
		return nil, err
	}
	slow.hold()
	defer slow.release()
	if err := errors.Join(c.steps(fast, instances(1, 2)), slow.awaitSet(instances(1, 2))); err != nil { // it waits in this turn
		return nil, err
	}
	n := slow.count()
	err := c.steps(fast, instances(1, 2, 9), instances(1, 2), instances(1, 2, 3), instances(1, 3), instances(1, 3, 4), instances(4))
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	<-timer.C
	slow.release()
	if _, err := slow.setFrom(n, instances(4)...); err != nil {
		return nil, err
	}
	const enough = 2 // the newest, and one that the client had got hold of
	for i, y := range slow.history(n) {
		if i >= enough || slices.Contains(y.addresses(), instance(9).Address) {
			return slow.history(n), nil
		}
	}
	return nil, nil
}

func slowConsumer(c *cell) error {
	instancer, err := c.instancer(c.service)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	slow := c.newLoop(ctx, cancel)
	slow.hold()
	slow.run(instancer)
	if _, err := slow.await(0, "a set", func(yielded) bool { return true }); err != nil {
		return err
	}
	fast := c.watchOf(instancer, nil)
	if err := c.steps(fast, instances(1), instances(1, 2), instances(2, 3)); err != nil {
		return fmt.Errorf("beside a busy loop: %w", err)
	}
	late := c.watchOf(instancer, nil)
	if _, err := late.set(instances(2, 3)...); err != nil {
		return fmt.Errorf("begun beside a busy loop: %w", err)
	}
	late.cancel()
	if err := late.ended(Prompt); err != nil {
		return fmt.Errorf("beside a busy loop: %w", err)
	}
	n := slow.count()
	cancel()
	slow.release()
	if err := slow.ended(Prompt); err != nil {
		return fmt.Errorf("when it is no longer busy: %w", err)
	}
	if more := slow.history(n); len(more) > 0 {
		return fmt.Errorf("want nothing after the end of ctx, have %v", more)
	}
	return nil
}

func update(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	before, after := instance(1), instance(2)
	after.ID = before.ID
	if err := c.steps(l, []sd.Instance{before, instance(3)}, []sd.Instance{after, instance(3)}); err != nil {
		return err
	}
	if err := c.steps(l, []sd.Instance{after, instance(4)}); err != nil {
		return err
	}
	for _, y := range l.history(0) {
		if have := y.addresses(); slices.Contains(have, before.Address) && slices.Contains(have, after.Address) {
			return fmt.Errorf("%v has taken the place of %v, and both are in %v", after, before, y.set)
		}
	}
	return l.quiet()
}

func manyWatches(c *cell) error {
	instancer, err := c.instancer(c.service)
	if err != nil {
		return err
	}
	loops := make([]*loop, c.h.Watches)
	for n := range loops {
		loops[n] = c.watchOf(instancer, nil)
	}
	for _, list := range [][]sd.Instance{instances(1), instances(1, 2), instances(2)} {
		if err := c.put(list...); err != nil {
			return err
		}
		for n, l := range loops {
			if _, err := l.set(list...); err != nil {
				return fmt.Errorf("watch %d of %d: %w", n+1, len(loops), err)
			}
		}
	}
	return nil
}

func invalidEntry(c *cell) error {
	l, err := c.watch()
	if err != nil {
		return err
	}
	if err := c.steps(l, instances(1)); err != nil {
		return err
	}
	if err := c.h.Corrupt(c.service); err != nil {
		return fmt.Errorf("putting an entry that is no instance: %w", err)
	}
	y, err := l.await(0, "an *sd.InvalidError", func(y yielded) bool { return y.err != nil })
	if err != nil {
		return err
	}
	invalid, ok := errors.AsType[*sd.InvalidError](y.err)
	if !ok || invalid.Entry == "" || invalid.Err == nil || !strings.Contains(y.err.Error(), invalid.Entry) {
		return fmt.Errorf("want an *sd.InvalidError that names the entry and what is wrong, have %w", y.err)
	}
	if err := c.steps(l, instances(1, 2), instances(2)); err != nil {
		return fmt.Errorf("beside an entry that is no instance: %w", err)
	}
	late, err := c.watch()
	if err != nil {
		return err
	}
	if _, err := late.set(instances(2)...); err != nil {
		return fmt.Errorf("begun beside an entry that is no instance: %w", err)
	}
	const enough = 8 // for four changes
	if n := l.count(); n > 2*enough {
		return fmt.Errorf("want it said once, or at most at each change, have %s", l)
	}
	return nil
}
