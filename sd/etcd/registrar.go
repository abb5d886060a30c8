package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Registrar announces instances of a service in etcd. It is safe for concurrent use.
type Registrar struct {
	client *clientv3.Client
	prefix string // of the keys of the service
	ttl    time.Duration
	report []func(error)
}

// NewRegistrar returns a Registrar of the service, whose name is visible ASCII without any of /\*>?#%". The client remains the caller's,
// who closes it after the last instance was deregistered.
func NewRegistrar(client *clientv3.Client, service string, opts ...RegistrarOption) (*Registrar, error) {
	c := registrarConfig{prefix: DefaultPrefix, ttl: DefaultTTL}
	if err := errors.Join(checkClient(client), driver.CheckService(service), option.Set(&c, opts)); err != nil {
		return nil, fmt.Errorf("etcd: NewRegistrar: %w", err)
	}
	return &Registrar{client: client, prefix: c.prefix + service + "/", ttl: c.ttl, report: c.report}, nil
}

// Register implements sd.Registrar. Each instance has a lease of its own.
func (r *Registrar) Register(ctx context.Context, instance sd.Instance) (deregister func(ctx context.Context) error, err error) {
	instance, err = driver.Check(instance)
	if err != nil {
		return nil, err
	}
	value, err := driver.Marshal(instance)
	if err != nil {
		return nil, err
	}
	return driver.Register(ctx, &registration{
		client: r.client, key: r.prefix + driver.Key(instance.ID), value: string(value), ttl: r.ttl,
	}, r.report)
}
