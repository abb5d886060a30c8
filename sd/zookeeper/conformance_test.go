package zookeeper_test

import (
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
	"github.com/ashlar-go/ashlar/sd/sdtest"
	"github.com/ashlar-go/ashlar/sd/zookeeper"
)

func node(service, id string) string {
	return zookeeper.DefaultPrefix + "/" + service + "/" + driver.Key(id)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	server := testserver.StartZooKeeper(t)
	conn := connect(t, server.Address, 10*time.Second)
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) { return zookeeper.NewInstancer(conn, service) },
		Registrar: func(service string) (sd.Registrar, error) { return zookeeper.NewRegistrar(conn, service) },
		Forget: func(service string, i sd.Instance) error {
			return conn.Delete(node(service, i.ID), -1)
		},
		Corrupt: func(service string) error {
			_, err := conn.Create(node(service, "broken"), []byte("{"), 0, zk.WorldACL(zk.PermAll))
			return err
		},
		Outage: func() (func() error, error) {
			server.Kill()
			return func() error {
				server.Start()
				return nil
			}, nil
		},
	})
}
