package circuitbreaker

// How a breaker that is not closed comes to be closed again.
//
// By the formula alone what is let through grows by no more than K in the time of a window. So when the first call succeeds after there was
// no success in the whole window, or when there is a streak of successes without any failure, a ramp begins: as in the slow start of TCP
// (RFC 5681, section 3.1) each call that succeeds lets two others through, so that those in flight double each time that it takes to serve
// one. A failure ends the ramp, and what it has brought about by then is in the window, so that the formula goes on from there. A ramp that
// lasts until there is another streak closes the breaker.

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

// trip begins to refuse calls.
func (a *AdaptiveBreaker) trip(now int64, l load) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if State(a.state.Load()) != Closed {
		return
	}
	a.probe.Store(now + a.pause())
	a.since, a.sinceGood = now, a.good.Load()
	if l.good == 0 {
		a.set(Open)
	} else {
		a.set(HalfOpen)
	}
}

// reconsider is called when the window has moved, with the mutex held, unless the breaker is closed.
func (a *AdaptiveBreaker) reconsider(now int64) {
	l := a.load()
	switch {
	case l.excess <= 0:
		a.heal()
	case a.ramping.Load():
		if a.streak(now) {
			all := a.counted()
			a.ring.clear(all)
			a.begin(all)
			a.heal()
		}
	case l.good == 0:
		a.set(Open)
	case a.streak(now):
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

// streak says whether there are successes enough, over a time that is long enough, since the streak began.
func (a *AdaptiveBreaker) streak(now int64) bool {
	return a.good.Load()-a.sinceGood >= a.config.streak && now-a.since >= int64(a.config.streakTime)
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
