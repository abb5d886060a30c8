package ratelimittest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
)

func begins(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	d, err := t.must("a", 0)
	if err != nil {
		return err
	}
	if d.Remaining != t.limit.Capacity() || d.Reset != 0 {
		return fmt.Errorf("want a Remaining of %d and no Reset, have %+v", t.limit.Capacity(), d)
	}
	return t.all("a")
}

func countsDown(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	for left := t.limit.Capacity() - 1; left >= 0; left-- {
		d, err := t.must("a", 1)
		if err != nil {
			return fmt.Errorf("with %d taken: %w", t.taken, err)
		}
		if most := left + t.back(time.Since(t.start)+h.Precision); d.Remaining < left || d.Remaining > most {
			return fmt.Errorf("with %d taken: want a Remaining from %d to %d, have %+v", t.taken, left, most, d)
		}
	}
	_, err = t.mustNot(1)
	return err
}

func allOrNothing(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	if _, err := t.must("a", 7); err != nil {
		return err
	}
	for range 5 {
		if _, err := t.mustNot(4); err != nil {
			return err
		}
	}
	if t.taken > 7 {
		return nil // it took so long that there was more
	}
	if _, err := t.must("a", 3); err != nil {
		return fmt.Errorf("after refusals of 4 where there were 3: %w", err)
	}
	return nil
}

func looks(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	for range 2 * t.limit.Capacity() {
		if _, err := t.must("a", 0); err != nil {
			return err
		}
	}
	if err := t.all("a"); err != nil {
		return fmt.Errorf("after looking: %w", err)
	}
	_, err = t.must("a", 0)
	return err
}

func costs(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	if _, err := t.must("a", 1); err != nil {
		return err
	}
	for _, n := range []int{11, math.MaxInt, -1, -5, math.MinInt} {
		d, err := t.limiter.Take(context.Background(), "a", n)
		if err := costError(n, t.limit, err); err != nil {
			return err
		}
		if d != (ratelimit.Decision{}) {
			return fmt.Errorf("taking %d: want the zero Decision beside the error, have %+v", n, d)
		}
	}
	if _, err := t.must("a", 9); err != nil {
		return fmt.Errorf("after costs that are none: %w", err)
	}
	_, err = t.mustNot(1)
	return err
}

func keys(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	const long = 10_000
	names := []string{
		"", "b", "B", "b ", " b", "b\x00", "\x00", "b\n", "{b}", "b}", "{", "b:c", "b*", "ü", "\xff", "%62",
		strings.Repeat("b", long), strings.Repeat("b", long-1) + "c", strings.Repeat("b", long+1),
	}
	for _, name := range names {
		if err := t.all(name); err != nil {
			return fmt.Errorf("when others had taken all of theirs: %w", err)
		}
	}
	if since := time.Since(t.start); t.back(since+h.Precision) > 0 {
		return nil // too late to see that all was taken
	}
	for _, name := range names {
		if d, err := t.take(name, 1); err != nil || d.Allowed && t.back(time.Since(t.start)+h.Precision) == 0 {
			return fmt.Errorf("the key %.20q, all of which was taken: want a refusal, have %+v, %w", name, d, orNone(err))
		}
	}
	return nil
}

func large(h *Harness) error {
	const million = 1_000_000
	for _, limit := range []ratelimit.Limit{
		{Events: million, Period: time.Hour}, {Events: 1, Period: 365 * 24 * time.Hour}, {Events: 3 * million, Period: 7 * 24 * time.Hour},
	} {
		t, err := h.taker(limit)
		if err != nil {
			return err
		}
		some := max(limit.Events/3, 1)
		for rest := limit.Events; rest > 0; rest -= some {
			if _, err := t.must("a", min(some, rest)); err != nil {
				return fmt.Errorf("%v, with %d taken: %w", limit, t.taken, err)
			}
		}
		if _, err := t.mustNot(some); err != nil {
			return fmt.Errorf("%v: %w", limit, err)
		}
	}
	return nil
}

func atOnce(h *Harness) error {
	t, err := h.taker(ratelimit.Limit{Events: 100, Period: 10 * h.Period})
	if err != nil {
		return err
	}
	const goroutines, each = 8, 25
	errs := make([]error, goroutines)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			<-begin
			for range each {
				if _, err := t.take("a", 1); err != nil {
					errs[g] = err
				}
			}
		})
	}
	close(begin)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if t.taken < t.limit.Capacity() {
		return fmt.Errorf("%d of %d were allowed to %d goroutines that asked for %d together",
			t.taken, t.limit.Capacity(), goroutines, goroutines*each)
	}
	return t.bounded()
}

func ended(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d, err := t.limiter.Take(ctx, "a", 1)
	switch {
	case err == nil:
		return t.sound(d, 1)
	case !errors.Is(err, context.Canceled) || d != (ratelimit.Decision{}):
		return fmt.Errorf("want what ctx says, and the zero Decision, have %+v, %w", d, err)
	}
	return t.all("a")
}
