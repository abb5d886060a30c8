package kubediscovery_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	kubediscovery "github.com/ashlar-go/ashlar/sd/kubernetes"
)

// patience is how long a test waits for what must happen, on a busy machine.
const patience = 30 * time.Second

// cluster is an API server, and clients of it.
type cluster struct {
	*testserver.Kubernetes

	admin *kubernetes.Clientset
}

func startCluster(t *testing.T, args ...string) *cluster {
	t.Helper()
	c := &cluster{Kubernetes: testserver.StartKubernetes(t, args...)}
	c.admin, _ = c.client(t, c.Admin)
	return c
}

// client returns a client with that token, and the count of its lists of EndpointSlices. It ends with the test.
func (c *cluster) client(t *testing.T, token string, set ...func(*rest.Config)) (*kubernetes.Clientset, *requests) {
	t.Helper()
	ca, err := os.ReadFile(c.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	counts := &requests{}
	config := &rest.Config{Host: c.URL, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: ca}, QPS: 1000, Burst: 1000}
	config.WrapTransport = func(next http.RoundTripper) http.RoundTripper { return &counting{next: next, requests: counts} }
	for _, s := range set {
		s(config)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { utilnet.CloseIdleConnectionsFor(client.Transport) })
	clients, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	return clients, counts
}

// requests counts requests for EndpointSlices.
type requests struct{ lists, watches atomic.Int32 }

type counting struct {
	*requests

	next http.RoundTripper
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/endpointslices"):
	case r.URL.Query().Get("watch") != "":
		c.watches.Add(1)
	default:
		c.lists.Add(1)
	}
	return c.next.RoundTrip(r)
}

func (c *counting) WrappedRoundTripper() http.RoundTripper { return c.next }

// slice is an EndpointSlice of the service, with one port, on which there are no names.
func slice(service, name string, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   endpoints,
		Ports:       []discoveryv1.EndpointPort{{Port: new(int32(80))}},
	}
}

func endpoint(address string) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{Addresses: []string{address}}
}

// put creates or replaces EndpointSlices.
func (c *cluster) put(t *testing.T, all ...*discoveryv1.EndpointSlice) {
	t.Helper()
	client := c.admin.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault)
	for _, s := range all {
		s = s.DeepCopy()
		have, err := client.Get(t.Context(), s.Name, metav1.GetOptions{})
		if err == nil {
			s.ResourceVersion = have.ResourceVersion
			_, err = client.Update(t.Context(), s, metav1.UpdateOptions{})
		} else {
			_, err = client.Create(t.Context(), s, metav1.CreateOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (c *cluster) remove(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		err := c.admin.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).Delete(t.Context(), name, metav1.DeleteOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (c *cluster) instancer(t *testing.T, service string, opts ...kubediscovery.InstancerOption) *kubediscovery.Instancer {
	t.Helper()
	i, err := kubediscovery.NewInstancer(c.admin.DiscoveryV1(), service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// observer is a watch until its end, or that of the test.
type observer struct {
	*watchtest.Watch

	t *testing.T
}

func observe(t *testing.T, i sd.Instancer) *observer {
	t.Helper()
	return &observer{watchtest.Start(t, i), t}
}

// addresses waits for a set, past no error, that has these addresses. Sets on the way to it may come before.
func (o *observer) addresses(want ...string) []sd.Instance {
	o.t.Helper()
	return o.Await(fmt.Sprint("the set of ", want), func(e watchtest.Event) bool {
		if e.Err != nil {
			o.t.Fatalf("want the set of %v, have %v", want, e.Err)
		}
		return slices.Equal(want, watchtest.Addresses(e.Set))
	}).Set
}

// invalid waits for the error of that entry.
func (o *observer) invalid(entry string) string {
	o.t.Helper()
	err := o.Fails()
	if invalid, ok := errors.AsType[*sd.InvalidError](err); !ok || invalid.Entry != entry {
		o.t.Fatalf("want an InvalidError of %s, have %v", entry, err)
	}
	return err.Error()
}
