package kubediscovery_test

import (
	"context"
	"errors"
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

// event is what a watch has yielded.
type event struct {
	set []sd.Instance
	err error
}

// observer watches in the background until stop, or the end of the test.
type observer struct {
	t      *testing.T
	events chan event
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

func observe(t *testing.T, i sd.Instancer) *observer {
	t.Helper()
	const many = 10_000
	o := &observer{t: t, events: make(chan event, many), done: make(chan struct{})}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(o.done)
		for set, err := range i.Watch(o.ctx) {
			o.events <- event{set, err}
		}
	}()
	t.Cleanup(o.stop)
	return o
}

// stop ends the watch, and fails when it does not end soon.
func (o *observer) stop() {
	o.cancel()
	select {
	case <-o.done:
	case <-time.After(5 * time.Second):
		o.t.Error("the watch has not ended within 5 s")
	}
}

func (o *observer) next() event {
	o.t.Helper()
	select {
	case e := <-o.events:
		return e
	case <-time.After(patience):
		o.t.Fatalf("want a set or an error, have nothing for %v", patience)
	}
	return event{}
}

// addresses waits for a set, past no error, that has these addresses. Sets on the way to it may come before.
func (o *observer) addresses(want ...string) []sd.Instance {
	o.t.Helper()
	var seen [][]string
	for range 20 {
		e := o.next()
		if e.err != nil {
			o.t.Fatalf("want %q, have error %v", want, e.err)
		}
		have := addresses(e.set)
		if slices.Equal(want, have) {
			return e.set
		}
		seen = append(seen, have)
	}
	o.t.Fatalf("want %q, have %q", want, seen)
	return nil
}

func addresses(set []sd.Instance) []string {
	list := make([]string, len(set))
	for n, i := range set {
		list[n] = i.Address
	}
	slices.Sort(list)
	return list
}

// invalid waits for the error of that entry.
func (o *observer) invalid(entry string) string {
	o.t.Helper()
	e := o.next()
	var invalid *sd.InvalidError
	if !errors.As(e.err, &invalid) || invalid.Entry != entry {
		o.t.Fatalf("want an InvalidError of %s, have %v, %v", entry, e.set, e.err)
	}
	return invalid.Error()
}
