// Package consul finds instances in Consul, and announces them there.
//
// An Instancer watches the instances of a service that pass their checks, by blocking queries on the health of the service. A
// Registrar registers an instance at the agent, with a TTL check that it keeps passing: when the process dies the instance is out of
// the sets within the TTL, and Consul deletes it later.
//
// Both take the client of github.com/hashicorp/consul/api, whose address, TLS, token, namespace and partition are the user's to set up.
// How an instance is stored, and what Consul cannot store, is in docs/sd-consul.md.
package consul

import (
	"errors"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// check returns what is wrong with the arguments of a constructor.
func check(client *api.Client, service string) error {
	if client == nil {
		return errors.New("the client is nil")
	}
	return driver.CheckService(service)
}
