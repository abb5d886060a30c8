package kubediscovery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ashlar-go/ashlar/internal/option"
)

// InstancerOption sets up an Instancer.
type InstancerOption func(*config) error

type config struct {
	namespace    string
	port         port
	types        []discoveryv1.AddressType // in the order of preference
	terminating  bool
	notReady     bool
	versionLabel string
	zone         string // whose hints are heeded
}

func newConfig(opts []InstancerOption) (config, error) {
	c := config{namespace: metav1.NamespaceDefault}
	err := option.Set(&c, opts)
	if len(c.types) == 0 {
		c.types = addressTypes()
	}
	return c, err
}

// addressTypes returns those that there are.
func addressTypes() []discoveryv1.AddressType {
	return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6, discoveryv1.AddressTypeFQDN}
}

// InstancerNamespace says in which namespace the service is; by default in "default".
func InstancerNamespace(name string) InstancerOption {
	return func(c *config) error {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return fmt.Errorf("InstancerNamespace(%q): %s", name, strings.Join(problems, ", "))
		}
		c.namespace = name
		return nil
	}
}

// InstancerPort says which port of the service is called, by the name that the service gives it. By default it is the only one. It and
// InstancerPortNumber exclude each other.
func InstancerPort(name string) InstancerOption {
	return func(c *config) error {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return fmt.Errorf("InstancerPort(%q): %s", name, strings.Join(problems, ", "))
		}
		return c.setPort(port{name: name})
	}
}

// InstancerPortNumber says which port is called, by the number that the pods listen on: the targetPort of the service, and not its port.
// Of EndpointSlices without ports, as those of a headless service that names none, each endpoint has it.
func InstancerPortNumber(number int) InstancerOption {
	return func(c *config) error {
		const most = 65535
		if err := option.Within("InstancerPortNumber", number, 1, most); err != nil {
			return err
		}
		return c.setPort(port{number: int32(number)})
	}
}

func (c *config) setPort(p port) error {
	if c.port != (port{}) {
		return errors.New("the port is given twice, by InstancerPort or InstancerPortNumber")
	}
	c.port = p
	return nil
}

// InstancerAddressTypes says which types of addresses are taken. A pod that has addresses of several types, as those of a dual-stack
// service, is one instance, with an address of the first of them. Given again it adds types. By default these are IPv4, IPv6 and FQDN, in
// this order.
func InstancerAddressTypes(types ...discoveryv1.AddressType) InstancerOption {
	return func(c *config) error {
		if len(types) == 0 {
			return errors.New("InstancerAddressTypes: there is none")
		}
		for _, t := range types {
			if !slices.Contains(addressTypes(), t) || slices.Contains(c.types, t) {
				return fmt.Errorf("InstancerAddressTypes(%q): want each at most once of %q", types, addressTypes())
			}
			c.types = append(c.types, t)
		}
		return nil
	}
}

// InstancerTerminating takes, as long as no instance is ready, those that are terminating and still serve, as kube-proxy does. Their
// MetadataState is StateTerminating.
func InstancerTerminating() InstancerOption {
	return func(c *config) error {
		c.terminating = true
		return nil
	}
}

// InstancerNotReady takes all instances, whatever their conditions are, as publishNotReadyAddresses does for all clients of a service:
// for peers that must find each other before they are ready. Those that are not ready have a MetadataState.
func InstancerNotReady() InstancerOption {
	return func(c *config) error {
		c.notReady = true
		return nil
	}
}

// InstancerVersionLabel takes the version of instances from that label of their EndpointSlice, which has the labels of the service. By
// default they have no version, since what a pod is labelled with is not in an EndpointSlice.
func InstancerVersionLabel(label string) InstancerOption {
	return func(c *config) error {
		if problems := validation.IsQualifiedName(label); len(problems) > 0 {
			return fmt.Errorf("InstancerVersionLabel(%q): %s", label, strings.Join(problems, ", "))
		}
		c.versionLabel = label
		return nil
	}
}

// InstancerHints takes the instances that the hints of Kubernetes (trafficDistribution) mean for clients in that zone. As with
// kube-proxy all instances are taken while one has no hint, or none is meant for the zone. By default hints are not heeded.
func InstancerHints(zone string) InstancerOption {
	return func(c *config) error {
		if problems := validation.IsValidLabelValue(zone); zone == "" || len(problems) > 0 {
			return fmt.Errorf("InstancerHints(%q): want the name of a zone", zone)
		}
		c.zone = zone
		return nil
	}
}
