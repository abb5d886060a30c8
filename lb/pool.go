package lb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
)

// Dial makes the client of an instance, such as a connection, which all operations share. It may block until ctx ends; an error,
// also that of an instance that cannot be reached, makes the pool try again later. A client that is an io.Closer is closed when its
// instance has departed. Each transport has a function for it that takes an address: see ByAddress.
type Dial[C any] func(ctx context.Context, instance sd.Instance) (client C, err error)

// ByAddress is the Dial that needs no more of an instance than its address.
func ByAddress[C any](dial func(ctx context.Context, address string) (client C, err error)) Dial[C] {
	if dial == nil {
		return nil // which New refuses
	}
	return func(ctx context.Context, instance sd.Instance) (C, error) { return dial(ctx, instance.Address) }
}

// Pool keeps a client for each instance of a service, and chooses one for each call. It is safe for concurrent use.
type Pool[C any] struct {
	service string
	dial    Dial[C]
	config  *poolConfig
	clock   *clock
	tickets sync.Pool // of *ticket[C]
	budget  *budget

	measures bool // the policy does

	current atomic.Pointer[snapshot[C]] // what is picked from
	binds   atomic.Int32                // how many endpoints there are

	ctx    context.Context // of the watch and the dials
	cancel context.CancelFunc
	work   sync.WaitGroup // the goroutines
	closed sync.Once
	inbox  inbox

	mu      sync.Mutex
	known   bool       // a set has come
	failure error      // of the registry, since the last set
	nodes   []*node[C] // the set, sorted by ID
	counts  struct{ connected, ejected int }
	dials   dials[C]
	out     agenda[C] // the ejected, by when they return
	cold    agenda[C] // those in their slow start, by its end
	rating  time.Duration

	gone     []*node[C]            // have left the set, and current may still have them
	leaving  map[*node[C]]struct{} // have left, and are not closed
	draining agenda[C]             // of these, those that have calls, by when they are closed nevertheless
	closing  int                   // clients that are being closed

	stale  bool    // current is out of date
	urgent bool    // since it has nodes that are not to be picked, or none
	pace   pace    // of making it anew
	events []Event // to be told without mu
	ended  bool    // by Close
	errs   []error // of closing clients after that
}

// New returns the pool of the instances of service that instancer sees; service is for errors. It starts to watch at once. It is to
// be closed.
//
// It fails when service is empty, instancer or dial is nil, or an option is wrong.
func New[C any](service string, instancer sd.Instancer, dial Dial[C], opts ...PoolOption) (*Pool[C], error) {
	switch {
	case service == "":
		return nil, errors.New("lb: the name of the service is empty")
	case instancer == nil:
		return nil, fmt.Errorf("lb: pool of %s: the Instancer is nil", service)
	case dial == nil:
		return nil, fmt.Errorf("lb: pool of %s: Dial is nil", service)
	}
	config := defaultPoolConfig()
	if err := option.Set(config, opts); err != nil {
		return nil, fmt.Errorf("lb: pool of %s: %w", service, err)
	}
	p := &Pool[C]{
		service: service, dial: dial, config: config, budget: newBudget(config), clock: newClock(), inbox: newInbox(),
		measures: config.policy.Measures(), leaving: make(map[*node[C]]struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background()) //nolint:gosec // by Close
	p.publish()
	p.work.Go(func() { p.watch(instancer) })
	p.work.Go(p.run)
	return p, nil
}

// Service is the name that New was given.
func (p *Pool[C]) Service() string { return p.service }

// Close lets no more calls begin, waits for those in flight as PoolDrain says, closes all clients, and returns when nothing of the pool
// remains, with the errors of closing these joined. A function of PoolEvents must not call it.
func (p *Pool[C]) Close() error {
	p.closed.Do(func() { p.inbox.post(p.end) })
	p.work.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.errs...)
}

// end begins the end.
func (p *Pool[C]) end() {
	p.ended, p.stale, p.urgent = true, true, true
	p.cancel()
	for _, n := range p.nodes {
		p.leave(n)
	}
	p.nodes = nil
}

// watch hands over what the registry says.
func (p *Pool[C]) watch(instancer sd.Instancer) {
	for set, err := range instancer.Watch(p.ctx) {
		p.inbox.news(set, err)
	}
}

// run works off what happens, on the one goroutine that changes the pool.
func (p *Pool[C]) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-p.inbox.signal:
		case <-timer.C:
		}
		wait, over := p.turn()
		if over {
			return
		}
		timer.Reset(wait)
	}
}

// turn does what there is to do, and returns how long there will be nothing, unless something happens.
func (p *Pool[C]) turn() (wait time.Duration, over bool) {
	events, wait, over := p.settle()
	for _, e := range events {
		for _, told := range p.config.events {
			told(e)
		}
	}
	return wait, over
}

func (p *Pool[C]) settle() (events []Event, wait time.Duration, over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, happened := range p.inbox.take(p.update, p.failed) {
		happened()
	}
	now := p.clock.Now()
	wait = min(p.redial(now), p.restore(now), p.warm(now), p.rate(now))
	wait = min(wait, p.refresh(now), p.force(now))
	events, p.events = p.events, nil
	over = p.ended && len(p.leaving) == 0 && p.closing == 0 && p.dials.running == 0
	if over {
		p.inbox.close()
	}
	return events, wait, over
}

// tell adds an event to those that are told when this turn is over.
func (p *Pool[C]) tell(e Event) {
	if len(p.config.events) > 0 {
		p.events = append(p.events, e)
	}
}
