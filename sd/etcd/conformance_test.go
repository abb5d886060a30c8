package etcd_test

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/etcd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

func key(service string, i sd.Instance) string {
	return etcd.DefaultPrefix + service + "/" + driver.Key(i.ID)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	server := testserver.StartEtcd(t)
	client := connect(t, server.Endpoint)
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) { return etcd.NewInstancer(client, service) },
		Registrar: func(service string) (sd.Registrar, error) {
			return etcd.NewRegistrar(client, service, etcd.RegistrarTTL(4*time.Second))
		},
		Forget: func(service string, i sd.Instance) error {
			response, err := client.Get(t.Context(), key(service, i))
			if err == nil && len(response.Kvs) == 1 {
				_, err = client.Revoke(t.Context(), clientv3.LeaseID(response.Kvs[0].GetLease()))
			}
			return err
		},
		Corrupt: func(service string) error {
			_, err := client.Put(t.Context(), key(service, sd.Instance{ID: "broken"}), "{")
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
