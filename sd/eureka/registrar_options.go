package eureka

import (
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// RegistrarOption configures a Registrar.
type RegistrarOption func(*registrarSettings) error

type registrarSettings struct {
	ttl     time.Duration
	onError []func(error)
}

// RegistrarTTL is how long the lease of an instance is, in whole seconds from 3 s to 1 h. The default is 30 s. It is renewed after each
// third of it. Netflix's server takes twice the time before it holds a lease for expired, and looks once in a minute.
func RegistrarTTL(ttl time.Duration) RegistrarOption {
	return func(s *registrarSettings) error {
		s.ttl = ttl
		if ttl%time.Second != 0 {
			return fmt.Errorf("RegistrarTTL(%v): want whole seconds", ttl)
		}
		return option.Within("RegistrarTTL", ttl, signs*time.Second, time.Hour)
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
