package eureka_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/eureka"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL)
	const cached = "servers of Eureka answer for an application from a cache that is renewed from time to time"
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) {
			return eureka.NewInstancer(client, service, eureka.InstancerInterval(200*time.Millisecond))
		},
		Registrar: func(service string) (sd.Registrar, error) {
			registrar, err := eureka.NewRegistrar(client, service, eureka.RegistrarTTL(6*time.Second))
			return watchtest.Track(t, registrar), err
		},
		Forget: func(service string, instance sd.Instance) error {
			status, err := trySend(context.Background(), http.MethodDelete, server.URL+"/apps/"+service+"/"+instance.ID, "")
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("HTTP %d", status)
			}
			return err
		},
		Corrupt: func(service string) error {
			bad := info(service, "bad", "metadata", `{"ashlar.weight":"heavy"}`)
			status, err := trySend(context.Background(), http.MethodPost, server.URL+"/apps/"+service, bad)
			if err == nil && status != http.StatusNoContent {
				err = fmt.Errorf("HTTP %d", status)
			}
			return err
		},
		Outage: func() (func() error, error) {
			server.Stop()
			return func() error {
				server.Start()
				return nil
			}, nil
		},
		Differences: []sdtest.Difference{
			{Check: "RegisterWaits", Reason: cached, Sometimes: true},
			{Check: "DeregisterWaits", Reason: cached, Sometimes: true},
		},
	})
}
