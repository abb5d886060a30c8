package circuitbreaker

// mark is what was counted when a bucket began, or a streak.
type mark struct{ good, bad, fail uint64 }

// ring is the marks of the buckets of a window, by number of the bucket.
type ring struct {
	marks  []mark
	newest int64
	run    int64 // of the newest buckets that are over, those with failures only, those with neither not counting
}

func newRing(buckets int) ring { return ring{marks: make([]mark, buckets)} }

func (r *ring) mark(bucket int64) *mark { return &r.marks[bucket%int64(len(r.marks))] }

// advance makes bucket the newest, and returns what was counted where the window of all buckets begins now.
//
// What has succeeded since the newest bucket began is counted in the last before the new one, and what has failed in the newest, since only
// that has looked at the time; where calls come often that is the same. So successes can count for longer than the window, but not for
// shorter, and failures count for as long as it is.
func (r *ring) advance(bucket int64, now mark) (begin mark) {
	last, n := *r.mark(r.newest), int64(len(r.marks))
	switch {
	case now.good != last.good:
		r.run = 0
	case now.fail != last.fail:
		r.run++
	}
	idle := now
	idle.good = last.good
	for i := max(r.newest+1, bucket-n+1); i < bucket; i++ {
		*r.mark(i) = idle
	}
	*r.mark(bucket) = now
	r.newest = bucket
	begin = *r.mark(max(bucket-n+1, 0))
	if now.fail == begin.fail {
		r.run = 0
	}
	return begin
}

// clear makes the window empty.
func (r *ring) clear(now mark) {
	for i := range r.marks {
		r.marks[i] = now
	}
	r.run = 0
}

// counted is what there is by now.
func (a *AdaptiveBreaker) counted() mark {
	fail := a.failed.Load()
	return mark{good: a.good.Load(), bad: fail + a.dropped.Load(), fail: fail}
}

// move moves the window to now.
func (a *AdaptiveBreaker) move(now int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now < a.edge.Load() {
		return // another has done it
	}
	bucket := now / a.width
	a.begin(a.ring.advance(bucket, a.counted()))
	a.edge.Store((bucket + 1) * a.width)
	if State(a.state.Load()) != Closed {
		a.reconsider(now)
	}
}

// begin makes the window begin where that was counted.
func (a *AdaptiveBreaker) begin(m mark) {
	a.before.bad.Store(m.bad) // before good, so that those who look meanwhile see too few failures and not too many
	a.before.good.Store(m.good)
	a.before.fail.Store(m.fail)
	a.failing.Store(a.ring.run)
}
