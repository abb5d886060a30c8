package natskv

import (
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// entries is what one watch knows of the entries of a service. It is for one goroutine.
type entries struct {
	grace  time.Duration
	failed bool // the last Read has failed

	all     map[string]sd.Instance      // by key
	invalid map[string]*sd.InvalidError // by key
	expired map[string]sd.Instance      // those that have expired since the watch could not reach NATS, or are missing since, by key
	until   time.Time                   // for how long those stay
	changed bool                        // since the feed was told
}

func newEntries(grace time.Duration) *entries {
	return &entries{
		grace: grace, all: make(map[string]sd.Instance), invalid: make(map[string]*sd.InvalidError), expired: make(map[string]sd.Instance),
	}
}

// begin is called before all entries are read from the beginning. What is not among them is missing.
func (e *entries) begin(now time.Time) {
	maps.Copy(e.expired, e.all)
	if e.failed {
		e.excuse(now)
	}
	clear(e.all)
	clear(e.invalid)
}

// excuse says that there was an outage, so that what expires now stays for the grace.
func (e *entries) excuse(now time.Time) { e.until = now.Add(e.grace) }

// end lets those go that are missing, when the time for that has come. It is called when all entries are known.
func (e *entries) end(now time.Time) {
	if len(e.expired) > 0 && !now.Before(e.until) {
		clear(e.expired)
		e.changed = true
	}
}

// take takes the newest that there is under a key.
func (e *entries) take(key string, m message, now time.Time) {
	before, known := e.all[key]
	var (
		instance sd.Instance
		invalid  *sd.InvalidError
	)
	if !m.removed {
		instance, invalid = driver.Unmarshal(key, m.data)
		if known && invalid == nil && instance.Equal(before) {
			return // as each time that it is written again
		}
	}
	e.changed = true
	delete(e.all, key)
	delete(e.invalid, key)
	if !m.expired {
		delete(e.expired, key)
	}
	switch {
	case invalid != nil:
		e.invalid[key] = invalid
	case !m.removed:
		e.all[key] = instance
	case m.expired && known && now.Before(e.until):
		e.expired[key] = before
	}
}

// tell gives the set to feed, if it has changed. It reports false when the watch is to end.
func (e *entries) tell(feed *driver.Feed) bool {
	if !e.changed {
		return true
	}
	e.changed = false
	set := make([]sd.Instance, 0, len(e.all)+len(e.expired))
	for _, instances := range []map[string]sd.Instance{e.all, e.expired} {
		for _, key := range slices.Sorted(maps.Keys(instances)) { // so that of equals it is always the same that comes first
			set = append(set, instances[key])
		}
	}
	invalid := make([]*sd.InvalidError, 0, len(e.invalid))
	for _, key := range slices.Sorted(maps.Keys(e.invalid)) {
		invalid = append(invalid, e.invalid[key])
	}
	return feed.Set(set, invalid...)
}

// message is what a message of the stream says of an entry.
type message struct {
	data    []byte
	removed bool
	expired bool // it was removed because its time was over, or by somebody who took it out of the stream
	owner   string
}

// interpret reads a message by its header.
func interpret(header map[string][]string, data []byte) message {
	first := func(key string) string {
		if values := header[key]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	expired := first(jetstream.MarkerReasonHeader) != ""
	return message{data: data, removed: first(headerOperation) != "" || expired, expired: expired, owner: first(headerRegistration)}
}
