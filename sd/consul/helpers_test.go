package consul_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// newClient returns a client of the agent at the address, with connections of its own that end with the test.
func newClient(t *testing.T, address string) *api.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := api.NewClient(&api.Config{Address: address, HttpClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newInstancer(t *testing.T, client *api.Client, service string, opts ...consul.InstancerOption) *consul.Instancer {
	t.Helper()
	instancer, err := consul.NewInstancer(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return instancer
}

func newRegistrar(t *testing.T, client *api.Client, service string, opts ...consul.RegistrarOption) sd.Registrar {
	t.Helper()
	opts = append([]consul.RegistrarOption{consul.RegistrarTTL(6 * time.Second)}, opts...)
	registrar, err := consul.NewRegistrar(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return watchtest.Track(t, registrar)
}
