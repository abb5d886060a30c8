package dns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// InstancerOption sets up an Instancer. Options that take lists append; of the others the last counts.
type InstancerOption func(*config) error

type config struct {
	conf     string // the path of resolv.conf
	servers  []string
	search   []string
	ndots    int // less than 0: what resolv.conf says
	timeout  time.Duration
	attempts int
	floor    time.Duration
	ceiling  time.Duration
	families []family
}

func newConfig(opts []InstancerOption) (config, error) {
	c := config{conf: DefaultResolvConf, ndots: -1, floor: DefaultMinTTL, ceiling: DefaultMaxTTL, families: []family{ip4, ip6}}
	if err := option.Set(&c, opts); err != nil {
		return config{}, err
	}
	if c.floor > c.ceiling {
		return config{}, fmt.Errorf("InstancerMinTTL of %v is more than InstancerMaxTTL of %v", c.floor, c.ceiling)
	}
	return c, nil
}

const dnsPort = "53"

// InstancerServers names the servers to ask, in their order, each as an address with or without a port, which is 53 by default. With
// them resolv.conf is not read, and names are looked up as they are unless there is InstancerSearch.
func InstancerServers(addresses ...string) InstancerOption {
	return func(c *config) error {
		if len(addresses) == 0 {
			return errors.New("InstancerServers: there is none")
		}
		for _, address := range addresses {
			if ip, err := netip.ParseAddr(address); err == nil {
				address = net.JoinHostPort(ip.String(), dnsPort)
			} else if _, err := netip.ParseAddrPort(address); err != nil {
				return fmt.Errorf("InstancerServers(%q): want an IP address, or one with a port", address)
			}
			c.servers = append(c.servers, address)
		}
		return nil
	}
}

// InstancerResolvConf sets the path of the file that is read instead of DefaultResolvConf.
func InstancerResolvConf(path string) InstancerOption {
	return func(c *config) error {
		if path == "" {
			return errors.New("InstancerResolvConf: the path is empty")
		}
		c.conf = path
		return nil
	}
}

// InstancerSearch names domains in which names are looked up that do not end in a dot, instead of those of resolv.conf.
func InstancerSearch(domains ...string) InstancerOption {
	return func(c *config) error {
		if len(domains) == 0 {
			return errors.New("InstancerSearch: there is no domain; a name that ends in a dot is not looked up in any")
		}
		for _, domain := range domains {
			if err := checkName(domain); err != nil {
				return fmt.Errorf("InstancerSearch: %w", err)
			}
			c.search = append(c.search, domain)
		}
		return nil
	}
}

// InstancerNdots sets how many dots a name has that is looked up as it is before the search list is tried, instead of what resolv.conf
// says, where 1 is the default.
func InstancerNdots(n int) InstancerOption {
	return func(c *config) error {
		const most = 15 // as in resolv.conf
		c.ndots = n
		return option.Within("InstancerNdots", n, 0, most)
	}
}

// InstancerTimeout sets how long a server may take for an answer. The default is what resolv.conf says, or DefaultTimeout.
func InstancerTimeout(timeout time.Duration) InstancerOption {
	return func(c *config) error {
		c.timeout = timeout
		return option.Positive("InstancerTimeout", timeout)
	}
}

// InstancerAttempts sets how often each server is asked before a query fails. The default is what resolv.conf says, or
// DefaultAttempts.
func InstancerAttempts(n int) InstancerOption {
	return func(c *config) error {
		const most = 100
		c.attempts = n
		return option.Within("InstancerAttempts", n, 1, most)
	}
}

// InstancerMinTTL sets the time after which is asked again at the earliest, also when a time to live is shorter. The default is
// DefaultMinTTL.
func InstancerMinTTL(floor time.Duration) InstancerOption {
	return func(c *config) error {
		c.floor = floor
		return option.Positive("InstancerMinTTL", floor)
	}
}

// InstancerMaxTTL sets the time after which is asked again at the latest, also when all times to live are longer. The default is
// DefaultMaxTTL.
func InstancerMaxTTL(ceiling time.Duration) InstancerOption {
	return func(c *config) error {
		c.ceiling = ceiling
		return option.Positive("InstancerMaxTTL", ceiling)
	}
}

// InstancerNetwork says which addresses are looked up: "ip4" for A records, "ip6" for AAAA records, or "ip" for both, the default.
func InstancerNetwork(network string) InstancerOption {
	return func(c *config) error {
		switch network {
		case "ip":
			c.families = []family{ip4, ip6}
		case "ip4":
			c.families = []family{ip4}
		case "ip6":
			c.families = []family{ip6}
		default:
			return fmt.Errorf("InstancerNetwork(%q): want ip, ip4 or ip6", network)
		}
		return nil
	}
}
