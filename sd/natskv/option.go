package natskv

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/option"
)

// InstancerOption sets up an Instancer. Of options of the same name the last counts.
type InstancerOption func(*Instancer) error

// InstancerGrace sets how long instances stay whose entries have expired while the watch could not reach NATS, or NATS had no leader for
// the bucket: since the Registrars could not write either, that says nothing of the instances. It should be longer than a third of the
// time to live of the entries. The default is DefaultGrace.
func InstancerGrace(grace time.Duration) InstancerOption {
	return func(i *Instancer) error {
		i.grace = grace
		if grace < 0 {
			return fmt.Errorf("InstancerGrace(%v): want 0 or more", grace)
		}
		return nil
	}
}

// RegistrarOption sets up a Registrar. Options that take several values append; of the others the last counts.
type RegistrarOption func(*Registrar) error

// RegistrarTTL sets how long an entry lives that is not written again, which is done three times as often. It is a number of seconds.
// In a cluster it should not be shorter than the default, DefaultTTL: a leader that has lost its majority notices after 10 seconds.
func RegistrarTTL(ttl time.Duration) RegistrarOption {
	return func(r *Registrar) error {
		r.ttl = ttl
		if ttl < time.Second || ttl%time.Second != 0 {
			return fmt.Errorf("RegistrarTTL(%v): want whole seconds, at least one", ttl)
		}
		return nil
	}
}

// RegistrarCreate lets the Registrar make the bucket where it is missing, also when it was lost, such as one in memory. Without it that is
// an error. The name of config is ignored.
func RegistrarCreate(config jetstream.KeyValueConfig) RegistrarOption {
	return func(r *Registrar) error {
		r.create = &config
		if config.LimitMarkerTTL < time.Second {
			return fmt.Errorf("RegistrarCreate: the LimitMarkerTTL is %v, want a second or more, as natskv.Bucket has it", config.LimitMarkerTTL)
		}
		return nil
	}
}

// RegistrarOnError adds hooks that are told what goes wrong after Register has returned, and is tried again: the connection to NATS was
// lost, or the instance was replaced by another registration. They are called on goroutines of the registrations, which they hold up.
func RegistrarOnError(hooks ...func(err error)) RegistrarOption {
	return func(r *Registrar) error {
		r.onError = append(r.onError, hooks...)
		return option.RefuseNil("RegistrarOnError", hooks)
	}
}
