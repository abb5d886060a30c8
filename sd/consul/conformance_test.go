package consul_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	agent := testserver.StartConsul(t)
	client := newClient(t, agent.Address)
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) { return consul.NewInstancer(client, service) },
		Registrar: func(service string) (sd.Registrar, error) {
			registrar, err := consul.NewRegistrar(client, service)
			return watchtest.Track(t, registrar), err
		},
		Forget: func(service string, instance sd.Instance) error {
			return client.Agent().ServiceDeregister(service + ":" + url.PathEscape(instance.ID))
		},
		Corrupt: func(service string) error {
			return client.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: service, ID: "bad-" + service, Port: 80, Tags: []string{""}})
		},
		Outage: func() (func() error, error) {
			agent.Stop()
			return func() error {
				agent.Start()
				return nil
			}, nil
		},
		Differences: []sdtest.Difference{{
			Check: "OddMetadata", Reason: "Consul wants letters, digits, _ and - in the keys of a service's meta",
		}},
		Limit: 20 * time.Second, // the default TTL is 15 s, of which a third may pass before a loss is noticed
	})
}
