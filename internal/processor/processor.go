// Package processor measures how busy the processors are that a process may use: those that a limit of a cgroup allows (version 2,
// cpu.max and cpu.stat, or 1, cpu.cfs_quota_us and cpuacct.usage), in microseconds or finer; those of the machine where there is no limit
// (/proc/stat, in ticks); or else what the process itself uses (getrusage). See "CPU" in the kernel's
// Documentation/admin-guide/cgroup-v2.rst and Documentation/scheduler/sched-bwc.rst, and Documentation/accounting/psi.rst for pressure.
package processor

import (
	"errors"
	"math"
	"os"
	"time"
)

// Usage is how busy the processors are.
type Usage struct {
	// Source is where that is known from: "cgroup v2", "cgroup v1", "machine", "process"; "" when nothing is known yet.
	Source string
	// Limit is how many processors there are to be used. It need not be a whole number.
	Limit float64
	// Share of Limit is used: 0 to 1, or a little more.
	Share float64
	// Stalled is the share of the time in which something had to wait for a processor: 0 where the kernel does not tell.
	Stalled float64
}

const (
	smooth  = time.Second      // in which a change is seen, for the greater part
	refresh = 10 * time.Second // after which the limit is looked for again
)

// Meter measures. It is not safe for concurrent use.
type Meter struct {
	root   string
	source source
	found  time.Duration // when source was

	usage Usage
	last  sample
}

type sample struct {
	ok                       bool
	at                       time.Duration
	used, possible, pressure time.Duration
}

// NewMeter returns a Meter that reads the files below root: "/", but for tests and for those who have these files elsewhere.
func NewMeter(root string) *Meter { return &Meter{root: root, found: math.MinInt64 / 2} }

// Check returns an error when there is nothing below root that a Meter could read, so that it would measure the process alone.
func Check(root string) error {
	if _, err := os.ReadDir(root); err != nil {
		return err
	}
	if find(root).kind == kindProcess {
		return errors.New("there is neither proc/stat nor a cgroup with a limit")
	}
	return nil
}

// Read measures since the last time, and takes a second to see a change for the greater part. Now is the time on any clock that does not
// go back. What cannot be read leaves the usage as it is; where the limit has become another it begins anew.
func (m *Meter) Read(now time.Duration) Usage {
	if now-m.found >= refresh {
		before := m.source
		m.source, m.found = find(m.root), now
		if before.kind != m.source.kind || before.limit != m.source.limit {
			m.last, m.usage = sample{}, Usage{}
		}
	}
	s := sample{at: now}
	var err error
	if s.used, s.possible, err = m.source.read(); err != nil {
		return m.usage
	}
	s.ok = true
	s.pressure, err = m.source.pressure()
	if before := m.last; before.ok && now > before.at {
		m.add(before, s, err == nil)
	}
	m.last = s
	return m.usage
}

func (m *Meter) add(before, s sample, pressure bool) {
	passed := s.at - before.at
	possible := float64(s.possible - before.possible)
	if s.possible == 0 {
		possible = float64(passed) * m.source.limit
	}
	if possible <= 0 || s.used < before.used {
		return // a counter that was set back
	}
	m.usage.Source, m.usage.Limit = m.source.kind, m.source.limit
	weight := -math.Expm1(-float64(passed) / float64(smooth))
	m.usage.Share += weight * (float64(s.used-before.used)/possible - m.usage.Share)
	stalled := 0.0
	if pressure && s.pressure >= before.pressure {
		stalled = min(float64(s.pressure-before.pressure)/float64(passed), 1)
	}
	m.usage.Stalled += weight * (stalled - m.usage.Stalled)
}
