package kubediscovery

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	discoveryv1 "k8s.io/client-go/kubernetes/typed/discovery/v1"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

const (
	// RequestLimit is how long the API server has for a page of a list, and to begin a watch.
	RequestLimit = 15 * time.Second
	// WatchLimit is how long a watch lasts at most before another continues it. The least is half of it: which it is, is random, so
	// that those of many clients do not end at the same time.
	WatchLimit = 10 * time.Minute
	// PageSize is how many EndpointSlices a page of a list has at most. Each has up to 100 endpoints, or what the cluster is set up for.
	PageSize = 500
)

// Instancer is an sd.Instancer of a service of Kubernetes: of the endpoints in all of its EndpointSlices. It is safe for concurrent
// use. Each watch is a list, and a watch of the API server that goes on from there.
type Instancer struct {
	client     discoveryv1.EndpointSlicesGetter
	service    string
	config     config
	watchLimit time.Duration
	pageSize   int64
}

// NewInstancer returns the Instancer of the service of that name, for which nothing is asked before Watch. The client is that of the
// discovery API, such as DiscoveryV1() of a clientset.
//
// An instance is an endpoint that is ready, by its first address. It has the UID of what it stands for, which is a pod, as its ID where
// there is one, the zone of its node, and as metadata what MetadataPod and the like name. Weight and tags it has none.
func NewInstancer(client discoveryv1.EndpointSlicesGetter, service string, opts ...InstancerOption) (*Instancer, error) {
	fail := func(err error) (*Instancer, error) {
		return nil, fmt.Errorf("kubediscovery: NewInstancer: %w", err)
	}
	if v := reflect.ValueOf(client); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return fail(errors.New("the client is nil"))
	}
	if problems := validation.IsDNS1123Label(service); len(problems) > 0 {
		return fail(fmt.Errorf("the service %q: %s", service, strings.Join(problems, ", ")))
	}
	c, err := newConfig(opts)
	if err != nil {
		return fail(err)
	}
	return &Instancer{client: client, service: service, config: c, watchLimit: WatchLimit, pageSize: PageSize}, nil
}

// Watch implements sd.Instancer. An EndpointSlice that has not the wanted port is reported as an *sd.InvalidError that names the ports
// that it has; endpoints of other slices stay.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		w := &watching{Instancer: i, changed: make(chan struct{}, 1)}
		driver.Watch(ctx, w.read)(yield)
	}
}

// String returns namespace/name.
func (i *Instancer) String() string { return i.config.namespace + "/" + i.service }
