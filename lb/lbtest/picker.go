package lbtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
)

var pickerChecks = []check{
	{
		name: "KeepsSlice", run: keepsSlice,
		clause: "Picker changes nothing of the slice that it is given, and Pick does not.",
	},
	{
		name: "EarlierPicker", run: earlierPicker,
		clause: "An earlier Picker is still in use when Picker is called anew with other nodes.",
	},
	{
		name: "Measures", run: measures,
		clause: "Measures says the same each time.",
	},
	{
		name: "Concurrent", run: concurrent,
		clause: "A Picker is safe for concurrent use, also while others are made.",
	},
}

func keepsSlice(t *testing.T, h *Harness) error {
	t.Helper()
	nodes := h.nodes(t, 20, func(i int) int { return 20 - i })
	before := slices.Clone(nodes)
	picker := h.New().Picker(nodes)
	for i := range 100 {
		picker.Pick(h.context(i), nodes[:i%20])
	}
	if !slices.Equal(before, nodes) {
		return errors.New("the order of the nodes is another now")
	}
	return nil
}

func earlierPicker(t *testing.T, h *Harness) error {
	t.Helper()
	policy := h.New()
	many := h.nodes(t, 50, rising)
	before := policy.Picker(many)
	few := policy.Picker(many[10:13])
	more := policy.Picker(h.nodes(t, 100, equal))
	for i := range 1000 {
		ctx := h.context(i)
		if err := errors.Join(inRange(before.Pick(ctx, nil), many), inRange(few.Pick(ctx, nil), many[:3]),
			inRange(more.Pick(ctx, nil), make([]*lb.Node, 100))); err != nil {
			return err
		}
	}
	for _, n := range []int{50, 3} {
		picker := map[int]lb.Picker{50: before, 3: few}[n]
		for i, c := range count(h, picker, n, 20_000) {
			if c == 0 {
				return fmt.Errorf("of the %d nodes of an earlier Picker it never picks number %d", n, i)
			}
		}
	}
	return nil
}

func measures(t *testing.T, h *Harness) error {
	t.Helper()
	policy := h.New()
	want := policy.Measures()
	policy.Picker(h.nodes(t, 3, equal))
	for range 10 {
		if policy.Measures() != want || h.New().Measures() != want {
			return errors.New("it says now true and now false")
		}
	}
	return nil
}

func concurrent(t *testing.T, h *Harness) error {
	t.Helper()
	const callers, picks, n = 4, 2000, 20
	policy := h.New()
	s := open(t, h, n, rising)
	nodes := s.nodes
	shared := policy.Picker(nodes)
	errs := make(chan error, callers+1)
	work := func(f func() error) func() {
		return func() {
			defer func() {
				if v := recover(); v != nil {
					errs <- fmt.Errorf("panic: %v", v)
				}
			}()
			errs <- f()
		}
	}
	var group sync.WaitGroup
	for range callers {
		group.Go(work(func() error {
			for i := range picks {
				have := shared.Pick(h.context(i), nil)
				if err := inRange(have, nodes); err != nil {
					return err
				}
				end := s.begin(have)
				if i%7 == 0 {
					end(errFailed)
				} else {
					end(nil)
				}
			}
			return nil
		}))
	}
	group.Go(work(func() error {
		for i := range picks / 20 {
			few := nodes[:1+i%n]
			if err := inRange(policy.Picker(few).Pick(h.context(i), nil), few); err != nil {
				return err
			}
		}
		return nil
	}))
	group.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}
