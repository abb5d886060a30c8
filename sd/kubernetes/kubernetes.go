// Package kubediscovery finds the instances of a service of Kubernetes by its EndpointSlices.
//
//	client, err := discoveryv1.NewForConfig(config) // k8s.io/client-go/kubernetes/typed/discovery/v1
//	...
//	orders, err := kubediscovery.NewInstancer(client, "orders",
//		kubediscovery.InstancerNamespace("shop"), kubediscovery.InstancerPort("grpc"))
//
// The client is the caller's, with its credentials. It needs the right to list and to watch the endpointslices of discovery.k8s.io in
// the namespace, and no other; docs/sd-kubernetes.md has the manifest.
//
// There is no Registrar: Kubernetes itself writes the EndpointSlices of a service, out of its pods and their readiness.
package kubediscovery
