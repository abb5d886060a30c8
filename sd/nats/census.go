package natsdiscovery

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/sd"
)

// census is what one watch knows of the instances of a service. It is for one goroutine.
type census struct {
	service string
	misses  int

	round   int
	members map[string]member           // by the id of the micro service
	gone    map[string]int              // those that have said so, which no answer on its way brings back, and in which round
	bad     map[string]*sd.InvalidError // of this round, by the entry
	invalid []*sd.InvalidError          // of the last round
}

// member is an instance that has answered.
type member struct {
	instance sd.Instance
	since    time.Time
	round    int // the last in which it was heard of
}

func newCensus(service string, misses int) *census {
	return &census{
		service: service, misses: misses,
		members: make(map[string]member), gone: make(map[string]int), bad: make(map[string]*sd.InvalidError),
	}
}

// forget lets all rounds so far count for nothing, since nobody could answer meanwhile.
func (c *census) forget() {
	for id, m := range c.members {
		m.round = c.round - 1
		c.members[id] = m
	}
}

// take takes an answer, or what an instance says unasked. It reports false when there is nobody to answer, which the server says.
func (c *census) take(m *nats.Msg) (more bool) {
	if len(m.Data) == 0 && m.Header.Get("Status") == noResponders {
		return false
	}
	id, err := c.read(m)
	if err != nil {
		entry := c.service
		if id != "" {
			entry += " " + id
		}
		c.bad[entry] = &sd.InvalidError{Entry: entry, Err: err}
		delete(c.members, id)
	}
	return true
}

// noResponders is the status of a message by the server.
const noResponders = "503"

// read returns the id of the micro service that it is from, as far as that is known.
func (c *census) read(m *nats.Msg) (id string, err error) {
	if text := m.Header.Get(micro.ErrorHeader); text != "" {
		return "", fmt.Errorf("it answers with the error %q", text)
	}
	if len(m.Data) > MaxAnswer {
		return "", fmt.Errorf("its answer takes %d bytes, more than %d", len(m.Data), MaxAnswer)
	}
	var info micro.Info
	if err := json.Unmarshal(m.Data, &info); err != nil {
		return "", fmt.Errorf("its answer is none of a micro service: %w", err)
	}
	switch {
	case info.ID == "" || info.Name != c.service:
		return info.ID, fmt.Errorf("its answer is of the id %q of %q, want one of %s", info.ID, info.Name, c.service)
	case info.Type == goneType:
		delete(c.members, info.ID)
		c.gone[info.ID] = c.round
		return info.ID, nil
	case info.Type != micro.InfoResponseType:
		return info.ID, fmt.Errorf("its answer has the type %q, want %s", info.Type, micro.InfoResponseType)
	}
	if _, gone := c.gone[info.ID]; gone {
		return info.ID, nil
	}
	instance, since, err := understand(info)
	if err != nil {
		return info.ID, err
	}
	c.members[info.ID] = member{instance: instance, since: since, round: c.round}
	return info.ID, nil
}

// remembered is for how many rounds it is known that an instance has gone, longer than an answer is on its way.
const remembered = 30

// close ends a round in which all were asked.
func (c *census) close() {
	maps.DeleteFunc(c.members, func(_ string, m member) bool { return c.round-m.round >= c.misses })
	maps.DeleteFunc(c.gone, func(_ string, round int) bool { return c.round-round > remembered })
	c.invalid = slices.SortedFunc(maps.Values(c.bad), func(a, b *sd.InvalidError) int { return strings.Compare(a.Entry, b.Entry) })
	clear(c.bad)
	c.round++
}

// set returns the instances: of those with one ID the one that was announced last, and in an order that does not change.
func (c *census) set() []sd.Instance {
	newest := make(map[string]string, len(c.members)) // by the ID of the instance, the id of the micro service
	for id, m := range c.members {
		other, known := newest[m.instance.ID]
		if o := c.members[other]; !known || m.since.After(o.since) || m.since.Equal(o.since) && id > other {
			newest[m.instance.ID] = id
		}
	}
	set := make([]sd.Instance, 0, len(newest))
	for _, instanceID := range slices.Sorted(maps.Keys(newest)) {
		set = append(set, c.members[newest[instanceID]].instance)
	}
	return set
}
