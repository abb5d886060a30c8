package sdtest

import (
	"context"
	"fmt"
	"sync"
)

func endChecks() []check {
	return []check{{
		name:   "EndByContext",
		clause: "the loop ends when ctx does, at once and without a last error",
		run:    endByContext,
	}, {
		name:   "EndByLeaving",
		clause: "the loop can be left at each turn, which ends it at once, and no other",
		run:    endByLeaving,
	}, {
		name:   "LeavesNothing",
		clause: "when the loop has ended nothing of the watch remains",
		run:    leavesNothing,
	}}
}

func endByContext(c *cell) error {
	instancer, err := c.instancer(c.service)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	before := c.newLoop(ctx, cancel)
	before.run(instancer)
	if err := before.ended(Prompt); err != nil {
		return fmt.Errorf("of a ctx that has ended before: %w", err)
	}
	if have := before.history(0); len(have) > 0 {
		return fmt.Errorf("want nothing with a ctx that has ended before, have %v", have)
	}

	waiting := c.watchOf(instancer, nil)
	if err := c.steps(waiting, instances(1)); err != nil {
		return err
	}
	waiting.cancel()
	if err := waiting.ended(Prompt); err != nil {
		return fmt.Errorf("that waits: %w", err)
	}

	atOnce := c.watchOf(instancer, nil)
	atOnce.cancel()
	if err := atOnce.ended(Prompt); err != nil {
		return fmt.Errorf("that has just begun: %w", err)
	}

	var busy *loop
	ready := make(chan struct{})
	busy = c.watchOf(instancer, func(yielded) bool {
		<-ready
		busy.cancel()
		return false
	})
	close(ready)
	if err := busy.ended(Prompt); err != nil {
		return fmt.Errorf("whose ctx ends in a turn: %w", err)
	}
	if have := busy.history(0); len(have) > 1 {
		return fmt.Errorf("want nothing after the turn in which ctx ends, have %v", have)
	}
	for _, l := range []*loop{waiting, atOnce, busy} {
		if err := l.quiet(); err != nil {
			return err
		}
	}
	return nil
}

func endByLeaving(c *cell) error {
	instancer, err := c.instancer(c.service)
	if err != nil {
		return err
	}
	stays := c.watchOf(instancer, nil)
	later := c.watchOf(instancer, func(y yielded) bool { return len(y.set) > 0 })
	first := c.watchOf(instancer, func(yielded) bool { return true })
	if _, err := first.await(0, "a set", func(yielded) bool { return true }); err != nil {
		return err
	}
	if err := first.ended(Prompt); err != nil {
		return fmt.Errorf("left in the first turn: %w", err)
	}
	if err := c.put(instances(1)...); err != nil {
		return err
	}
	if _, err := later.await(0, "a set with an instance", func(y yielded) bool { return len(y.set) > 0 }); err != nil {
		return err
	}
	if err := later.ended(Prompt); err != nil {
		return fmt.Errorf("left in a later turn: %w", err)
	}
	return c.steps(stays, instances(1), instances(1, 2))
}

func leavesNothing(c *cell) error {
	instancer, err := c.instancer(c.service)
	if err != nil {
		return err
	}
	if err := c.put(instances(1)...); err != nil {
		return err
	}
	leave := make(chan struct{})
	all := sync.OnceFunc(func() { close(leave) })
	defer all()
	loops := make([]*loop, c.h.Watches)
	for n := range loops {
		if n%2 == 0 {
			loops[n] = c.watchOf(instancer, nil)
			continue
		}
		loops[n] = c.watchOf(instancer, func(y yielded) bool {
			if y.err != nil || len(y.set) == 0 {
				return false
			}
			<-leave
			return true
		})
	}
	for _, l := range loops {
		if _, err := l.set(instances(1)...); err != nil {
			return err
		}
		l.onlyCancel()
	}
	all()
	for _, l := range loops {
		if err := l.ended(Prompt); err != nil {
			return err
		}
	}
	return c.remains(len(loops))
}

// onlyCancel cancels a loop that does not leave by itself.
func (l *loop) onlyCancel() {
	if l.leave == nil {
		l.cancel()
	}
}
