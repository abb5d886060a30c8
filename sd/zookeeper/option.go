package zookeeper

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

const (
	// DefaultPrefix is the node below which the services are.
	DefaultPrefix = "/ashlar/services"
	// DefaultCheck is how often a watch is compared with what ZooKeeper has.
	DefaultCheck = 3 * time.Second
)

const minCheck, maxCheck = 100 * time.Millisecond, time.Hour

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
	acl    []zk.ACL
	report []func(error)
}

// InstancerPrefix sets the node below which the services are, by default DefaultPrefix. It is an absolute path, and may be "/".
func InstancerPrefix(prefix string) InstancerOption {
	return func(c *instancerConfig) error {
		c.prefix = prefix
		return checkPrefix("InstancerPrefix", prefix)
	}
}

// InstancerCheck sets how often a watch reads the names of the nodes of its service to see whether it has missed something, by default
// DefaultCheck: from 100 ms to an hour. An outage is noticed within this time and three seconds more.
func InstancerCheck(every time.Duration) InstancerOption {
	return func(c *instancerConfig) error {
		c.check = every
		return option.Within("InstancerCheck", every, minCheck, maxCheck)
	}
}

// RegistrarPrefix sets the node below which the services are, by default DefaultPrefix. It is an absolute path, and may be "/".
func RegistrarPrefix(prefix string) RegistrarOption {
	return func(c *registrarConfig) error {
		c.prefix = prefix
		return checkPrefix("RegistrarPrefix", prefix)
	}
}

// RegistrarACL appends entries to the access control list of the nodes that are made: those of the instances, and those above them that are
// not there yet. By default anybody may do anything, as zk.WorldACL(zk.PermAll) says.
func RegistrarACL(acl ...zk.ACL) RegistrarOption {
	return func(c *registrarConfig) error {
		c.acl = append(c.acl, acl...)
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
	if !strings.HasPrefix(prefix, "/") {
		return fmt.Errorf("%s(%q): it does not begin with a slash", name, prefix)
	}
	if prefix == "/" {
		return nil
	}
	for element := range strings.SplitSeq(prefix[1:], "/") {
		if err := checkElement(element); err != nil {
			return fmt.Errorf("%s(%q): %w", name, prefix, err)
		}
	}
	return nil
}

func checkElement(element string) error {
	unseen := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	switch {
	case element == "":
		return errors.New("a name in it is empty")
	case element == "." || element == "..":
		return fmt.Errorf("%q is no name of a node", element)
	case strings.ContainsFunc(element, unseen):
		return fmt.Errorf("%q has other characters than visible ASCII", element)
	}
	return nil
}

// servicePath returns the node of a service.
func servicePath(conn *zk.Conn, prefix, service string) (string, error) {
	var missing error
	if conn == nil {
		missing = errors.New("the connection is nil")
	}
	return strings.TrimSuffix(prefix, "/") + "/" + service, errors.Join(missing, driver.CheckService(service))
}
