package dns

import "time"

// Config lets tests make an option of several.
type Config = config

// Resolver is what resolv.conf and the options say.
type Resolver struct {
	Servers, Search []string
	Ndots, Attempts int
	Timeout         time.Duration
}

// ParseResolvConf reads a resolv.conf.
func ParseResolvConf(text string) Resolver {
	return parseResolvConf(text).export()
}

// ResolverOf returns what an Instancer would ask by.
func ResolverOf(i *Instancer) (Resolver, error) {
	r, err := i.config.resolver()
	if err != nil {
		return Resolver{}, err
	}
	return r.export(), nil
}

func (r *resolver) export() Resolver {
	return Resolver{Servers: r.servers, Search: r.search, Ndots: r.ndots, Attempts: r.attempts, Timeout: r.timeout}
}

// Unpack reads an answer to a question for the addresses of a name, and everything in it.
func Unpack(message []byte, id uint16, name string) (answers int, refused bool, err error) {
	r, err := unpack(message, id, question{name: name, kind: 1})
	if err != nil {
		return 0, false, err
	}
	r.negativeTTL()
	life := lifetime(maxLife)
	r.alias(name, &life)
	ip4.pick(name, r.additional)
	priorities(r.answers)
	return len(r.answers), r.refusal() != nil, nil
}

// Candidates are the names that are looked up for one.
func Candidates(name string, search []string, ndots int) []string {
	return candidates(name, search, ndots)
}
