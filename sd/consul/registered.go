package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	// signs is how many signs of life fall into a TTL.
	signs = 3
	// callLimit is how long the agent may take for one call.
	callLimit = 5 * time.Second
)

// registered is the registration of one instance at an agent. It implements driver.Registration.
type registered struct {
	client    *api.Client
	service   *api.AgentServiceRegistration
	ttl       time.Duration
	confirmed bool // the servers have had it
	replaced  bool // a newer registration has its place, and that was said
}

// Hold registers the service and lets its check pass again and again. It returns with the first that fails: the agent cannot be
// reached, or has lost the service. While a newer registration has its place it waits.
func (r *registered) Hold(ctx context.Context, held func()) error {
	if r.confirmed {
		who, err := r.holder(ctx, callLimit)
		if err == nil && who == newer && r.replaced {
			return r.live(ctx)
		}
		if err = r.replace(who, err); err != nil {
			return err
		}
	}
	if err := r.register(ctx); err != nil {
		return fmt.Errorf("consul: registering %s: %w", r.service.ID, err)
	}
	if err := r.pass(ctx, callLimit); err != nil {
		return err
	}
	if err := r.confirm(ctx); err != nil {
		return err
	}
	held()
	return r.live(ctx)
}

// live lets the check pass until that fails, except while a newer registration has its place.
func (r *registered) live(ctx context.Context) error {
	interval := r.ttl / signs
	limit := min(interval, callLimit) / 2 // of each of two calls
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		who, err := r.holder(ctx, limit)
		if err == nil && who == newer && r.replaced {
			continue
		}
		if err := r.replace(who, err); err != nil {
			return err
		}
		if who != itself {
			return fmt.Errorf("consul: the agent has lost %s", r.service.ID)
		}
		if err := r.pass(ctx, limit); err != nil {
			return err
		}
	}
}

// replace returns the error of asking who holds the ID, or that a newer registration does.
func (r *registered) replace(who holder, err error) error {
	if r.replaced = err == nil && who == newer; r.replaced {
		err = sd.ErrReplaced
	}
	if err != nil {
		return fmt.Errorf("consul: keeping %s alive: %w", r.service.ID, err)
	}
	return nil
}

// holder is who holds the ID of the registration at its agent.
type holder int

const (
	nobody holder = iota
	itself
	older // which has come back at an agent that had lost both
	newer
)

func (r *registered) holder(ctx context.Context, limit time.Duration) (holder, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	service, _, err := r.client.Agent().Service(r.service.ID, new(api.QueryOptions).WithContext(ctx))
	switch {
	case isNotFound(err):
		return nobody, nil
	case err != nil:
		return nobody, err
	}
	there, own := service.Meta[onceKey], r.service.Meta[onceKey]
	switch {
	case there == own:
		return itself, nil
	case there != "" && there < own:
		return older, nil
	}
	return newer, nil
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
	who, err := r.holder(ctx, callLimit)
	if err != nil {
		return err
	}
	switch who {
	case itself:
	case older, newer:
		return r.gone(ctx)
	case nobody:
		there, _, _, err := r.seen(ctx, 0, 0)
		if err != nil || !there {
			return err
		}
		// The agent could not tell the servers, and would with the next change, or within a minute. This is one.
		if err := r.register(ctx); err != nil {
			return err
		}
	}
	err = r.client.Agent().ServiceDeregisterOpts(r.service.ID, new(api.QueryOptions).WithContext(ctx))
	if err != nil && !isNotFound(err) {
		return err
	}
	return r.gone(ctx)
}

func isNotFound(err error) bool {
	var answer api.StatusError
	return errors.As(err, &answer) && answer.Code == http.StatusNotFound
}
