package eureka

import (
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// InstancerOption configures an Instancer.
type InstancerOption func(*instancerSettings) error

type instancerSettings struct{ interval, grace time.Duration }

// InstancerInterval is the time from one question for the instances to the next, less up to a tenth of it, from 100 ms to 10 min. The
// default is 10 s. A server that is set up as usual answers from a cache that it renews every 30 s.
func InstancerInterval(interval time.Duration) InstancerOption {
	return func(s *instancerSettings) error {
		s.interval = interval
		return option.Within("InstancerInterval", interval, 100*time.Millisecond, 10*time.Minute)
	}
}

// InstancerGrace is how long instances stay in the sets that are missing after the servers were away, or from the answer of another server
// than before, up to 10 min. The default is 30 s; 0 is none. It is to be longer than instances take to register again, which is the time
// from one renewal to the next.
func InstancerGrace(grace time.Duration) InstancerOption {
	return func(s *instancerSettings) error {
		s.grace = grace
		return option.Within("InstancerGrace", grace, 0, 10*time.Minute)
	}
}
