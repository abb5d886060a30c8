package kubediscovery_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ashlar-go/ashlar/sd"
	kubediscovery "github.com/ashlar-go/ashlar/sd/kubernetes"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

const version = "app.kubernetes.io/version"

func TestConformance(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) {
			return kubediscovery.NewInstancer(c.admin.DiscoveryV1(), service, kubediscovery.InstancerVersionLabel(version))
		},
		Put:     c.set,
		Corrupt: c.corrupt,
		Outage: func() (func() error, error) {
			c.Stop()
			return func() error { c.Start(); return nil }, nil
		},
		Differences: []sdtest.Difference{
			{Check: "Registrar", Reason: "Kubernetes writes the EndpointSlices of a service itself, out of its pods"},
			{Check: "IPv6", Reason: "the API server refuses IPv4-mapped addresses; it takes all others"},
			{Check: "OtherAddresses", Reason: "an endpoint has an IP address or the name of a host, and a port"},
			{Check: "Weight", Reason: "an endpoint has none"},
			{Check: "Version", Reason: "it is a label of the EndpointSlice, and a label has at most 63 letters, digits, hyphens, dots and underscores"},
			{Check: "Tags", Reason: "an endpoint has none"},
			{Check: "Metadata", Reason: "an endpoint has a pod and a node, and nothing that is chosen freely"},
			{Check: "OddMetadata", Reason: "an endpoint has a pod and a node, and nothing that is chosen freely"},
			{Check: "AllFields", Reason: "an endpoint has no weight, no tags and no metadata that are chosen freely"},
		},
	})
}

// set makes these the instances of the service, each in an EndpointSlice of its own.
func (c *cluster) set(service string, instances ...sd.Instance) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := c.admin.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault)
	mine := discoveryv1.LabelServiceName + "=" + service + "," + discoveryv1.LabelManagedBy + "=sdtest"
	there, err := client.List(ctx, metav1.ListOptions{LabelSelector: mine})
	if err != nil {
		return err
	}
	versions := make(map[string]string, len(there.Items)) // of the resource, by name
	for _, s := range there.Items {
		versions[s.Name] = s.ResourceVersion
	}
	for _, i := range instances {
		s, err := sliceWith(service, i)
		if err != nil {
			return err
		}
		if known, ok := versions[s.Name]; ok {
			s.ResourceVersion = known
			_, err = client.Update(ctx, s, metav1.UpdateOptions{})
		} else {
			_, err = client.Create(ctx, s, metav1.CreateOptions{})
		}
		if err != nil {
			return err
		}
		delete(versions, s.Name)
	}
	for name := range versions {
		if err := client.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// sliceWith returns the EndpointSlice of one instance. It has the ID as the UID of a pod.
func sliceWith(service string, i sd.Instance) (*discoveryv1.EndpointSlice, error) {
	host, port, err := net.SplitHostPort(i.Address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	e := endpoint(host)
	if i.Zone != "" {
		e.Zone = &i.Zone
	}
	hash := fnv.New128a()
	hash.Write([]byte(i.Address))
	if i.ID != "" {
		e.TargetRef = &corev1.ObjectReference{Kind: "Pod", UID: types.UID(i.ID)}
		hash.Reset()
		hash.Write([]byte(i.ID))
	}
	s := slice(service, service+"-"+hex.EncodeToString(hash.Sum(nil)), e)
	s.Labels[discoveryv1.LabelManagedBy] = "sdtest"
	s.Ports[0].Port = new(int32(number))
	if i.Version != "" {
		s.Labels[version] = i.Version
	}
	switch ip, err := netip.ParseAddr(host); {
	case err != nil:
		s.AddressType = discoveryv1.AddressTypeFQDN
	case ip.Is6():
		s.AddressType = discoveryv1.AddressTypeIPv6
	}
	return s, nil
}

// corrupt writes an EndpointSlice of which nobody can tell the port.
func (c *cluster) corrupt(service string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s := slice(service, service+"-corrupt", endpoint("192.0.2.250"))
	s.Ports = append(s.Ports, discoveryv1.EndpointPort{Name: new("other"), Port: new(int32(81))})
	if _, err := c.admin.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).Create(ctx, s, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return nil
}
