package natsdiscovery

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Registrar announces instances of one service: it answers those who ask NATS for them. It is safe for concurrent use.
type Registrar struct {
	registrarConfig

	nc      *nats.Conn
	service string
}

// NewRegistrar returns the Registrar of the service, whose name is that of the NATS micro service: letters, digits, "-" and "_". It fails
// when nc is nil, and when the name or an option is wrong.
func NewRegistrar(nc *nats.Conn, service string, opts ...RegistrarOption) (*Registrar, error) {
	r := &Registrar{nc: nc, service: service}
	err := check(nc, service)
	if err == nil {
		err = option.Set(&r.registrarConfig, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("natsdiscovery: NewRegistrar: %w", err)
	}
	return r, nil
}

// Register implements sd.Registrar. It answers for the instance as a NATS micro service without endpoints, so that `nats micro ls` shows
// it, for as long as the process and its connection live. It refuses metadata with keys that begin with KeyPrefix, and an instance that
// takes more than MaxAnswer, or more than NATS carries.
//
// Deregister needs no connection: when it returns nobody answers any more.
func (r *Registrar) Register(ctx context.Context, instance sd.Instance) (deregister func(context.Context) error, err error) {
	instance, err = driver.Check(instance)
	if err != nil {
		return nil, err
	}
	a, err := newAnnouncement(r.nc, r.service, instance, time.Now())
	if err != nil {
		return nil, fmt.Errorf("natsdiscovery: registering %v: %w", instance, err)
	}
	return driver.Register(ctx, a, r.onError)
}
