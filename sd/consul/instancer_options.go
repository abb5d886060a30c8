package consul

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

const (
	minWait, maxWait         = time.Second, 10 * time.Minute // Consul waits no longer
	minInterval, maxInterval = 10 * time.Millisecond, time.Minute
)

// InstancerOption configures an Instancer.
type InstancerOption func(*instancerSettings) error

type instancerSettings struct {
	tags              []string
	datacenter        string
	stale, consistent bool
	wait, interval    time.Duration
}

// InstancerTags selects the instances that have all of these tags, which Consul compares without regard to case. Given again it adds tags.
func InstancerTags(tags ...string) InstancerOption {
	return func(s *instancerSettings) error {
		if len(tags) == 0 || slices.Contains(tags, "") {
			return fmt.Errorf("InstancerTags(%q): want tags, none of them empty", tags)
		}
		s.tags = append(s.tags, tags...)
		return nil
	}
}

// InstancerDatacenter asks for the instances in that datacenter. The default is that of the client, else that of the agent.
func InstancerDatacenter(name string) InstancerOption {
	return func(s *instancerSettings) error {
		if name == "" {
			return errors.New("InstancerDatacenter: the name is empty")
		}
		s.datacenter = name
		return nil
	}
}

// InstancerStale lets any server answer, not the leader alone: reads scale, and go on when there is no leader, but may be out of date, and
// empty when that server was just started. It excludes InstancerConsistent.
func InstancerStale() InstancerOption {
	return func(s *instancerSettings) error {
		s.stale = true
		return s.checkMode()
	}
}

// InstancerConsistent lets the leader make sure that it still leads before it answers, which costs a round trip more. The default is
// to do so with the first answer only, at the beginning and after an error; the others are those of the leader, which for a moment may have
// been replaced. It excludes InstancerStale.
func InstancerConsistent() InstancerOption {
	return func(s *instancerSettings) error {
		s.consistent = true
		return s.checkMode()
	}
}

func (s *instancerSettings) checkMode() error {
	if s.stale && s.consistent {
		return errors.New("InstancerStale and InstancerConsistent exclude each other")
	}
	return nil
}

// InstancerWait is how long a blocking query waits for a change, from 1 s to 10 min. The default is 1 min. An agent that hangs is noticed
// that much and some 10 s later.
func InstancerWait(wait time.Duration) InstancerOption {
	return func(s *instancerSettings) error {
		s.wait = wait
		return option.Within("InstancerWait", wait, minWait, maxWait)
	}
}

// InstancerInterval is the time between queries, on average, while changes follow each other without end, from 10 ms to 1 min. The
// default is 1 s. After quiet times two queries may follow each other at once.
func InstancerInterval(interval time.Duration) InstancerOption {
	return func(s *instancerSettings) error {
		s.interval = interval
		return option.Within("InstancerInterval", interval, minInterval, maxInterval)
	}
}
