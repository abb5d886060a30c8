package mdns

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// DefaultTTL is how long after its last announcement an instance is taken to be there, unless RegistrarTTL says otherwise.
const DefaultTTL = 10 * time.Second

// Registrar announces instances of one service on the local network. It implements sd.Registrar.
type Registrar struct {
	service    string
	interfaces []string
	ttl        time.Duration
	onError    []func(error)

	mu        sync.Mutex
	users     int
	responder *responder // while there are users
}

// RegistrarOption changes a Registrar. Options of one name append to each other, but for RegistrarTTL, of which the last counts.
type RegistrarOption func(*Registrar) error

// RegistrarInterfaces makes it announce on the interfaces of these names alone, as InstancerInterfaces does.
func RegistrarInterfaces(names ...string) RegistrarOption {
	return func(r *Registrar) (err error) {
		r.interfaces, err = appendInterfaces("RegistrarInterfaces", r.interfaces, names)
		return err
	}
}

// RegistrarTTL sets how long after its last announcement an instance is taken to be there: whole seconds, from 2 s to 75 min, DefaultTTL by
// default. It is announced again each time half of that is over. An instance whose process was killed is gone after it.
func RegistrarTTL(ttl time.Duration) RegistrarOption {
	return func(r *Registrar) error {
		if ttl < minTTL || ttl > maxTTL || ttl%time.Second != 0 {
			return fmt.Errorf("RegistrarTTL(%v): want whole seconds from %v to %v", ttl, minTTL, maxTTL)
		}
		r.ttl = ttl
		return nil
	}
}

// RegistrarOnError appends functions that are given what goes wrong after Register has returned: that no interface can be used, which is
// tried again, and that another process announces the ID of an instance. They must not block, and are called by several goroutines.
func RegistrarOnError(report ...func(error)) RegistrarOption {
	return func(r *Registrar) error {
		r.onError = append(r.onError, report...)
		return option.RefuseNil("RegistrarOnError", report)
	}
}

// NewRegistrar returns the Registrar of a service. It fails as NewInstancer does.
func NewRegistrar(service string, opts ...RegistrarOption) (*Registrar, error) {
	r := &Registrar{service: service, ttl: DefaultTTL}
	if err := errors.Join(driver.CheckService(service), option.Set(r, opts)); err != nil {
		return nil, fmt.Errorf("mdns: NewRegistrar: %w", err)
	}
	return r, nil
}

// Register implements sd.Registrar. It returns when the instance was announced, which is no promise that somebody has heard it. It fails
// for an instance that does not fit into a TXT record, where each of its texts with its name may take 255 bytes, and all of them 1300; and
// for an address without a host that others can call. An instance on loopback is announced on loopback alone.
//
// An ID that is registered again by the Registrar is replaced for good. Where another process registers it, its instance replaces this one
// until it is withdrawn or its TTL ends.
func (r *Registrar) Register(ctx context.Context, instance sd.Instance) (deregister func(context.Context) error, err error) {
	if instance, err = driver.Check(instance); err != nil {
		return nil, err
	}
	o, err := newOffer(r.service, instance, r.ttl)
	if err != nil {
		return nil, fmt.Errorf("mdns: register: %w", err)
	}
	return driver.Register(ctx, &registration{registrar: r, offer: o}, r.onError)
}

func (r *Registrar) report(err error) {
	for _, f := range r.onError {
		f(err)
	}
}

// acquire returns the responder that all instances share, for one more.
func (r *Registrar) acquire() *responder {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users == 0 {
		typ, _ := typeOf(r.service)
		r.responder = newResponder(typ, r.interfaces, r.report)
	}
	r.users++
	return r.responder
}

// release gives it back. The last to do so stops it.
func (r *Registrar) release() {
	r.mu.Lock()
	last := r.responder
	if r.users--; r.users > 0 {
		last = nil
	}
	r.mu.Unlock()
	if last != nil {
		last.stop()
	}
}

// registration is a driver.Registration.
type registration struct {
	registrar *Registrar
	offer     *offer
	responder *responder // between the end of Hold and Remove
}

// Hold implements driver.Registration.
func (r *registration) Hold(ctx context.Context, held func()) error {
	responder := r.registrar.acquire()
	err := responder.add(ctx, r.offer)
	if err == nil {
		held()
		select {
		case err = <-r.offer.lost:
		case <-ctx.Done():
			responder.drop(r.offer)
			r.responder = responder
			return nil
		}
	}
	r.registrar.release()
	return err
}

// Remove implements driver.Registration.
func (r *registration) Remove(ctx context.Context) error {
	if !r.offer.out {
		return nil
	}
	responder := r.responder
	if responder == nil {
		responder = r.registrar.acquire()
	}
	r.responder = nil
	defer r.registrar.release()
	return responder.remove(ctx, r.offer)
}
