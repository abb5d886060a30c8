package consul

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd"
)

// The keys of a service's meta that hold what Consul has no field for. Those that begin with own are of this package.
const (
	zoneKey    = "zone"
	versionKey = "version"
	own        = "ashlar-"
	idKey      = own + "id"
	onceKey    = own + "registration" // what tells one registration from another of the same ID, and which is newer
	weightKey  = own + "weight"       // where a weight of 1 was meant, which is also that of a service without one
)

// registration returns the instance as Consul stores it, without its check.
func registration(service string, instance sd.Instance) (*api.AgentServiceRegistration, error) {
	host, port, err := split(instance.Address)
	if err != nil {
		return nil, err
	}
	r := &api.AgentServiceRegistration{
		ID:      service + ":" + url.PathEscape(instance.ID), // an ID is the agent's, not the service's, and goes into paths
		Name:    service,
		Tags:    instance.Tags,
		Address: host,
		Port:    port,
		Meta:    map[string]string{idKey: instance.ID, onceKey: once(time.Now())},
	}
	maps.Copy(r.Meta, instance.Metadata)
	for key, value := range map[string]string{zoneKey: instance.Zone, versionKey: instance.Version} {
		if value != "" {
			r.Meta[key] = value
		}
	}
	if instance.Weight > 0 {
		r.Weights = &api.AgentWeights{Passing: instance.Weight, Warning: 1}
	}
	if instance.Weight == 1 {
		r.Meta[weightKey] = "1"
	}
	return r, checkLimits(instance, r.Meta)
}

// once returns what no other registration has, and is greater than that of one before it.
func once(now time.Time) string { return fmt.Sprintf("%016x-%s", now.UnixMicro(), rand.Text()) }

// split returns an address as Consul's two fields. What is not "host:port" with a number as its port is the first, with port 0.
func split(address string) (host string, port int, err error) {
	host, text, malformed := net.SplitHostPort(address)
	if malformed == nil && host == "" {
		return "", 0, errors.New("its address has no host, and Consul would take that of its node")
	}
	const maxPort = 65535
	port, _ = strconv.Atoi(text)
	if port < 1 || port > maxPort || join(host, port) != address {
		return address, 0, nil
	}
	return host, port, nil
}

func join(host string, port int) string {
	if port == 0 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// instances returns what the entries are. Of two with one ID, which two agents may have, the one that changed last comes first,
// and counts.
func instances(service string, entries []*api.ServiceEntry) (set []sd.Instance, invalid []*sd.InvalidError) {
	entries = slices.DeleteFunc(entries, func(e *api.ServiceEntry) bool { return e == nil || e.Node == nil || e.Service == nil })
	slices.SortStableFunc(entries, func(a, b *api.ServiceEntry) int {
		return cmp.Or(-cmp.Compare(a.Service.ModifyIndex, b.Service.ModifyIndex), cmp.Compare(a.Node.Node, b.Node.Node))
	})
	for _, e := range entries {
		instance := instanceOf(e)
		if err := instance.Check(); err != nil {
			invalid = append(invalid, &sd.InvalidError{Entry: service + " " + nameOf(e), Err: err})
			continue
		}
		set = append(set, instance)
	}
	return set, invalid
}

// nameOf names an entry. An ID alone does not: agents have them, and many use the name of the service.
func nameOf(e *api.ServiceEntry) string { return e.Node.Node + "/" + e.Service.ID }

func instanceOf(e *api.ServiceEntry) sd.Instance {
	s := e.Service
	i := sd.Instance{
		ID:      cmp.Or(s.Meta[idKey], nameOf(e)),
		Address: join(cmp.Or(s.Address, e.Node.Address), s.Port),
		Weight:  s.Weights.Passing,
		Zone:    s.Meta[zoneKey],
		Version: s.Meta[versionKey],
		Tags:    s.Tags,
	}
	if i.Weight == 1 && s.Meta[weightKey] == "" {
		i.Weight = 0
	}
	for key, value := range s.Meta {
		if key == zoneKey || key == versionKey || strings.HasPrefix(key, own) {
			continue
		}
		if i.Metadata == nil {
			i.Metadata = make(map[string]string)
		}
		i.Metadata[key] = value
	}
	return i
}
