package ratelimittest

import (
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
)

func retryAfter(h *Harness) error {
	for _, n := range []int{1, 4, 10} {
		t, err := h.ten()
		if err != nil {
			return err
		}
		if err := t.all("a"); err != nil {
			return err
		}
		before := time.Now()
		d, err := t.mustNot(n)
		if err != nil {
			return err
		}
		after := time.Now()
		if d.Allowed {
			continue // it took so long that there was more
		}
		pause(d.RetryAfter / 2)
		early, err := t.take("a", n)
		if err != nil {
			return err
		}
		if early.Allowed {
			if time.Since(before) < d.RetryAfter-h.Precision-time.Nanosecond {
				return fmt.Errorf("%d were refused, for %v, and allowed after %v", n, d.RetryAfter, time.Since(before))
			}
			continue
		}
		pause(d.RetryAfter - time.Since(after))
		if _, err := t.must("a", n); err != nil {
			return fmt.Errorf("after the RetryAfter of %v: %w", d.RetryAfter, err)
		}
	}
	return nil
}

func reset(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	before := time.Now()
	d, err := t.must("a", 5)
	if err != nil {
		return err
	}
	after := time.Now()
	want := t.limit.Fill(5)
	if h.Window {
		want = t.limit.Period
	}
	if err := t.exactly("Reset with 5 of 10 taken", want, d.Reset, before); err != nil {
		return err
	}
	pause(d.Reset - time.Since(after))
	if err := t.all("a"); err != nil {
		return fmt.Errorf("after the Reset of %v: %w", d.Reset, err)
	}
	return t.bounded()
}

func noMore(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	if err := t.all("a"); err != nil {
		return err
	}
	pause(3 * h.Period)
	t.start, t.taken = time.Now(), 0
	if err := t.all("a"); err != nil {
		return err
	}
	_, err = t.mustNot(1)
	return err
}

// rate takes whenever it may, for three periods.
func rate(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	const periods = 3
	for time.Since(t.start) < periods*h.Period {
		d, err := t.take("a", 1)
		if err != nil {
			return err
		}
		if d.Allowed {
			err = t.bounded()
		} else {
			pause(d.RetryAfter)
		}
		if err != nil {
			return err
		}
	}
	least := t.limit.Capacity() + (periods-1)*t.limit.Events
	if t.taken < least && time.Since(t.start) < (periods+1)*h.Period { // else the machine was too slow to take them
		return fmt.Errorf("%d were allowed in %d periods, want %d or more", t.taken, periods, least)
	}
	return nil
}

func evenly(h *Harness) error {
	t, err := h.ten()
	if err != nil {
		return err
	}
	if err := t.all("a"); err != nil {
		return err
	}
	before := time.Now()
	one := t.limit.Fill(1)
	for i := range 3 {
		d, err := t.take("a", 1)
		if err != nil {
			return err
		}
		if d.Allowed {
			if err := t.bounded(); err != nil {
				return err
			}
			continue
		}
		if d.RetryAfter > one+h.Precision+time.Nanosecond {
			return fmt.Errorf("with %d taken one by one: want the next after %v at most, have %v", i, one, d.RetryAfter)
		}
		pause(d.RetryAfter)
		if _, err := t.must("a", 1); err != nil {
			return fmt.Errorf("%v after all was taken: %w", time.Since(before), err)
		}
	}
	return t.bounded()
}

func bursts(h *Harness) error {
	for _, burst := range []int{1, 3, 25} {
		t, err := h.taker(ratelimit.Limit{Events: 10, Period: h.Period, Burst: burst})
		if err != nil {
			return err
		}
		if err := t.all("a"); err != nil {
			return err
		}
		if _, err := t.mustNot(1); err != nil {
			return fmt.Errorf("%v: %w", t.limit, err)
		}
	}
	return nil
}

func fractions(h *Harness) error {
	for _, events := range []int{3, 7} {
		t, err := h.taker(ratelimit.Limit{Events: events, Period: h.Period})
		if err != nil {
			return err
		}
		for range events {
			if _, err := t.must("a", 1); err != nil {
				return fmt.Errorf("%v, with %d taken: %w", t.limit, t.taken, err)
			}
		}
		d, err := t.mustNot(1)
		if err != nil {
			return fmt.Errorf("%v: %w", t.limit, err)
		}
		pause(d.RetryAfter)
		if _, err := t.must("a", 1); err != nil {
			return fmt.Errorf("%v, after the RetryAfter of %v: %w", t.limit, d.RetryAfter, err)
		}
	}
	return nil
}
