package etcd

import (
	"fmt"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

const (
	// DefaultPrefix begins the keys of all services.
	DefaultPrefix = "ashlar/services/"
	// DefaultTTL is how long an instance stays when its process is gone or cannot reach etcd.
	DefaultTTL = 10 * time.Second
	// DefaultCheck is how often a watch is compared with what etcd has.
	DefaultCheck = 3 * time.Second
)

const (
	minTTL, maxTTL     = 2 * time.Second, time.Hour // etcd makes leases no shorter than some elections
	minCheck, maxCheck = 100 * time.Millisecond, time.Hour
)

// InstancerOption is an option of NewInstancer.
type InstancerOption func(*instancerConfig) error

// RegistrarOption is an option of NewRegistrar.
type RegistrarOption func(*registrarConfig) error

type instancerConfig struct {
	prefix string
	check  time.Duration
}

type registrarConfig struct {
	prefix string
	ttl    time.Duration
	report []func(error)
}

// InstancerPrefix sets what the keys of all services begin with, by default DefaultPrefix. It ends in a slash, or is empty.
func InstancerPrefix(prefix string) InstancerOption {
	return func(c *instancerConfig) error {
		c.prefix = prefix
		return checkPrefix("InstancerPrefix", prefix)
	}
}

// InstancerCheck sets how often a watch asks etcd whether it has missed something, by default DefaultCheck: from 100 ms to an hour. An
// outage is noticed within this time and four seconds more, and that the watch is on a member that hangs within twice this time. A
// check has etcd count the keys of the service, and sort them by age.
func InstancerCheck(every time.Duration) InstancerOption {
	return func(c *instancerConfig) error {
		c.check = every
		return option.Within("InstancerCheck", every, minCheck, maxCheck)
	}
}

// RegistrarPrefix sets what the keys of all services begin with, by default DefaultPrefix. It ends in a slash, or is empty.
func RegistrarPrefix(prefix string) RegistrarOption {
	return func(c *registrarConfig) error {
		c.prefix = prefix
		return checkPrefix("RegistrarPrefix", prefix)
	}
}

// RegistrarTTL sets how long an instance stays when its process is gone or cannot reach etcd, by default DefaultTTL: whole seconds, from 2
// to an hour. Its lease is renewed three times in this time. etcd makes it longer when it is shorter than its elections take.
func RegistrarTTL(ttl time.Duration) RegistrarOption {
	return func(c *registrarConfig) error {
		c.ttl = ttl
		if ttl < minTTL || ttl > maxTTL || ttl%time.Second != 0 {
			return fmt.Errorf("RegistrarTTL(%v): want whole seconds, from %v to %v", ttl, minTTL, maxTTL)
		}
		return nil
	}
}

// RegistrarOnError appends functions that are given what goes wrong with a registration after Register has returned, and is tried again.
// They are called in the goroutine of the registration, which waits for them.
func RegistrarOnError(report ...func(error)) RegistrarOption {
	return func(c *registrarConfig) error {
		c.report = append(c.report, report...)
		return option.RefuseNil("RegistrarOnError", report)
	}
}

func checkPrefix(name, prefix string) error {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		return fmt.Errorf("%s(%q): it does not end in a slash", name, prefix)
	}
	return nil
}
