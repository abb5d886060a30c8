package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/consul/api"
)

const (
	// signs is how many signs of life fall into a TTL.
	signs = 3
	// callLimit is how long the agent may take for one call.
	callLimit = 5 * time.Second
)

// registered is the registration of one instance at an agent. It implements driver.Registration.
type registered struct {
	agent   *api.Agent
	service *api.AgentServiceRegistration
	ttl     time.Duration
}

// Hold registers the service and lets its check pass again and again. It returns with the first that fails: the agent cannot be
// reached, or has lost the check, and with it the service.
func (r *registered) Hold(ctx context.Context, held func()) error {
	if err := r.register(ctx); err != nil {
		return fmt.Errorf("consul: registering %s: %w", r.service.ID, err)
	}
	if err := r.pass(ctx, callLimit); err != nil { // a check that was there before keeps its state
		return fmt.Errorf("consul: letting the check of %s pass: %w", r.service.ID, err)
	}
	held()
	interval := r.ttl / signs
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := r.pass(ctx, min(interval, callLimit)); err != nil {
				return fmt.Errorf("consul: keeping %s alive: %w", r.service.ID, err)
			}
		}
	}
}

func (r *registered) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return r.agent.ServiceRegisterOpts(r.service, api.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx))
}

// pass says that the instance is alive, always in the same words, since the agent would tell the servers of others.
func (r *registered) pass(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return r.agent.UpdateTTLOpts(r.service.Check.CheckID, "alive", api.HealthPassing, new(api.QueryOptions).WithContext(ctx))
}

// Remove implements driver.Registration.
func (r *registered) Remove(ctx context.Context) error {
	err := r.agent.ServiceDeregisterOpts(r.service.ID, new(api.QueryOptions).WithContext(ctx))
	var answer api.StatusError
	if err == nil || errors.As(err, &answer) && answer.Code == http.StatusNotFound {
		return nil
	}
	return fmt.Errorf("consul: deregistering %s: %w", r.service.ID, err)
}
