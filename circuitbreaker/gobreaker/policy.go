// Package sonybreaker makes the breakers of github.com/sony/gobreaker, which open after so many failures and close again when some calls
// have succeeded, for package circuitbreaker:
//
//	breakers, err := circuitbreaker.New(sonybreaker.New(gobreaker.Settings{
//		Interval:    10 * time.Second,
//		Timeout:     5 * time.Second,
//		ReadyToTrip: func(c gobreaker.Counts) bool { return c.Requests >= 20 && c.TotalFailures*2 > c.Requests },
//	}))
//
// It is not called as its directory is, so that both can be imported.
package sonybreaker

import (
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

// New returns the Policy whose breakers have these settings, each with counts of its own. What the settings leave out is as gobreaker
// has it: open after six failures in a row, for 60 s, and closed after one success.
//
// OnStateChange is called as well; it runs while the breaker is locked, unlike that of circuitbreaker.OnChange. What is a failure is for
// circuitbreaker.Failure to say, so IsSuccessful and IsExcluded must be nil; else circuitbreaker.New fails. It fails, too, where gobreaker
// takes silently something else than what is written: a negative time, or a BucketPeriod of which the Interval is no multiple, or which
// makes more than 1000 buckets.
//
// For unary operations it is a gobreaker.CircuitBreaker, and for streams, and whoever uses a Breaker by itself, a TwoStepCircuitBreaker,
// whose Allow allocates once.
func New(settings gobreaker.Settings) circuitbreaker.DoerPolicy { return &policy{settings: settings} }

type policy struct{ settings gobreaker.Settings }

// Breaker implements circuitbreaker.Policy.
func (p *policy) Breaker(changed func(from, to circuitbreaker.State)) (circuitbreaker.Breaker, error) {
	b := new(twoStep)
	settings, err := p.bind(&b.gauge, changed)
	if err != nil {
		return nil, err
	}
	b.sony = gobreaker.NewTwoStepCircuitBreaker[any](settings)
	return b, nil
}

// Doer implements circuitbreaker.DoerPolicy.
func (p *policy) Doer(changed func(from, to circuitbreaker.State)) (circuitbreaker.Doer, error) {
	b := new(oneStep)
	settings, err := p.bind(&b.gauge, changed)
	if err != nil {
		return nil, err
	}
	b.sony = gobreaker.NewCircuitBreaker[any](settings)
	return b, nil
}

// bind returns the settings of a breaker that g measures.
func (p *policy) bind(g *gauge, changed func(from, to circuitbreaker.State)) (gobreaker.Settings, error) {
	settings := p.settings
	if err := check(settings); err != nil {
		return settings, fmt.Errorf("gobreaker: %w", err)
	}
	g.start, g.timeout = time.Now(), settings.Timeout
	if g.timeout == 0 {
		g.timeout = defaultTimeout
	}
	told := settings.OnStateChange
	settings.OnStateChange = func(name string, from, to gobreaker.State) {
		if to == gobreaker.StateOpen {
			g.until.Store(int64(time.Since(g.start) + g.timeout))
		}
		if changed != nil {
			changed(stateOf(from), stateOf(to))
		}
		if told != nil {
			told(name, from, to)
		}
	}
	settings.IsExcluded = func(err error) bool { return err != nil && errors.Is(err, circuitbreaker.ErrIgnored) }
	return settings, nil
}

// check refuses settings of which gobreaker would not do what they say.
func check(s gobreaker.Settings) error {
	switch {
	case s.IsSuccessful != nil:
		return errors.New("IsSuccessful is set; use circuitbreaker.Failure")
	case s.IsExcluded != nil:
		return errors.New("IsExcluded is set; use circuitbreaker.Failure")
	case s.Interval < 0:
		return fmt.Errorf("the Interval is %v, want 0 or more", s.Interval)
	case s.BucketPeriod < 0:
		return fmt.Errorf("the BucketPeriod is %v, want 0 or more", s.BucketPeriod)
	case s.Timeout < 0:
		return fmt.Errorf("the Timeout is %v, want 0 or more", s.Timeout)
	case s.BucketPeriod > s.Interval:
		return fmt.Errorf("the BucketPeriod is %v, which is longer than the Interval of %v", s.BucketPeriod, s.Interval)
	case s.BucketPeriod > 0 && s.Interval%s.BucketPeriod != 0: // gobreaker would make the Interval longer
		return fmt.Errorf("the Interval of %v is no multiple of the BucketPeriod of %v", s.Interval, s.BucketPeriod)
	case s.BucketPeriod > 0 && s.Interval/s.BucketPeriod > maxBuckets:
		return fmt.Errorf("an Interval of %v in BucketPeriods of %v has more than %d buckets", s.Interval, s.BucketPeriod, maxBuckets)
	}
	return nil
}

// maxBuckets is how many buckets a breaker may have, each of which it keeps counts for.
const maxBuckets = 1000

// defaultTimeout is how long gobreaker is open where the settings do not say.
const defaultTimeout = 60 * time.Second

func stateOf(s gobreaker.State) circuitbreaker.State {
	switch s {
	case gobreaker.StateHalfOpen:
		return circuitbreaker.HalfOpen
	case gobreaker.StateOpen:
		return circuitbreaker.Open
	case gobreaker.StateClosed:
	}
	return circuitbreaker.Closed
}
