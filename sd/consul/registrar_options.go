package consul

import (
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

const (
	minTTL, maxTTL                         = time.Second, 24 * time.Hour
	minDeregisterAfter, maxDeregisterAfter = time.Minute, 30 * 24 * time.Hour // Consul does it no earlier
)

// RegistrarOption configures a Registrar.
type RegistrarOption func(*registrarSettings) error

type registrarSettings struct {
	ttl, deregisterAfter time.Duration
	onError              []func(error)
}

// RegistrarTTL is how long after the last sign of life Consul holds the instance for alive, from 1 s to 24 h. The default is 15 s. A
// third of it passes from one sign to the next.
func RegistrarTTL(ttl time.Duration) RegistrarOption {
	return func(s *registrarSettings) error {
		s.ttl = ttl
		return option.Within("RegistrarTTL", ttl, minTTL, maxTTL)
	}
}

// RegistrarDeregisterAfter is how long after the end of the TTL Consul deletes the instance, from 1 min, the default, to 30 days.
// Consul looks every half minute. Until then it is there, as critical, and in no set.
func RegistrarDeregisterAfter(after time.Duration) RegistrarOption {
	return func(s *registrarSettings) error {
		s.deregisterAfter = after
		return option.Within("RegistrarDeregisterAfter", after, minDeregisterAfter, maxDeregisterAfter)
	}
}

// RegistrarOnError appends functions that are given what goes wrong after Register has returned, and is tried again, and the error of
// deregistering. They are called in the goroutine of the registration, which waits for them.
func RegistrarOnError(report ...func(error)) RegistrarOption {
	return func(s *registrarSettings) error {
		s.onError = append(s.onError, report...)
		return option.RefuseNil("RegistrarOnError", report)
	}
}
