package circuitbreaker

// How a breaker that is not closed comes to be closed again.
//
// By the formula alone what is let through grows by no more than K in the time of a window. So when the first call succeeds after there
// was no success in the whole window, or when there is a streak of successes without any failure, a ramp begins: as in the slow start of
// TCP (RFC 5681, section 3.1) each call that succeeds lets two others through, so that those in flight double each time that it takes to
// serve one. A failure ends the ramp; what it has brought about by then is in the window, so that the formula goes on from there. A ramp
// that is itself a streak closes the breaker, and all that was before is forgotten.

// set changes the state. The mutex is held.
func (a *AdaptiveBreaker) set(to State) {
	from := State(a.state.Swap(uint32(to)))
	if from == to {
		return
	}
	for _, changed := range a.config.changed {
		changed(from, to)
	}
}

// trip begins to refuse calls, unless the window is another by now, and says whether some are refused.
func (a *AdaptiveBreaker) trip(now int64) (refusing bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.load()
	switch {
	case State(a.state.Load()) != Closed: // another has
		return true
	case l.excess <= a.config.protection:
		return false
	}
	a.probe.Store(now + a.pause())
	a.credit.Store(0)
	a.since, a.sinceGood = now, a.good.Load()
	if l.good == 0 {
		a.set(Open)
	} else {
		a.set(HalfOpen)
	}
	return true
}

// reconsider is called when the window has moved, with the mutex held, unless the breaker is closed.
func (a *AdaptiveBreaker) reconsider(now int64) {
	l := a.load()
	switch {
	case l.excess <= 0:
		a.heal()
	case a.ramping.Load():
		if a.streak(now, a.config.streak) {
			all := a.counted()
			a.ring.clear(all)
			a.begin(all)
			a.heal()
		}
	case l.good == 0:
		a.set(Open)
	case a.streak(now, a.convincing()):
		a.ramp(now)
	default:
		a.set(HalfOpen)
	}
}

func (a *AdaptiveBreaker) heal() {
	a.ramping.Store(false)
	a.credit.Store(0)
	a.set(Closed)
}

// streak says whether so many calls have succeeded, over a time that is long enough, since the streak began.
func (a *AdaptiveBreaker) streak(now int64, calls float64) bool {
	return float64(a.good.Load()-a.sinceGood) >= calls && now-a.since >= int64(a.config.streakTime)
}

// convincing is how many successes in a row begin a ramp: as many as are set where that share of the calls succeeds at which the formula
// begins to refuse some, since ten in a row come by chance there, and fewer where fewer have succeeded before the streak.
func (a *AdaptiveBreaker) convincing() float64 {
	before := max(float64(a.sinceGood)-float64(a.before.good.Load()), 0)
	failed := float64(a.failed.Load() - a.before.fail.Load())
	share := before / max(before+failed, 1)
	return 1 + (a.config.streak-1)*min(1, a.config.k*share)
}

// ramp begins a ramp. The mutex is held. How calls fail that have begun before does not matter any more: after an outage in which calls
// hung they go on to time out when all is well.
func (a *AdaptiveBreaker) ramp(now int64) {
	a.since, a.sinceGood = now, a.good.Load()
	a.epoch.Add(1)
	a.credit.Store(2)
	a.ramping.Store(true)
	a.set(HalfOpen)
}

// succeed is called when a call has succeeded, unless the breaker is closed.
func (a *AdaptiveBreaker) succeed() {
	if a.ramping.Load() {
		a.credit.Add(2)
		return
	}
	if State(a.state.Load()) != Open {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if State(a.state.Load()) == Open {
		a.ramp(a.now())
	}
}

// relapse is called when a call has failed, unless the breaker is closed.
func (a *AdaptiveBreaker) relapse(now int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ramping.Store(false)
	a.credit.Store(0)
	a.since, a.sinceGood = now, a.good.Load()
}

// spend lets a call through that another has earned.
func (a *AdaptiveBreaker) spend() bool {
	for {
		credit := a.credit.Load()
		if credit <= 0 {
			return false
		}
		if a.credit.CompareAndSwap(credit, credit-1) {
			return true
		}
	}
}
