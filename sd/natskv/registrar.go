package natskv

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Registrar announces instances of one service in a bucket. It is safe for concurrent use.
type Registrar struct {
	place

	ttl     time.Duration
	create  *jetstream.KeyValueConfig
	onError []func(error)
}

// NewRegistrar returns the Registrar of the service in the bucket. It fails when js is nil, and when a name or an option is wrong. It asks
// nobody: a bucket that is missing, and is not to be made, is an error of Register.
func NewRegistrar(js jetstream.JetStream, bucket, service string, opts ...RegistrarOption) (*Registrar, error) {
	p, err := newPlace(js, bucket, service)
	r := &Registrar{place: p, ttl: DefaultTTL}
	if err == nil {
		err = option.Set(r, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("natskv: NewRegistrar: %w", err)
	}
	return r, nil
}

// Register implements sd.Registrar. An entry that another registration has written meanwhile, elsewhere or here, is left alone. It is taken
// back when that registration has ended and this one has not.
func (r *Registrar) Register(ctx context.Context, instance sd.Instance) (deregister func(context.Context) error, err error) {
	instance, err = driver.Check(instance)
	if err != nil {
		return nil, err
	}
	data, err := driver.Marshal(instance)
	if err != nil {
		return nil, err
	}
	return driver.Register(ctx, &registration{
		Registrar: r, subject: r.prefix() + token(instance.ID), data: data, owner: nuid.Next(),
	}, r.onError)
}
