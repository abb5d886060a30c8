package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	// RegisterLimit is how long Register waits for the registry.
	RegisterLimit = 10 * time.Second
	// RemoveLimit is how long the registry may take to take an instance out before that is an error.
	RemoveLimit = 5 * time.Second
	// RemoveFor is how long it is tried to take an instance out, as when the registry is away meanwhile.
	RemoveFor = time.Minute
)

// ErrClosed is what Remove returns, or wraps, when the client was closed and there is no sense in trying again.
var ErrClosed = errors.New("sd: the client is closed")

// errLost is the reason of a Hold that has ended without any.
var errLost = errors.New("sd: the registry has not kept the instance")

// Registration is what a driver does for one instance. Its methods are called one at a time.
type Registration interface {
	// Hold puts the instance into the registry, calls held, and keeps it there. It returns when ctx has ended, without taking the
	// instance out, or when the registry has lost it or may have, with the reason; then it is called again. One that has seen another
	// registration of the same ID in the place of its own says so once, by sd.ErrReplaced, and waits, when it is called again, until that is
	// no more.
	Hold(ctx context.Context, held func()) error
	// Remove takes the instance out. It is nil where there is none. After another error than ErrClosed it is called again, for RemoveFor.
	Remove(ctx context.Context) error
}

// Register is Registrar.Register by a Registration of an instance that was checked. What goes wrong after it has returned, and is
// tried again, is given to each of the reports. When Register fails it waits until nothing remains of it in the registry, as
// deregister does: for RemoveLimit at most, while it is tried for RemoveFor. When ctx has ended before, nothing of r is called.
func Register(ctx context.Context, r Registration, reports []func(error)) (deregister func(context.Context) error, err error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("sd: register: %w", ctx.Err())
	}
	k := &keeper{registration: r, reports: reports, held: make(chan struct{}), ended: make(chan struct{}), done: make(chan struct{})}
	var hold context.Context
	hold, k.cancel = context.WithCancel(ctx)
	go k.run(hold)

	limit := time.NewTimer(RegisterLimit)
	defer limit.Stop()
	select {
	case <-k.held:
		return k.deregister, nil
	case <-k.ended:
		err = k.failed
	case <-limit.C:
		err = fmt.Errorf("sd: the registry has not taken the instance within %v", RegisterLimit)
	}
	if over(ctx) {
		err = ctx.Err()
	}
	k.cancel()
	_ = k.await(context.Background()) // it was reported
	return nil, err
}

// keeper is a registration that is kept.
type keeper struct {
	registration Registration
	reports      []func(error)
	cancel       context.CancelFunc
	once         sync.Once
	held         chan struct{} // closed when the instance is in for the first time
	ended        chan struct{} // closed when it is no longer held
	failed       error         // why it never got in; set before ended
	done         chan struct{} // closed when it is out again, or that was given up

	mu      sync.Mutex
	removed error // what came of the last attempt to take it out
}

func (k *keeper) report(err error) {
	for _, report := range k.reports {
		report(err)
	}
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	defer k.cancel()
	k.keep(ctx)
	close(k.ended)
	k.remove(context.WithoutCancel(ctx))
}

// remove takes the instance out.
func (k *keeper) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, RemoveFor)
	defer cancel()
	var delay Backoff
	for {
		err := k.removeOnce(ctx)
		k.mu.Lock()
		k.removed = err
		k.mu.Unlock()
		if err == nil {
			return
		}
		k.report(err)
		if errors.Is(err, ErrClosed) || ctx.Err() != nil {
			return
		}
		delay.Wait(ctx)
	}
}

func (k *keeper) removeOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, RemoveLimit)
	defer cancel()
	return k.registration.Remove(ctx)
}

// keep holds the registration until ctx ends, or the first attempt fails.
func (k *keeper) keep(ctx context.Context) {
	var delay Backoff
	for ctx.Err() == nil {
		began := time.Now()
		err := k.registration.Hold(ctx, func() { k.once.Do(func() { close(k.held) }) })
		if ctx.Err() != nil {
			return
		}
		select {
		case <-k.held:
		default:
			k.failed = err
			if err == nil {
				k.failed = errLost
			}
			return
		}
		if err != nil {
			k.report(err)
		}
		if time.Since(began) > maxDelay { // else the registry takes it and loses it, again and again
			delay.Reset()
		}
		delay.Wait(ctx)
	}
}

func (k *keeper) deregister(ctx context.Context) error {
	select {
	case <-k.done: // whatever ctx is
		ctx = context.WithoutCancel(ctx)
	default:
	}
	k.cancel()
	return k.await(ctx)
}

// await waits until the instance is out, but no longer than RemoveLimit, and returns what came of it.
func (k *keeper) await(ctx context.Context) error {
	limit := time.NewTimer(RemoveLimit)
	defer limit.Stop()
	var late error
	select {
	case <-k.done:
	case <-ctx.Done():
	case <-limit.C:
		late = fmt.Errorf("sd: the registry has not taken the instance out within %v", RemoveLimit)
	}
	if ctx.Err() != nil { // also when it was out at the same moment
		late = fmt.Errorf("sd: waiting until the instance is taken out: %w", ctx.Err())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if late != nil && k.removed != nil {
		return fmt.Errorf("%w: %w", late, k.removed)
	}
	return errors.Join(late, k.removed)
}

// Check returns what is wrong with an instance that is to be registered, and the instance in its normal form.
func Check(instance sd.Instance) (sd.Instance, error) {
	if err := instance.Check(); err != nil {
		return instance, fmt.Errorf("sd: register: %w", err)
	}
	return sd.Normalize([]sd.Instance{instance})[0], nil
}
