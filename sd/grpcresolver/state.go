package grpcresolver

import (
	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/experimental/balancer/weight"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"

	"github.com/ashlar-go/ashlar/sd"
)

// instanceKey is the key of the attribute that holds the instance.
type instanceKey struct{}

// carried is an instance in attributes, which compare by this Equal.
type carried struct{ sd.Instance }

// Equal says whether other is the same instance.
func (c carried) Equal(other any) bool {
	o, ok := other.(carried)
	return ok && c.Instance.Equal(o.Instance)
}

// Instance returns the instance that an endpoint stands for, for balancing of one's own: from the Attributes of a resolver.Endpoint, or
// the BalancerAttributes of a resolver.Address in resolver.State.Addresses. It returns false for what is not of this package.
func Instance(of *attributes.Attributes) (instance sd.Instance, ok bool) {
	c, ok := of.Value(instanceKey{}).(carried)
	return c.Instance, ok
}

// state returns the set as grpc-go wants it. What is known of an instance is in attributes that are not part of its identity, so that
// a change of them cuts no connection.
func state(set []sd.Instance, config *serviceconfig.ParseResult) resolver.State {
	s := resolver.State{
		Endpoints: make([]resolver.Endpoint, len(set)),
		Addresses: make([]resolver.Address, len(set)), // for policies that know no endpoints
	}
	for n, i := range set {
		endpoint := resolver.Endpoint{
			Addresses:  []resolver.Address{{Addr: i.Address}},
			Attributes: attributes.New(instanceKey{}, carried{i}),
		}
		endpoint = weight.Set(endpoint, weight.EndpointInfo{Weight: uint32(i.Share())}) // Share is positive and small
		s.Endpoints[n] = endpoint
		s.Addresses[n] = resolver.Address{Addr: i.Address, BalancerAttributes: endpoint.Attributes} //nolint:staticcheck // that is what they read
	}
	s.ServiceConfig = config
	return s
}
