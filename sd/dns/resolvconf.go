package dns

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// resolver is whom to ask, and how: what resolv.conf says, below what options say.
type resolver struct {
	servers  []string // with ports
	search   []string
	ndots    int
	timeout  time.Duration
	attempts int
}

// resolver reads resolv.conf, each time, since it changes with the network.
func (c *config) resolver() (*resolver, error) {
	r := parseResolvConf("")
	if len(c.servers) == 0 {
		text, err := os.ReadFile(c.conf)
		if err != nil {
			return nil, fmt.Errorf("reading which servers to ask: %w", err)
		}
		r = parseResolvConf(string(text))
		if len(r.servers) == 0 {
			r.servers = []string{net.JoinHostPort("127.0.0.1", dnsPort), net.JoinHostPort("::1", dnsPort)} // as resolv.conf(5) says
		}
	} else {
		r.servers = c.servers
	}
	if c.search != nil {
		r.search = c.search
	}
	if c.ndots >= 0 {
		r.ndots = c.ndots
	}
	if c.timeout > 0 {
		r.timeout = c.timeout
	}
	if c.attempts > 0 {
		r.attempts = c.attempts
	}
	return r, nil
}

// parseResolvConf takes what resolv.conf(5) describes, and passes over what is wrong, as the resolvers of C libraries do.
func parseResolvConf(text string) *resolver {
	r := &resolver{ndots: 1, timeout: DefaultTimeout, attempts: DefaultAttempts}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.ContainsAny(fields[0][:1], "#;") {
			continue
		}
		switch fields[0] {
		case "nameserver":
			if ip, err := netip.ParseAddr(fields[1]); err == nil {
				r.servers = append(r.servers, net.JoinHostPort(ip.String(), dnsPort))
			}
		case "domain", "search": // the last of them counts
			r.search = nil
			for _, domain := range fields[1:] {
				if checkName(domain) == nil {
					r.search = append(r.search, domain)
				}
			}
		case "options":
			for _, o := range fields[1:] {
				r.option(o)
			}
		}
	}
	return r
}

func (r *resolver) option(text string) {
	name, value, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return
	}
	const maxNdots, maxTimeout, maxAttempts = 15, 30, 5 // as resolv.conf(5) caps them
	switch name {
	case "ndots":
		r.ndots = min(n, maxNdots)
	case "timeout":
		r.timeout = time.Duration(min(max(n, 1), maxTimeout)) * time.Second
	case "attempts":
		r.attempts = min(max(n, 1), maxAttempts)
	}
}
