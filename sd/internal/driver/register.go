package driver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	// RegisterLimit is how long Register waits for the registry.
	RegisterLimit = 10 * time.Second
	// RemoveLimit is how long a registration whose context has ended waits for the registry to take it out.
	RemoveLimit = 5 * time.Second
)

// Registration is what a driver does for one instance. Its methods are called one at a time.
type Registration interface {
	// Hold puts the instance into the registry, calls held, and keeps it there. It returns when ctx has ended, without taking the
	// instance out, or when the registry has lost it or may have, with the reason; then it is called again.
	Hold(ctx context.Context, held func()) error
	// Remove takes the instance out. It is nil where there is none.
	Remove(ctx context.Context) error
}

// Register is Registrar.Register by a Registration of an instance that was checked. What goes wrong after it has returned, and is
// tried again, is given to report, which may be nil.
func Register(ctx context.Context, r Registration, report func(error)) (deregister func(context.Context) error, err error) {
	if report == nil {
		report = func(error) {}
	}
	k := &keeper{registration: r, report: report, held: make(chan struct{}), done: make(chan struct{})}
	var hold context.Context
	hold, k.cancel = context.WithCancel(ctx)
	go k.run(hold)

	limit := time.NewTimer(RegisterLimit)
	defer limit.Stop()
	select {
	case <-k.held:
		return k.deregister, nil
	case <-k.done:
		err = k.failed
	case <-limit.C:
		err = fmt.Errorf("sd: the registry has not taken the instance within %v", RegisterLimit)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	k.cancel()
	<-k.done
	return nil, err
}

// keeper is a registration that is kept.
type keeper struct {
	registration Registration
	report       func(error)
	cancel       context.CancelFunc
	once         sync.Once
	held         chan struct{} // closed when the instance is in for the first time
	done         chan struct{} // closed when it is out again
	failed       error         // why it never got in; set before done
	removed      error         // what came of taking it out; set before done
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	defer k.cancel()
	k.keep(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), RemoveLimit)
	defer cancel()
	if k.removed = k.registration.Remove(ctx); k.removed != nil {
		k.report(k.removed)
	}
}

// keep holds the registration until ctx ends, or the first attempt fails.
func (k *keeper) keep(ctx context.Context) {
	var delay Backoff
	for ctx.Err() == nil {
		err := k.registration.Hold(ctx, func() {
			delay.Reset()
			k.once.Do(func() { close(k.held) })
		})
		if ctx.Err() != nil {
			return
		}
		select {
		case <-k.held:
		default:
			k.failed = err
			return
		}
		if err != nil {
			k.report(err)
		}
		delay.Wait(ctx)
	}
}

func (k *keeper) deregister(ctx context.Context) error {
	k.cancel()
	select {
	case <-k.done:
		return k.removed
	case <-ctx.Done():
		return fmt.Errorf("sd: waiting until the instance is taken out: %w", ctx.Err())
	}
}

// Check returns what is wrong with an instance that is to be registered, and the instance in its normal form.
func Check(instance sd.Instance) (sd.Instance, error) {
	if err := instance.Check(); err != nil {
		return instance, fmt.Errorf("sd: register: %w", err)
	}
	return sd.Normalize([]sd.Instance{instance})[0], nil
}
