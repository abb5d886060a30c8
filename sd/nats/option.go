package natsdiscovery

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/internal/option"
)

// InstancerOption sets up an Instancer. Of options of the same name the last counts.
type InstancerOption func(*instancerConfig) error

type instancerConfig struct {
	interval time.Duration
	window   time.Duration
	misses   int
}

// InstancerInterval sets the time from one round of asking to the next, of which up to a quarter more or less is left to chance. The
// default is DefaultInterval.
func InstancerInterval(interval time.Duration) InstancerOption {
	return func(c *instancerConfig) error {
		c.interval = interval
		return option.Positive("InstancerInterval", interval)
	}
}

// InstancerWindow sets how long answers are waited for before what is missing is noted, and before the first set. The default is
// DefaultWindow.
func InstancerWindow(window time.Duration) InstancerOption {
	return func(c *instancerConfig) error {
		c.window = window
		return option.Positive("InstancerWindow", window)
	}
}

// InstancerMisses sets in how many rounds, one after the other, an instance is missing that is taken for gone. They must take longer than
// the instances need to connect again when their connections to NATS break. The default is DefaultMisses.
func InstancerMisses(rounds int) InstancerOption {
	return func(c *instancerConfig) error {
		const most = 1000
		c.misses = rounds
		return option.Within("InstancerMisses", rounds, 1, most)
	}
}

func newInstancerConfig(opts []InstancerOption) (instancerConfig, error) {
	c := instancerConfig{interval: DefaultInterval, window: DefaultWindow, misses: DefaultMisses}
	if err := option.Set(&c, opts); err != nil {
		return c, err
	}
	if c.window > c.interval/2 {
		return c, fmt.Errorf("InstancerWindow of %v is more than half of InstancerInterval, %v", c.window, c.interval)
	}
	return c, nil
}

// RegistrarOption sets up a Registrar. Options of the same name append to each other.
type RegistrarOption func(*registrarConfig) error

type registrarConfig struct{ onError []func(error) }

// RegistrarOnError adds hooks that are told what goes wrong after Register has returned, and is tried again: the connection to NATS was
// lost. They are called on goroutines of the registrations, which they hold up.
func RegistrarOnError(hooks ...func(err error)) RegistrarOption {
	return func(c *registrarConfig) error {
		c.onError = append(c.onError, hooks...)
		return option.RefuseNil("RegistrarOnError", hooks)
	}
}

// check returns what is wrong with the arguments that both constructors take.
func check(nc *nats.Conn, service string) error {
	switch {
	case nc == nil:
		return errors.New("the connection is nil")
	case !isName(service):
		return fmt.Errorf("the name of the service is %q, want letters, digits, - and _, as NATS has them", service)
	}
	return nil
}
