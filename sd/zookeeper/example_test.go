package zookeeper_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/zookeeper"
)

// A service announces itself, and another finds it.
func Example() { //nolint:testableexamples // it takes an ensemble
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, _, err := zk.Connect([]string{"zk-1:2181", "zk-2:2181", "zk-3:2181"}, 10*time.Second,
		zk.WithLogger(log.New(os.Stdout, "zk: ", 0)), zk.WithLogInfo(false)) // else it writes a lot to standard error
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	registrar, err := zookeeper.NewRegistrar(conn, "orders", zookeeper.RegistrarOnError(func(err error) { fmt.Println(err) }))
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

	instancer, err := zookeeper.NewInstancer(conn, "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	for instances, err := range instancer.Watch(ctx) {
		fmt.Println(instances, err)
	}
}
