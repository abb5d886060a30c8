package kubediscovery_test

import (
	"context"
	"fmt"

	discoveryv1 "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/client-go/rest"

	kubediscovery "github.com/ashlar-go/ashlar/sd/kubernetes"
)

func Example() {
	config, err := rest.InClusterConfig()
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := discoveryv1.NewForConfig(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	orders, err := kubediscovery.NewInstancer(client, "orders", kubediscovery.InstancerNamespace("shop"), kubediscovery.InstancerPort("grpc"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for set, err := range orders.Watch(context.Background()) {
		fmt.Println(set, err)
	}
	// Output: unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined
}
