package etcd_test

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/etcd"
)

// A service announces itself, and another finds it.
func Example() { //nolint:testableexamples // it takes a cluster
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            []string{"etcd-1:2379", "etcd-2:2379", "etcd-3:2379"},
		DialKeepAliveTime:    10 * time.Second, // so that connections to members that hang are noticed
		DialKeepAliveTimeout: 5 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	registrar, err := etcd.NewRegistrar(client, "orders", etcd.RegistrarOnError(func(err error) { fmt.Println(err) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	deregister, err := registrar.Register(ctx, sd.Instance{ID: "orders-1", Address: "[2001:db8::1]:8080", Version: "1.4.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() {
		if err := deregister(context.WithoutCancel(ctx)); err != nil {
			fmt.Println(err)
		}
	}()

	instancer, err := etcd.NewInstancer(client, "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	for instances, err := range instancer.Watch(ctx) {
		fmt.Println(instances, err)
	}
}
