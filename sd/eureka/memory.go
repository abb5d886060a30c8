package eureka

import (
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// memory keeps instances in force that a server may have lost. Eureka's servers have their registry in memory: one that was just
// started knows none, until each instance has tried in vain to renew its lease there.
type memory struct {
	grace time.Duration

	last    []sd.Instance // what was in force last
	server  int           // which gave it
	known   bool          // last and server are set
	again   bool          // the servers could not be reached since
	missing []absent      // what was in force before, and has not been seen since
}

// absent is an instance that is missing, and may be for that long.
type absent struct {
	sd.Instance

	till time.Time
}

// failed notes that no server could be reached.
func (m *memory) failed() { m.again = true }

// complete returns the set that the server has with what may only be missing from it.
func (m *memory) complete(have registry, server int) []sd.Instance {
	now := time.Now()
	if m.known && (m.again || server != m.server) {
		for _, i := range m.last {
			if !slices.ContainsFunc(m.missing, func(a absent) bool { return a.ID == i.ID }) {
				m.missing = append(m.missing, absent{i, now.Add(m.grace)})
			}
		}
	}
	m.missing = slices.DeleteFunc(m.missing, func(a absent) bool {
		return !now.Before(a.till) || slices.Contains(have.out, a.ID) ||
			slices.ContainsFunc(have.set, func(i sd.Instance) bool { return i.ID == a.ID || i.Address == a.Address })
	})
	set := slices.Clone(have.set)
	for _, a := range m.missing {
		set = append(set, a.Instance)
	}
	m.last, m.server, m.known, m.again = sd.Normalize(set), server, true, false
	return m.last
}
