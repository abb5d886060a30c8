package sdtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

func outageChecks() []check {
	watches, registrations := []string{needOutage}, []string{needOutage, needRegistrar}
	return []check{{
		name:   "OutageKeeps",
		clause: "when the registry cannot be reached an error says so, and the set that was yielded last stays in force, whole",
		needs:  watches,
	}, {
		name:   "OutageQuiet",
		clause: "during an outage the watch goes on by itself, with growing delays",
		needs:  watches,
	}, {
		name:   "OutageBegins",
		clause: "a watch that begins during an outage says that the registry cannot be reached, not that there is nothing",
		needs:  watches,
	}, {
		name:   "OutageEnds",
		clause: "also during an outage the loop ends at once when ctx does or when it is left, and nothing of it remains",
		needs:  watches,
	}, {
		name:   "OutageRegister",
		clause: "Register fails within its limit when the registry cannot be reached, and leaves nothing behind",
		needs:  registrations,
	}, {
		name:   "OutageDeregister",
		clause: "the ctx of deregister limits it during an outage, and the instance is gone when the registry is back",
		needs:  registrations,
	}, {
		name:   "RestartReports",
		clause: "the next set after an error is yielded also when it equals the last, and later changes are seen",
		needs:  watches,
	}, {
		name:   "RestartKeeps",
		clause: "when the registry is back nothing is missing from a set, not for a moment",
		needs:  watches,
	}, {
		name:   "RestartRegistered",
		clause: "Register keeps the instance announced, also when the registry was away",
		needs:  registrations,
	}}
}

// away is one outage, which the checks of it share.
type away struct {
	*cell

	length time.Duration
	seen   map[string][]*Violation

	keeps, canceled, left, begun *loop
	withdrawn                    *registration // in the service of withdrawing, which is to be withdrawn during the outage
	registered                   chan error    // what Register has said in the outage
	withdrawing, late, leaving   *cell         // services of their own
	from                         int           // the first turn of keeps in the outage
}

// outage runs the outage, and returns what is wrong by the names of the checks.
func (c *cell) outage() map[string][]*Violation {
	a := &away{cell: c, length: Outage, seen: make(map[string][]*Violation)}
	a.withdrawing, a.late, a.leaving = newCell(c.h), newCell(c.h), newCell(c.h)
	if testing.Short() {
		a.length = ShortOutage
	}
	if err := contain(a.run); err != nil {
		for _, check := range outageChecks() {
			a.wrong(check.name, err)
		}
	}
	for _, one := range []*cell{c, a.withdrawing, a.late, a.leaving} {
		a.wrong("OutageEnds", one.settle())
	}
	for _, one := range []*cell{c, a.withdrawing, a.late, a.leaving} {
		a.seen["OutageKeeps"] = append(a.seen["OutageKeeps"], one.broken...)
	}
	return a.seen
}

// wrong notes what is wrong in the eyes of one check.
func (a *away) wrong(check string, err error) {
	if err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.seen[check] = append(a.seen[check], violation(check, err))
	}
}

func isError(y yielded) bool { return y.err != nil }

// run returns an error for what keeps all checks from saying anything.
func (a *away) run() error {
	if err := a.before(); err != nil {
		return fmt.Errorf("before the outage: %w", err)
	}
	a.from = a.keeps.count()
	began := time.Now()
	restore, err := a.h.Outage()
	if err != nil {
		return fmt.Errorf("stopping the registry: %w", err)
	}
	over := time.NewTimer(a.length)
	defer over.Stop()
	a.during()
	<-over.C
	a.counted(time.Since(began))
	till := a.keeps.count()
	if err := restore(); err != nil {
		return fmt.Errorf("starting the registry again: %w", err)
	}
	a.after(till)
	return nil
}

func (a *away) before() (err error) {
	instancer, err := a.instancer(a.service)
	if err != nil {
		return err
	}
	a.keeps, a.canceled = a.watchOf(instancer, nil), a.watchOf(instancer, nil)
	a.left = a.watchOf(instancer, isError)
	if err := a.put(instances(1, 2)...); err != nil {
		return err
	}
	for _, l := range []*loop{a.keeps, a.canceled, a.left} {
		if _, err := l.set(instances(1, 2)...); err != nil {
			return err
		}
	}
	if a.h.Registrar == nil {
		return nil
	}
	if a.withdrawn, err = a.withdrawing.register(a.ctx, a.withdrawing.service, instance(1)); err != nil {
		return err
	}
	return a.withdrawing.now(instance(1))
}

// during looks at what happens during the outage.
func (a *away) during() {
	a.registered = make(chan error, 1)
	if a.h.Registrar != nil {
		go func() { a.registered <- contain(a.registers) }()
	}
	_, err := a.keeps.await(a.from, "an error", isError)
	a.wrong("OutageKeeps", err)
	a.begins()
	a.ends()
	if a.h.Registrar != nil {
		a.deregisters()
	}
}

// registers tries Register during the outage, for half of it.
func (a *away) registers() error {
	ctx, cancel := context.WithTimeout(a.ctx, a.length/2)
	defer cancel()
	r, err := a.late.register(ctx, a.late.service, instance(1))
	if err == nil {
		return fmt.Errorf("want an error, and %v was registered", r.instance)
	}
	if errors.As(err, new(*lateError)) {
		return err
	}
	return nil
}

func (a *away) begins() {
	begun, err := a.watch()
	if err != nil {
		a.wrong("OutageBegins", err)
		return
	}
	a.begun = begun
	y, err := begun.await(0, "an error", func(yielded) bool { return true })
	if err == nil && y.err == nil {
		err = fmt.Errorf("want an error, have %v", y)
	}
	a.wrong("OutageBegins", err)
}

func (a *away) ends() {
	if _, err := a.canceled.await(0, "an error", isError); err != nil {
		a.wrong("OutageEnds", err)
	}
	a.canceled.cancel()
	a.wrong("OutageEnds", a.canceled.ended(Prompt))
	if _, err := a.left.await(0, "an error", isError); err != nil {
		a.wrong("OutageEnds", err)
	}
	a.wrong("OutageEnds", a.left.ended(Prompt))
	soon, err := a.watch()
	if err != nil {
		a.wrong("OutageEnds", err)
		return
	}
	soon.cancel()
	a.wrong("OutageEnds", soon.ended(Prompt))
	a.wrong("OutageEnds", a.leaves())
}

// leaves lets many watches begin and end during the outage.
func (a *away) leaves() error {
	instancer, err := a.leaving.instancer(a.leaving.service)
	if err != nil {
		return err
	}
	loops := make([]*loop, a.h.Watches)
	for n := range loops {
		var leave func(y yielded) bool
		if n%2 == 1 {
			leave = isError
		}
		loops[n] = a.leaving.watchOf(instancer, leave)
	}
	for _, l := range loops {
		if _, err := l.await(0, "an error", isError); err != nil {
			return err
		}
		l.onlyCancel()
	}
	for _, l := range loops {
		if err := l.ended(Prompt); err != nil {
			return err
		}
	}
	return a.leaving.remains(len(loops))
}

func (a *away) deregisters() {
	const wait = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), wait)
	defer cancel()
	err := within(wait+Prompt, "deregister", func() error { return a.withdrawn.deregister(ctx) })
	switch {
	case err == nil:
		a.wrong("OutageDeregister", errors.New("want an error, since the registry cannot be reached, have none"))
	case errors.As(err, new(*lateError)):
		a.wrong("OutageDeregister", err)
	}
}

// counted looks at what was yielded until the end of the outage.
func (a *away) counted(lasted time.Duration) {
	const (
		first     = 10 // what is tried at once, when connections break
		perSecond = 4
	)
	limit := first + perSecond*int(lasted/time.Second)
	for _, l := range []*loop{a.keeps, a.begun} {
		if l == nil {
			continue
		}
		if n := len(l.history(0)); n > limit {
			a.wrong("OutageQuiet", fmt.Errorf("want at most %d turns of the loop in %v, have %d: %s", limit, lasted, n, l))
		}
	}
	a.wrong("OutageKeeps", a.complete(a.keeps.history(a.from)))
	if a.begun != nil {
		for _, y := range a.begun.history(0) {
			if y.err == nil {
				a.wrong("OutageBegins", fmt.Errorf("want errors only, have %v", y))
				break
			}
		}
	}
}

// complete returns an error if one of the sets lacks an instance that is there all the time.
func (a *away) complete(all []yielded) error {
	for _, y := range all {
		for _, i := range instances(1, 2) {
			if y.err == nil && !slices.Contains(y.addresses(), i.Address) {
				return fmt.Errorf("%v is missing from %v", i, y.set)
			}
		}
	}
	return nil
}

// after looks at what happens when the registry is back, from that turn on.
func (a *away) after(from int) {
	_, err := a.keeps.setFrom(from, instances(1, 2)...)
	a.wrong("RestartReports", err)
	if a.h.Registrar != nil {
		a.wrong("RestartRegistered", a.now(instances(1, 2)...))
	}
	for _, list := range [][]sd.Instance{instances(1, 2, 3), instances(1, 2)} {
		if err := a.retry(func() error { return a.put(list...) }); err != nil {
			a.wrong("RestartReports", err)
			break
		}
		_, err := a.keeps.set(list...)
		a.wrong("RestartReports", err)
		if a.begun != nil {
			_, err = a.begun.set(list...)
			a.wrong("RestartReports", err)
		}
	}
	a.wrong("RestartKeeps", a.complete(a.keeps.history(from)))
	if a.h.Registrar == nil {
		return
	}
	a.wrong("RestartRegistered", a.now(instances(1, 2)...))
	a.wrong("OutageDeregister", a.withdrawing.now())
	a.wrong("OutageRegister", <-a.registered)
	a.wrong("OutageRegister", a.retry(func() error { return a.late.settled(instances(2)...) }))
}

// retry calls f until it returns nil, for as long as a registry takes that was just started.
func (a *away) retry(f func() error) error {
	const again = 200 * time.Millisecond
	timer, tick := time.NewTimer(a.h.Limit), time.NewTicker(again)
	defer timer.Stop()
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-timer.C:
			return err
		}
	}
}
