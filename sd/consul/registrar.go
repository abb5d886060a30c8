package consul

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Registrar registers instances of one service at an agent. It implements sd.Registrar, and is safe for concurrent use.
type Registrar struct {
	client   *api.Client
	service  string
	settings registrarSettings
}

// NewRegistrar returns the Registrar of the service. It asks nothing of Consul yet. The client is that of the agent on the instance's own
// machine, as everywhere in Consul; where it is set up with a datacenter, that is to be the agent's. The error is about the arguments.
func NewRegistrar(client *api.Client, service string, opts ...RegistrarOption) (*Registrar, error) {
	settings := registrarSettings{ttl: 15 * time.Second, deregisterAfter: minDeregisterAfter}
	if err := errors.Join(check(client, service), option.Set(&settings, opts)); err != nil {
		return nil, fmt.Errorf("consul: NewRegistrar: %w", err)
	}
	return &Registrar{client: client, service: service, settings: settings}, nil
}

// Register implements sd.Registrar. It returns when the agent has the instance, and has told the servers. It fails for an instance that
// Consul cannot store.
func (r *Registrar) Register(ctx context.Context, instance sd.Instance) (deregister func(ctx context.Context) error, err error) {
	instance, err = driver.Check(instance)
	if err != nil {
		return nil, err
	}
	service, err := registration(r.service, instance)
	if err != nil {
		return nil, fmt.Errorf("consul: registering %v: %w", instance, err)
	}
	service.Check = &api.AgentServiceCheck{
		CheckID:                        "service:" + service.ID,
		Name:                           "TTL of " + instance.ID,
		TTL:                            r.settings.ttl.String(),
		Status:                         api.HealthCritical, // until it passes: an agent that was slow may take what was given up long ago
		DeregisterCriticalServiceAfter: r.settings.deregisterAfter.String(),
	}
	return driver.Register(ctx, &registered{client: r.client, service: service, ttl: r.settings.ttl}, r.settings.onError)
}
