package kubediscovery_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	clientv1 "k8s.io/client-go/kubernetes/typed/discovery/v1"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	kubediscovery "github.com/ashlar-go/ashlar/sd/kubernetes"
)

// here is a test at the API server that several share.
type here struct {
	t *testing.T
	*cluster
}

// TestInstancer has what is checked at one API server.
func TestInstancer(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	t.Run("calm", func(t *testing.T) {
		for name, check := range map[string]func(here){
			"slices are joined":           testSlicesAreJoined,
			"empty set":                   testEmptySetIsReported,
			"ready only":                  testEndpointsThatAreNotReadyAreLeftOut,
			"terminating":                 testTerminatingEndpointsServeWhileNoneIsReady,
			"ports":                       testPorts,
			"the only port":               testTheOnlyPort,
			"ports differ by slice":       testSlicesWithoutThePortAreReported,
			"no ports":                    testEndpointsWithoutPortsHaveThatNumber,
			"addresses":                   testAddressTypes,
			"fields":                      testFields,
			"moved endpoints":             testAnEndpointInTwoSlicesCountsOnce,
			"hints":                       testHints,
			"pages":                       testPages,
			"watches that end":            testWatchesThatEndAreContinued,
			"rights":                      testRights,
			"a watch that is not allowed": testAWatchThatIsNotAllowedIsNotRepeatedAtOnce,
			"manifest":                    testManifest,
			"connections that are cut":    testConnectionsThatAreCut,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				check(here{t, c})
			})
		}
	})
	t.Run("hang", func(t *testing.T) {
		t.Parallel()
		testAnAPIServerThatHangs(here{t, c})
	})
}

func testSlicesAreJoined(at here) {
	t, c := at.t, at.cluster
	c.put(t, slice("joined", "joined-a", endpoint("10.0.0.1"), endpoint("10.0.0.2")), slice("joined", "joined-b", endpoint("10.0.0.3")))
	c.put(t, slice("other", "other-a", endpoint("10.0.0.9")))
	o := observe(t, c.instancer(t, "joined"))
	o.addresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
	c.put(t, slice("joined", "joined-b", endpoint("10.0.0.3"), endpoint("10.0.0.4"))) // the other stays
	o.addresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80")
	c.put(t, slice("joined", "joined-c", endpoint("10.0.0.5")))
	o.addresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80")
	c.put(t, slice("joined", "joined-a"))
	o.addresses("10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80")
	c.remove(t, "joined-b")
	o.addresses("10.0.0.5:80")
	c.remove(t, "joined-c")
	o.addresses()
	o.Quiet()
}

func testEmptySetIsReported(at here) {
	t, c := at.t, at.cluster
	o := observe(t, c.instancer(t, "empty"))
	if set := o.Set(); set == nil || len(set) > 0 {
		t.Fatalf("want an empty set, have %v", set)
	}
	placeholder := slice("empty", "empty-a") // as the controller makes it
	placeholder.Ports = nil
	c.put(t, placeholder)
	c.put(t, slice("empty", "empty-b", endpoint("10.0.0.1")))
	o.addresses("10.0.0.1:80")
}

// in returns an endpoint with these conditions.
func in(address string, ready, serving, terminating *bool) discoveryv1.Endpoint {
	e := endpoint(address)
	e.Conditions = discoveryv1.EndpointConditions{Ready: ready, Serving: serving, Terminating: terminating}
	return e
}

func testEndpointsThatAreNotReadyAreLeftOut(at here) {
	t, c := at.t, at.cluster
	yes, no := new(true), new(false)
	c.put(t, slice("ready", "ready-a",
		in("10.0.0.1", nil, nil, nil), in("10.0.0.2", yes, nil, nil), in("10.0.0.3", no, nil, nil), in("10.0.0.4", no, no, no),
		in("10.0.0.5", no, yes, yes), in("10.0.0.6", no, no, yes),
	))
	observe(t, c.instancer(t, "ready")).addresses("10.0.0.1:80", "10.0.0.2:80")
	observe(t, c.instancer(t, "ready", kubediscovery.InstancerTerminating())).addresses("10.0.0.1:80", "10.0.0.2:80")
	set := observe(t, c.instancer(t, "ready", kubediscovery.InstancerNotReady())).Set()
	want := []string{"", "", "not-ready", "not-ready", "terminating", "not-ready"}
	for n, i := range set {
		if state := i.Metadata[kubediscovery.MetadataState]; len(set) != len(want) || state != want[n] {
			t.Errorf("want states %q, have of %d the state %q of %s", want, len(set), state, i)
		}
	}
}

func testTerminatingEndpointsServeWhileNoneIsReady(at here) {
	t, c := at.t, at.cluster
	yes, no := new(true), new(false)
	leaving := []discoveryv1.Endpoint{in("10.0.0.5", no, yes, yes), in("10.0.0.6", no, no, yes)}
	c.put(t, slice("leaving", "leaving-a", leaving...))
	plain := observe(t, c.instancer(t, "leaving"))
	plain.addresses()
	o := observe(t, c.instancer(t, "leaving", kubediscovery.InstancerTerminating()))
	o.addresses("10.0.0.5:80")
	c.put(t, slice("leaving", "leaving-b", endpoint("10.0.0.7")))
	o.addresses("10.0.0.7:80")
	plain.addresses("10.0.0.7:80")
}

func testPorts(at here) {
	t, c := at.t, at.cluster
	s := slice("ports", "ports-a", endpoint("10.0.0.1"))
	s.Ports = []discoveryv1.EndpointPort{
		{Name: new("http"), Port: new(int32(8080))}, {Name: new("grpc"), Port: new(int32(9090))}, {Name: new("any")},
	}
	c.put(t, s)
	observe(t, c.instancer(t, "ports", kubediscovery.InstancerPort("grpc"))).addresses("10.0.0.1:9090")
	observe(t, c.instancer(t, "ports", kubediscovery.InstancerPortNumber(8080))).addresses("10.0.0.1:8080")
	for _, test := range []struct {
		opts []kubediscovery.InstancerOption
		want string
	}{
		{nil, "there are several ports, and InstancerPort is to name one: http (8080), grpc (9090), any (any)"},
		{[]kubediscovery.InstancerOption{kubediscovery.InstancerPort("web")}, `there is no port "web"; there are: http (8080), grpc (9090), any (any)`},
		{[]kubediscovery.InstancerOption{kubediscovery.InstancerPortNumber(80)}, `there is no port 80; there are: http (8080), grpc (9090), any (any)`},
		{[]kubediscovery.InstancerOption{kubediscovery.InstancerPort("any")}, `the port has no number: any (any)`},
	} {
		o := observe(t, c.instancer(t, "ports", test.opts...))
		if have := o.invalid("ports-a"); !strings.HasSuffix(have, test.want) {
			t.Errorf("want %q, have %q", test.want, have)
		}
		o.addresses()
	}
}

func testTheOnlyPort(at here) {
	t, c := at.t, at.cluster
	s := slice("only", "only-a", endpoint("10.0.0.1"))
	s.Ports[0].Name = new("http")
	c.put(t, s)
	o := observe(t, c.instancer(t, "only"))
	o.addresses("10.0.0.1:80")
	s.Ports[0].Port = new(int32(81))
	c.put(t, s)
	o.addresses("10.0.0.1:81")
	s.Ports = nil
	c.put(t, s)
	if want, have := "there is no port at all; there are: none", o.invalid("only-a"); !strings.HasSuffix(have, want) {
		t.Errorf("want %q, have %q", want, have)
	}
	o.addresses()
}

func testSlicesWithoutThePortAreReported(at here) {
	t, c := at.t, at.cluster
	a, b := slice("apart", "apart-a", endpoint("10.0.0.1")), slice("apart", "apart-b", endpoint("10.0.0.2"))
	a.Ports[0].Name, b.Ports[0].Name = new("http"), new("web")
	c.put(t, a, b)
	o := observe(t, c.instancer(t, "apart", kubediscovery.InstancerPort("http")))
	o.invalid("apart-b")
	o.addresses("10.0.0.1:80")
	b.Ports[0] = discoveryv1.EndpointPort{Name: new("http"), Port: new(int32(8080))} // pods of another version
	c.put(t, b)
	o.addresses("10.0.0.1:80", "10.0.0.2:8080")
}

func testEndpointsWithoutPortsHaveThatNumber(at here) {
	t, c := at.t, at.cluster
	s := slice("headless", "headless-a", endpoint("10.0.0.1"))
	s.Ports = nil
	c.put(t, s)
	observe(t, c.instancer(t, "headless", kubediscovery.InstancerPortNumber(5432))).addresses("10.0.0.1:5432")
}

// of returns an endpoint that stands for the pod.
func of(pod, address string) discoveryv1.Endpoint {
	e := endpoint(address)
	e.TargetRef = &corev1.ObjectReference{Kind: "Pod", Name: pod, Namespace: "default", UID: types.UID("uid-of-" + pod)}
	return e
}

func testAddressTypes(at here) {
	t, c := at.t, at.cluster
	four := slice("stack", "stack-4", of("a", "10.0.0.1"), of("b", "10.0.0.2"))
	six := slice("stack", "stack-6", of("a", "2001:db8::1"), of("c", "2001:db8::3"))
	six.AddressType = discoveryv1.AddressTypeIPv6
	name := slice("stack", "stack-n", endpoint("db.example.com"))
	name.AddressType = discoveryv1.AddressTypeFQDN
	c.put(t, four, six, name)
	types := func(types ...discoveryv1.AddressType) *observer {
		return observe(t, c.instancer(t, "stack", kubediscovery.InstancerAddressTypes(types...)))
	}
	observe(t, c.instancer(t, "stack")).addresses("10.0.0.1:80", "10.0.0.2:80", "[2001:db8::3]:80", "db.example.com:80")
	types("IPv6", "IPv4").addresses("10.0.0.2:80", "[2001:db8::1]:80", "[2001:db8::3]:80")
	types("IPv6").addresses("[2001:db8::1]:80", "[2001:db8::3]:80")
}

func testFields(at here) {
	t, c := at.t, at.cluster
	e := of("orders-0", "10.0.0.1")
	e.Zone, e.NodeName, e.Hostname = new("eu-1a"), new("node-7"), new("orders-0")
	vm := endpoint("10.0.0.2")
	vm.TargetRef = &corev1.ObjectReference{Kind: "VirtualMachine", Name: "old", UID: "uid-of-vm"}
	s := slice("fields", "fields-a", e, vm, endpoint("10.0.0.3"))
	s.Labels["app.kubernetes.io/version"] = "1.4.2"
	c.put(t, s)
	set := observe(t, c.instancer(t, "fields", kubediscovery.InstancerVersionLabel("app.kubernetes.io/version"))).Set()
	want := []sd.Instance{
		{ID: "10.0.0.3:80", Address: "10.0.0.3:80", Version: "1.4.2"},
		{
			ID: "uid-of-orders-0", Address: "10.0.0.1:80", Zone: "eu-1a", Version: "1.4.2",
			Metadata: map[string]string{"pod": "orders-0", "node": "node-7", "hostname": "orders-0"},
		},
		{ID: "uid-of-vm", Address: "10.0.0.2:80", Version: "1.4.2"},
	}
	if !sd.Same(want, set) {
		t.Errorf("want %+v, have %+v", want, set)
	}
	if set := observe(t, c.instancer(t, "fields")).Set(); len(set) != len(want) || set[0].Version != "" {
		t.Errorf("want no versions, have %+v", set)
	}
}

func testAnEndpointInTwoSlicesCountsOnce(at here) {
	t, c := at.t, at.cluster
	stale := of("a", "10.0.0.1")
	stale.Conditions.Ready = new(false)
	c.put(t, slice("moved", "moved-a", stale), slice("moved", "moved-b", of("a", "10.0.0.1")))
	set := observe(t, c.instancer(t, "moved", kubediscovery.InstancerNotReady())).addresses("10.0.0.1:80")
	if state := set[0].Metadata[kubediscovery.MetadataState]; state != "" {
		t.Errorf("want the endpoint that is ready, have %q", state)
	}
}

func testHints(at here) {
	t, c := at.t, at.cluster
	meant := func(address string, zones ...string) discoveryv1.Endpoint {
		e := endpoint(address)
		e.Hints = &discoveryv1.EndpointHints{}
		for _, z := range zones {
			e.Hints.ForZones = append(e.Hints.ForZones, discoveryv1.ForZone{Name: z})
		}
		return e
	}
	all := []discoveryv1.Endpoint{meant("10.0.0.1", "a"), meant("10.0.0.2", "b"), meant("10.0.0.3", "b", "a")}
	c.put(t, slice("hints", "hints-a", all...))
	plain := observe(t, c.instancer(t, "hints"))
	plain.addresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
	observe(t, c.instancer(t, "hints", kubediscovery.InstancerHints("c"))).addresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
	o := observe(t, c.instancer(t, "hints", kubediscovery.InstancerHints("a")))
	o.addresses("10.0.0.1:80", "10.0.0.3:80")
	c.put(t, slice("hints", "hints-b", endpoint("10.0.0.4"))) // which has no hint
	o.addresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80")
}

func testPages(at here) {
	t, c := at.t, at.cluster
	var want []string
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		c.put(t, slice("pages", "pages-"+n, endpoint("10.0.0."+n)))
		want = append(want, "10.0.0."+n+":80")
	}
	client, counts := c.client(t, c.Admin)
	i, err := kubediscovery.NewInstancer(client.DiscoveryV1(), "pages")
	if err != nil {
		t.Fatal(err)
	}
	i.SetLimits(kubediscovery.WatchLimit, 2)
	if set := observe(t, i).Set(); !slices.Equal(want, watchtest.Addresses(set)) {
		t.Errorf("want %q, have %v", want, set)
	}
	if have := counts.lists.Load(); have != 3 {
		t.Errorf("want 3 pages, have %d", have)
	}
}

func testWatchesThatEndAreContinued(at here) {
	t, c := at.t, at.cluster
	client, counts := c.client(t, c.Admin)
	i, err := kubediscovery.NewInstancer(client.DiscoveryV1(), "ends")
	if err != nil {
		t.Fatal(err)
	}
	i.SetLimits(4*time.Second, kubediscovery.PageSize)
	o := observe(t, i)
	o.addresses()
	for n := int32(2); n < 5; n++ {
		for deadline := time.Now().Add(patience); counts.watches.Load() < n; <-time.After(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("want watch %d, have %d", n, counts.watches.Load())
			}
		}
		address := "10.0.0." + strconv.Itoa(int(n))
		c.put(t, slice("ends", "ends-a", endpoint(address)))
		o.addresses(address + ":80")
	}
	if have := counts.lists.Load(); have != 1 {
		t.Errorf("want one list, have %d", have)
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	client := clientv1.New(nil)
	for name, test := range map[string]struct {
		client  clientv1.EndpointSlicesGetter
		service string
		opts    []kubediscovery.InstancerOption
		want    string
	}{
		"no client":       {nil, "orders", nil, "the client is nil"},
		"a nil client":    {(*clientv1.DiscoveryV1Client)(nil), "orders", nil, "the client is nil"},
		"no service":      {client, "", nil, `the service ""`},
		"no name":         {client, "a.b", nil, `the service "a.b"`},
		"nil option":      {client, "orders", []kubediscovery.InstancerOption{nil}, "function 0 is nil"},
		"namespace":       {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerNamespace("A")}, `InstancerNamespace("A")`},
		"port name":       {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerPort("")}, `InstancerPort("")`},
		"port number":     {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerPortNumber(70000)}, "InstancerPortNumber(70000): want 1 to 65535"},
		"two ports":       {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerPort("a"), kubediscovery.InstancerPortNumber(1)}, "twice"},
		"no types":        {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerAddressTypes()}, "there is none"},
		"an unknown type": {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerAddressTypes("IPX")}, `InstancerAddressTypes(["IPX"])`},
		"a type twice":    {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerAddressTypes("IPv4", "IPv4")}, `want each at most once`},
		"a type again": {client, "orders", []kubediscovery.InstancerOption{
			kubediscovery.InstancerAddressTypes("IPv4"), kubediscovery.InstancerAddressTypes("IPv4")}, `want each at most once`},
		"the version":      {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerVersionLabel("a/b/c")}, `InstancerVersionLabel("a/b/c")`},
		"a zone of nobody": {client, "orders", []kubediscovery.InstancerOption{kubediscovery.InstancerHints("")}, `InstancerHints("")`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := kubediscovery.NewInstancer(test.client, test.service, test.opts...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want %q, have %v", test.want, err)
			}
		})
	}
}
