package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

const (
	// signs is how many signs of life fall into a TTL.
	signs = 3
	// callLimit is how long the agent may take for one call.
	callLimit = 5 * time.Second
	// confirmLimit is how long the agent may take to tell the servers. It tells them at once.
	confirmLimit = 7 * time.Second
)

// registered is the registration of one instance at an agent. It implements driver.Registration.
type registered struct {
	client    *api.Client
	service   *api.AgentServiceRegistration
	ttl       time.Duration
	confirmed bool // the servers have had it
}

// Hold registers the service and lets its check pass again and again. It returns with the first that fails: the agent cannot be
// reached, or has lost the check, and with it the service.
func (r *registered) Hold(ctx context.Context, held func()) error {
	if err := r.register(ctx); err != nil {
		return fmt.Errorf("consul: registering %s: %w", r.service.ID, err)
	}
	interval := r.ttl / signs
	if err := r.pass(ctx, callLimit); err != nil {
		return err
	}
	var delay driver.Backoff
	for begin := time.Now(); !r.confirmed; {
		there, err := r.there(ctx, min(interval, callLimit))
		switch {
		case err != nil:
			return fmt.Errorf("consul: whether %s is registered: %w", r.service.ID, err)
		case there:
			r.confirmed = true
		case time.Since(begin) > confirmLimit:
			return fmt.Errorf("consul: the agent has %s for %v, and has not told its servers", r.service.ID, confirmLimit)
		default:
			delay.Wait(ctx)
			if err := r.pass(ctx, callLimit); err != nil {
				return err
			}
		}
	}
	held()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := r.pass(ctx, min(interval, callLimit)); err != nil {
				return err
			}
		}
	}
}

func (r *registered) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return r.client.Agent().ServiceRegisterOpts(r.service, api.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx))
}

// pass says that the instance is alive, always in the same words, since the agent would tell the servers of others.
func (r *registered) pass(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := r.client.Agent().UpdateTTLOpts(r.service.Check.CheckID, "alive", api.HealthPassing, new(api.QueryOptions).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("consul: keeping %s alive: %w", r.service.ID, err)
	}
	return nil
}

// Remove implements driver.Registration. It leaves alone what has taken this one's place.
func (r *registered) Remove(ctx context.Context) error {
	if err := r.remove(ctx); err != nil {
		return fmt.Errorf("consul: deregistering %s: %w", r.service.ID, err)
	}
	return nil
}

func (r *registered) remove(ctx context.Context) error {
	options := new(api.QueryOptions).WithContext(ctx)
	service, _, err := r.client.Agent().Service(r.service.ID, options)
	switch {
	case err == nil && service.Meta[onceKey] != r.service.Meta[onceKey]:
		return r.gone(ctx)
	case err == nil:
	case isNotFound(err):
		there, _, _, err := r.seen(ctx, 0, 0)
		if err != nil || !there {
			return err
		}
		// The agent could not tell the servers, and would with the next change, or within a minute. This is one.
		if err := r.register(ctx); err != nil {
			return err
		}
	default:
		return err
	}
	if err := r.client.Agent().ServiceDeregisterOpts(r.service.ID, options); err != nil && !isNotFound(err) {
		return err
	}
	return r.gone(ctx)
}

func isNotFound(err error) bool {
	var answer api.StatusError
	return errors.As(err, &answer) && answer.Code == http.StatusNotFound
}
