package eureka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Registrar registers instances of one application. It implements sd.Registrar, and is safe for concurrent use.
type Registrar struct {
	client   *Client
	service  string
	settings registrarSettings
}

// NewRegistrar returns the Registrar of the application of that name, in which Eureka does not tell upper from lower case. It asks the
// servers nothing yet; the error is about the arguments.
func NewRegistrar(client *Client, service string, opts ...RegistrarOption) (*Registrar, error) {
	settings := registrarSettings{ttl: 30 * time.Second}
	if err := errors.Join(check(client, service), option.Set(&settings, opts)); err != nil {
		return nil, fmt.Errorf("eureka: NewRegistrar: %w", err)
	}
	return &Registrar{client: client, service: service, settings: settings}, nil
}

// Register implements sd.Registrar. It returns when a server has the instance. That server tells the others, and each tells those who
// watch when its cache is renewed, by default every 30 s.
func (r *Registrar) Register(ctx context.Context, instance sd.Instance) (deregister func(ctx context.Context) error, err error) {
	instance, err = driver.Check(instance)
	if err != nil {
		return nil, err
	}
	info, err := encode(r.service, instance)
	if err != nil {
		return nil, fmt.Errorf("eureka: registering %v: %w", instance, err)
	}
	info.Lease = lease{Renewal: int(r.settings.ttl / time.Second / signs), Duration: int(r.settings.ttl / time.Second)}
	g := &registered{session: session{Client: r.client}, info: info, interval: r.settings.ttl / signs, stamp: time.Now().UnixMilli()}
	return driver.Register(ctx, g, r.settings.onError)
}
