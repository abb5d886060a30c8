package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/hashicorp/consul/api"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
	"github.com/ashlar-go/ashlar/sd/etcd"
	"github.com/ashlar-go/ashlar/sd/eureka"
	"github.com/ashlar-go/ashlar/sd/mdns"
	natsdiscovery "github.com/ashlar-go/ashlar/sd/nats"
	"github.com/ashlar-go/ashlar/sd/zookeeper"
)

// registries are the kinds of registry by which the shop finds the instances of its catalog, with where each is unless -registry-addr says
// otherwise. Static is none: the addresses are known. NATS is the broker of the shop.
func registries() map[string]string {
	return map[string]string{
		"static": "", "nats": "", "mdns": "",
		"consul": "127.0.0.1:8500", "etcd": "127.0.0.1:2379", "zookeeper": "127.0.0.1:2181",
		"eureka": "http://127.0.0.1:8761/eureka",
	}
}

// registry announces and finds the instances of one service. A static one does neither.
type registry struct {
	registrar sd.Registrar
	instancer sd.Instancer
}

// openRegistry connects to a registry of the kind. The shop's closers end it.
func (s *shop) openRegistry(kind, addr, service string) (r registry, err error) {
	if addr == "" {
		addr = registries()[kind]
	}
	switch kind {
	case "nats":
		r, err = s.natsRegistry(service)
	case "mdns":
		r, err = mdnsRegistry(service)
	case "consul":
		r, err = consulRegistry(addr, service)
	case "etcd":
		r, err = s.etcdRegistry(addr, service)
	case "eureka":
		r, err = eurekaRegistry(addr, service)
	case "zookeeper":
		r, err = s.zookeeperRegistry(addr, service)
	}
	if err != nil {
		return r, fmt.Errorf("registry %s: %w", kind, err)
	}
	return r, nil
}

func (s *shop) natsRegistry(service string) (registry, error) {
	nc, err := s.connect(service)
	if err != nil {
		return registry{}, err
	}
	registrar, err := natsdiscovery.NewRegistrar(nc, service)
	if err != nil {
		return registry{}, err
	}
	instancer, err := natsdiscovery.NewInstancer(nc, service)
	return registry{registrar, instancer}, err
}

func mdnsRegistry(service string) (registry, error) {
	registrar, err := mdns.NewRegistrar(service)
	if err != nil {
		return registry{}, err
	}
	instancer, err := mdns.NewInstancer(service)
	return registry{registrar, instancer}, err
}

func consulRegistry(addr, service string) (registry, error) {
	client, err := api.NewClient(&api.Config{Address: addr})
	if err != nil {
		return registry{}, err
	}
	registrar, err := consul.NewRegistrar(client, service)
	if err != nil {
		return registry{}, err
	}
	instancer, err := consul.NewInstancer(client, service)
	return registry{registrar, instancer}, err
}

func (s *shop) etcdRegistry(addr, service string) (registry, error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, DialTimeout: registryTimeout})
	if err != nil {
		return registry{}, err
	}
	s.closers = append(s.closers, client.Close)
	registrar, err := etcd.NewRegistrar(client, service)
	if err != nil {
		return registry{}, err
	}
	instancer, err := etcd.NewInstancer(client, service)
	return registry{registrar, instancer}, err
}

func (s *shop) zookeeperRegistry(addr, service string) (registry, error) {
	conn, _, err := zk.Connect([]string{addr}, registryTimeout, zk.WithLogInfo(false))
	if err != nil {
		return registry{}, err
	}
	s.closers = append(s.closers, func() error {
		conn.Close()
		return nil
	})
	registrar, err := zookeeper.NewRegistrar(conn, service)
	if err != nil {
		return registry{}, err
	}
	instancer, err := zookeeper.NewInstancer(conn, service)
	return registry{registrar, instancer}, err
}

func eurekaRegistry(addr, service string) (registry, error) {
	client, err := eureka.NewClient(&http.Client{Timeout: registryTimeout}, strings.Split(addr, ","))
	if err != nil {
		return registry{}, err
	}
	registrar, err := eureka.NewRegistrar(client, service)
	if err != nil {
		return registry{}, err
	}
	instancer, err := eureka.NewInstancer(client, service, eureka.InstancerInterval(registryInterval))
	return registry{registrar, instancer}, err
}

// registryInterval is how often a registry is asked that does not tell.
const registryInterval = 200 * time.Millisecond

// registryTimeout is how long connecting to a registry may take.
const registryTimeout = 5 * time.Second
