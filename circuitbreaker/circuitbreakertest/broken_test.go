package circuitbreakertest_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/circuitbreaker/circuitbreakertest"
)

type (
	told  = func(from, to circuitbreaker.State)
	allow = func() (done func(error), err error)
)

// breaker is one that is a function, and reports what another one does.
type breaker struct {
	circuitbreaker.Reporter

	allow allow
}

func (b breaker) Allow() (func(error), error) { return b.allow() }

// around is a policy whose breakers are sound ones but for what f makes of Allow.
func around(f func(sound allow) allow) circuitbreaker.Policy {
	return circuitbreaker.PolicyFunc(func(changed told) (circuitbreaker.Breaker, error) {
		sound, err := sound(changed)
		if err != nil {
			return nil, err
		}
		return breaker{Reporter: sound, allow: inTurn(f(sound.Allow))}, nil
	})
}

// inTurn is allow, for one at a time.
func inTurn(f allow) allow {
	turn := make(chan struct{}, 1) // and no mutex, on which time would stand still
	return func() (func(error), error) {
		turn <- struct{}{}
		defer func() { <-turn }()
		done, err := f()
		if done == nil {
			return nil, err
		}
		return func(outcome error) {
			turn <- struct{}{}
			defer func() { <-turn }()
			done(outcome)
		}, err
	}
}

func sound(changed told) (*circuitbreaker.AdaptiveBreaker, error) {
	if changed == nil {
		return circuitbreaker.NewAdaptive()
	}
	return circuitbreaker.NewAdaptive(circuitbreaker.AdaptiveChanges(changed))
}

// telling is a policy whose breakers are sound ones but for what they tell.
func telling(f func(changed told) told) circuitbreaker.Policy {
	return circuitbreaker.PolicyFunc(func(changed told) (circuitbreaker.Breaker, error) { return sound(f(changed)) })
}

// reporting is one whose breakers are sound ones but for what they report.
func reporting(f func(r circuitbreaker.Report) circuitbreaker.Report) circuitbreaker.Policy {
	return circuitbreaker.PolicyFunc(func(changed told) (circuitbreaker.Breaker, error) {
		sound, err := sound(changed)
		if err != nil {
			return nil, err
		}
		return breaker{allow: sound.Allow, Reporter: reporter(func() circuitbreaker.Report { return f(sound.Report()) })}, nil
	})
}

type reporter func() circuitbreaker.Report

func (r reporter) Report() circuitbreaker.Report { return r() }

// hearing is a policy whose breakers are sound ones but for what they make of an outcome.
func hearing(f func(outcome error) error) circuitbreaker.Policy {
	return around(func(sound allow) allow {
		return func() (func(error), error) {
			done, err := sound()
			if err != nil {
				return nil, err
			}
			return func(outcome error) { done(f(outcome)) }, nil
		}
	})
}

// refusing is a policy whose breakers are sound ones but for the way in which they refuse.
func refusing(f func(err error) (func(error), error)) circuitbreaker.Policy {
	return around(func(sound allow) allow {
		return func() (func(error), error) {
			done, err := sound()
			if err != nil {
				return f(err)
			}
			return done, nil
		}
	})
}

var errBroken = errors.New("it is a secret")

// Each policy breaks one clause of the contract, and the check of that name must notice.
func brokenPolicies() map[string]map[string]circuitbreaker.Policy {
	return map[string]map[string]circuitbreaker.Policy{
		"New": {
			"opens before the first call": around(func(sound allow) allow {
				calls := 0
				return func() (func(error), error) {
					if calls++; calls == 1 {
						return nil, &circuitbreaker.OpenError{}
					}
					return sound()
				}
			}),
			"has no done": around(func(allow) allow { return func() (func(error), error) { return nil, nil } }),
			"sleeps": around(func(sound allow) allow {
				return func() (func(error), error) { <-time.After(time.Millisecond); return sound() }
			}),
			"panics": around(func(allow) allow { return func() (func(error), error) { panic("a defect") } }),
		},
		"Successes": {"opens after so many calls": around(func(sound allow) allow {
			calls := 0
			return func() (func(error), error) {
				if calls++; calls%1000 == 0 {
					return nil, &circuitbreaker.OpenError{}
				}
				return sound()
			}
		})},
		"RareFailures": {"opens at one failure": around(func(allow) allow {
			open := time.Time{}
			return func() (func(error), error) {
				if time.Now().Before(open) {
					return nil, &circuitbreaker.OpenError{}
				}
				return func(outcome error) {
					if outcome != nil && !errors.Is(outcome, circuitbreaker.ErrIgnored) {
						open = time.Now().Add(time.Second)
					}
				}, nil
			}
		})},
		"Opens": {
			"never": around(func(allow) allow { return func() (func(error), error) { return func(error) {}, nil } }),
			"for half of them": around(func(sound allow) allow {
				refuse := false
				return func() (func(error), error) {
					done, err := sound()
					if refuse = !refuse; err != nil && !refuse {
						return func(error) {}, nil
					}
					return done, err
				}
			}),
		},
		"Refusal": {
			"for a reason of its own": refusing(func(error) (func(error), error) { return nil, errBroken }),
			"with a done":             refusing(func(err error) (func(error), error) { return func(error) {}, err }),
			"for ever": refusing(func(error) (func(error), error) {
				return nil, &circuitbreaker.OpenError{RetryAfter: 1000 * time.Hour}
			}),
			"since before": refusing(func(error) (func(error), error) { return nil, &circuitbreaker.OpenError{RetryAfter: -1} }),
		},
		"Probes": {"never again": around(func(sound allow) allow {
			open := false
			return func() (func(error), error) {
				if !open {
					done, err := sound()
					open = err != nil
					return done, err
				}
				return nil, &circuitbreaker.OpenError{}
			}
		})},
		"FewProbes": {"all that come at the same time": around(func(sound allow) allow {
			last := time.Time{}
			return func() (func(error), error) {
				done, err := sound()
				if err != nil && time.Now().Equal(last) {
					return func(error) {}, nil
				}
				if err == nil {
					last = time.Now()
				}
				return done, err
			}
		})},
		"Closes": {"deaf for success": around(func(sound allow) allow {
			open := false
			return func() (func(error), error) {
				done, err := sound()
				open = open || err != nil
				return func(outcome error) {
					if open && outcome == nil {
						outcome = errBroken
					}
					done(outcome)
				}, err
			}
		})},
		"OpensAgain": {"once": around(func(sound allow) allow {
			opened, healed, good := false, false, 0
			return func() (func(error), error) {
				done, err := sound()
				opened = opened || err != nil
				if healed {
					return func(error) {}, nil
				}
				if err != nil {
					return nil, err
				}
				return func(outcome error) {
					done(outcome)
					if good++; outcome != nil {
						good = 0
					}
					healed = opened && good > 100
				}, nil
			}
		})},
		"LateDone": {"forgets calls": around(func(sound allow) allow {
			return func() (func(error), error) {
				done, err := sound()
				if err != nil {
					return nil, err
				}
				began := time.Now()
				return func(outcome error) {
					if time.Since(began) > 2*time.Second {
						panic("which call?")
					}
					done(outcome)
				}, nil
			}
		})},
		"IgnoredIsNoFailure": {
			"as a failure": hearing(func(outcome error) error {
				if errors.Is(outcome, circuitbreaker.ErrIgnored) {
					return errBroken
				}
				return outcome
			}),
			"where it is wrapped": hearing(func(outcome error) error {
				if errors.Is(outcome, circuitbreaker.ErrIgnored) && outcome != circuitbreaker.ErrIgnored { //nolint:errorlint // the defect
					return errBroken
				}
				return outcome
			}),
		},
		"IgnoredIsNoSuccess": {"as a success": hearing(func(outcome error) error {
			if errors.Is(outcome, circuitbreaker.ErrIgnored) {
				return nil
			}
			return outcome
		})},
		"IgnoredHoldsNothing": {"holds a place": around(func(sound allow) allow {
			places := 10
			return func() (func(error), error) {
				if places == 0 {
					return nil, &circuitbreaker.OpenError{}
				}
				done, err := sound()
				if err != nil {
					return nil, err
				}
				places--
				return func(outcome error) {
					if !errors.Is(outcome, circuitbreaker.ErrIgnored) {
						places++
					}
					done(outcome)
				}, nil
			}
		})},
		"Independent": {"one for all": func() circuitbreaker.Policy {
			one := make(map[bool]circuitbreaker.Breaker)
			return circuitbreaker.PolicyFunc(func(changed told) (circuitbreaker.Breaker, error) {
				if one[true] == nil {
					b, err := sound(changed)
					if err != nil {
						return nil, err
					}
					one[true] = b
				}
				return one[true], nil
			})
		}()},
		"Changes": {
			"tells nobody": telling(func(told) told { return nil }),
			"tells where it was wrong": telling(func(changed told) told {
				return func(_, to circuitbreaker.State) { changed(circuitbreaker.Closed, to) }
			}),
			"tells twice": telling(func(changed told) told {
				return func(from, to circuitbreaker.State) { changed(from, to); changed(from, to) }
			}),
		},
		"Nobody": {"needs somebody": telling(func(changed told) told {
			return func(from, to circuitbreaker.State) { changed(from, to) }
		})},
		"Report": {
			"always closed": reporting(func(r circuitbreaker.Report) circuitbreaker.Report { r.State = circuitbreaker.Closed; return r }),
			"in percent":    reporting(func(r circuitbreaker.Report) circuitbreaker.Report { r.DropRatio *= 100; return r }),
			"no failures":   reporting(func(r circuitbreaker.Report) circuitbreaker.Report { r.Failures = 0; return r }),
		},
		"Concurrent": {"for one at a time": around(func(sound allow) allow {
			busy := false
			return func() (func(error), error) {
				if busy {
					panic("more than one")
				}
				done, err := sound()
				if err != nil {
					return nil, err
				}
				busy = true
				return func(outcome error) {
					busy = false
					done(outcome)
				}, nil
			}
		})},
	}
}

func TestABrokenBreakerIsRejected(t *testing.T) {
	t.Parallel()
	all, doers := brokenPolicies(), brokenDoers()
	for _, name := range circuitbreakertest.Checks() {
		if len(all[name])+len(doers[name]) == 0 {
			t.Errorf("there is no policy that check %s rejects", name)
		}
	}
	for check, policies := range all {
		for name, policy := range policies {
			t.Run(check+"/"+name, func(t *testing.T) {
				t.Parallel()
				rejected(t, check, circuitbreakertest.Harness{Policy: policy, Patience: 5 * time.Second})
			})
		}
	}
	for check, policies := range doers {
		for name, policy := range policies {
			t.Run(check+"/"+name, func(t *testing.T) {
				t.Parallel()
				rejected(t, check, circuitbreakertest.Harness{Policy: policy, Doers: true, Patience: 5 * time.Second})
			})
		}
	}
}

func rejected(t *testing.T, check string, h circuitbreakertest.Harness) {
	t.Helper()
	err := circuitbreakertest.Test(t, h)
	if !slices.Contains(broke(err), check) {
		t.Errorf("want it to be rejected by %s, have %v", check, err)
	}
}

// broke returns the names of the checks that have failed.
func broke(err error) (names []string) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, e := range joined.Unwrap() {
		if v, ok := errors.AsType[*circuitbreakertest.Violation](e); ok {
			names = append(names, v.Check)
		}
	}
	return names
}
