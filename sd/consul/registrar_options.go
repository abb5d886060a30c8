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
		return between("RegistrarTTL", ttl, minTTL, maxTTL)
	}
}

// RegistrarDeregisterAfter is how long after the end of the TTL Consul deletes the instance, from 1 min, the default, to 30 days.
// Consul looks every half minute. Until then it is there, as critical, and in no set.
func RegistrarDeregisterAfter(after time.Duration) RegistrarOption {
	return func(s *registrarSettings) error {
		s.deregisterAfter = after
		return between("RegistrarDeregisterAfter", after, minDeregisterAfter, maxDeregisterAfter)
	}
}

// RegistrarOnError calls f with what goes wrong after Register has returned, and is tried again, and with the error of deregistering. It
// is called by one goroutine of each registration, which waits for it. Given again it adds another.
func RegistrarOnError(f func(error)) RegistrarOption {
	return func(s *registrarSettings) error {
		s.onError = append(s.onError, f)
		return option.RefuseNil("RegistrarOnError", []func(error){f})
	}
}

func (s *registrarSettings) report() func(error) {
	return func(err error) {
		for _, f := range s.onError {
			f(err)
		}
	}
}
