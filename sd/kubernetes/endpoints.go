package kubediscovery

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	// MetadataPod is the key of the name of the pod.
	MetadataPod = "pod"
	// MetadataNode is the key of the name of the node that the pod runs on.
	MetadataNode = "node"
	// MetadataHostname is the key of the hostname of the pod, where it has one, as those of a StatefulSet do.
	MetadataHostname = "hostname"
	// MetadataState is the key of the state of an instance that is not ready.
	MetadataState = "state"

	// StateTerminating is the MetadataState of an instance that is about to end, and still serves.
	StateTerminating = "terminating"
	// StateNotReady is that of others which are not ready.
	StateNotReady = "not-ready"
)

// candidate is an endpoint that may be an instance.
type candidate struct {
	instance sd.Instance
	hints    *discoveryv1.EndpointHints
}

// candidates are endpoints by their state.
type candidates struct{ ready, terminating, notReady []candidate }

// instances returns the instances in all EndpointSlices of the service, by their names. An endpoint that is moved is in two of them for a
// moment; then the one with the better state counts.
func (c *config) instances(all map[string]*discoveryv1.EndpointSlice) (set []sd.Instance, invalid []*sd.InvalidError) {
	var found candidates
	for _, slice := range c.order(all) {
		if len(slice.Endpoints) == 0 {
			continue // one that stands for no endpoints has no ports either
		}
		number, err := c.port.of(slice)
		if err != nil {
			invalid = append(invalid, &sd.InvalidError{Entry: slice.Name, Err: err})
			continue
		}
		for n := range slice.Endpoints {
			if err := found.add(c, slice, &slice.Endpoints[n], number); err != nil {
				invalid = append(invalid, &sd.InvalidError{Entry: fmt.Sprintf("%s, endpoint %d", slice.Name, n), Err: err})
			}
		}
	}
	return found.choose(c), invalid
}

// order returns the EndpointSlices of the wanted types of addresses, in the order of preference.
func (c *config) order(all map[string]*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	rank := func(s *discoveryv1.EndpointSlice) int { return slices.Index(c.types, s.AddressType) }
	ordered := slices.DeleteFunc(slices.Collect(maps.Values(all)), func(s *discoveryv1.EndpointSlice) bool { return rank(s) < 0 })
	slices.SortFunc(ordered, func(a, b *discoveryv1.EndpointSlice) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
	})
	return ordered
}

// add adds the endpoint under its state. A condition that is not said is that of an endpoint that is ready.
func (all *candidates) add(c *config, slice *discoveryv1.EndpointSlice, endpoint *discoveryv1.Endpoint, number int32) error {
	conditions := endpoint.Conditions
	list, state := &all.ready, ""
	switch {
	case ptr.Deref(conditions.Ready, true):
	case ptr.Deref(conditions.Terminating, false) && ptr.Deref(conditions.Serving, true):
		list, state = &all.terminating, StateTerminating
	default:
		list, state = &all.notReady, StateNotReady
	}
	address, err := addressOf(slice.AddressType, endpoint, number)
	if err != nil {
		return err
	}
	instance := sd.Instance{
		Address: address, Zone: ptr.Deref(endpoint.Zone, ""), Version: slice.Labels[c.versionLabel],
		Metadata: map[string]string{},
	}
	for key, value := range map[string]string{
		MetadataNode: ptr.Deref(endpoint.NodeName, ""), MetadataHostname: ptr.Deref(endpoint.Hostname, ""), MetadataState: state,
	} {
		if value != "" {
			instance.Metadata[key] = value
		}
	}
	if target := endpoint.TargetRef; target != nil {
		instance.ID = string(target.UID)
		if target.Kind == "Pod" && target.Name != "" {
			instance.Metadata[MetadataPod] = target.Name
		}
	}
	if err := instance.Check(); err != nil {
		return err
	}
	*list = append(*list, candidate{instance, endpoint.Hints})
	return nil
}

// addressOf returns the first address, which is the only one that has a meaning.
func addressOf(kind discoveryv1.AddressType, endpoint *discoveryv1.Endpoint, number int32) (string, error) {
	if len(endpoint.Addresses) == 0 {
		return "", errors.New("there is no address")
	}
	host := endpoint.Addresses[0]
	if kind != discoveryv1.AddressTypeFQDN {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", fmt.Errorf("the address: %w", err)
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(int(number))), nil
}

// choose returns the instances that are wanted, the best first.
func (all *candidates) choose(c *config) []sd.Instance {
	chosen := hinted(all.ready, c.zone)
	switch {
	case c.notReady:
		chosen = slices.Concat(chosen, all.terminating, all.notReady)
	case c.terminating && len(chosen) == 0:
		chosen = all.terminating
	}
	set := make([]sd.Instance, len(chosen))
	for n := range chosen {
		set[n] = chosen[n].instance
	}
	return set
}

// hinted returns those that are meant for the zone; all when one has no hint, or none is meant for it.
func hinted(all []candidate, zone string) []candidate {
	if zone == "" {
		return all
	}
	var meant []candidate
	for _, c := range all {
		if c.hints == nil || len(c.hints.ForZones) == 0 {
			return all
		}
		if slices.ContainsFunc(c.hints.ForZones, func(z discoveryv1.ForZone) bool { return z.Name == zone }) {
			meant = append(meant, c)
		}
	}
	if len(meant) == 0 {
		return all
	}
	return meant
}
