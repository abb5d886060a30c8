package natsdiscovery

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Instancer watches the instances of one service by asking for them. It is safe for concurrent use.
type Instancer struct {
	instancerConfig

	nc      *nats.Conn
	service string
}

// NewInstancer returns the Instancer of the service, whose name is that of the NATS micro service: letters, digits, "-" and "_". It fails
// when nc is nil, and when the name or an option is wrong.
func NewInstancer(nc *nats.Conn, service string, opts ...InstancerOption) (*Instancer, error) {
	if err := check(nc, service); err != nil {
		return nil, fmt.Errorf("natsdiscovery: NewInstancer: %w", err)
	}
	c, err := newInstancerConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("natsdiscovery: NewInstancer: %w", err)
	}
	return &Instancer{instancerConfig: c, nc: nc, service: service}, nil
}

// Watch implements sd.Instancer. Each watch asks for itself. Its first set comes when a round is over. While the connection is lost, and
// while NATS does not answer, what is missing is not missed.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		c := newCensus(i.service, i.misses) // it outlives outages
		read := func(ctx context.Context, feed *driver.Feed) error {
			err := i.read(ctx, c, feed)
			if err != nil {
				err = fmt.Errorf("natsdiscovery: %s: %w", i.service, err)
			}
			return err
		}
		driver.Watch(ctx, read)(yield)
	}
}

// maxWaiting is how many answers wait to be looked at. What comes beyond is lost, and comes again in the next round.
const maxWaiting = 16 << 10

// asking is one Read of a watch.
type asking struct {
	*Instancer

	census  *census
	feed    *driver.Feed
	inbox   string
	answers chan *nats.Msg
	status  <-chan nats.Status
}

func (i *Instancer) read(ctx context.Context, c *census, feed *driver.Feed) error {
	status := i.nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	defer i.nc.RemoveStatusListener(status)
	if err := connected(i.nc); err != nil {
		return err
	}
	c.forget()
	a := &asking{Instancer: i, census: c, feed: feed, inbox: i.nc.NewInbox(), answers: make(chan *nats.Msg, maxWaiting), status: status}
	for _, subject := range []string{a.inbox, Subject(i.service)} {
		sub, err := i.nc.ChanSubscribe(subject, a.answers)
		if err != nil {
			return fmt.Errorf("subscribing to %s: %w", subject, err)
		}
		defer sub.Unsubscribe() //nolint:errcheck // it fails when the connection is closed, which ends it as well
	}
	return a.run(ctx)
}

// run asks, round by round.
func (a *asking) run(ctx context.Context) error {
	for {
		next := time.NewTimer(a.delay())
		err := a.round(ctx)
		more := err == nil && a.tell()
		if more {
			more, err = a.listen(ctx, next.C)
		}
		next.Stop()
		if !more || err != nil {
			return err
		}
	}
}

// round asks once, and takes what is answered until the window is over.
func (a *asking) round(ctx context.Context) error {
	request := &nats.Msg{Subject: infoSubject(a.service), Reply: a.inbox}
	if err := a.nc.PublishMsg(request); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	err := alive(ctx, a.nc) // from now on there may be answers
	if err == nil {
		err = a.collect(ctx)
	}
	if err == nil {
		err = alive(ctx, a.nc) // and there could be until now
	}
	if err != nil || ctx.Err() != nil {
		return err
	}
	a.drain()
	a.census.close()
	return nil
}

// collect takes answers for as long as the window, or until it is known that there is nobody to give one.
func (a *asking) collect(ctx context.Context) error {
	over := time.NewTimer(a.window)
	defer over.Stop()
	for {
		select {
		case m := <-a.answers:
			if !a.census.take(m) {
				return nil
			}
		case s := <-a.status:
			return lost(s)
		case <-over.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// listen takes what instances say unasked, until the next round is due. It reports false when the watch is to end.
func (a *asking) listen(ctx context.Context, next <-chan time.Time) (more bool, err error) {
	for {
		select {
		case m := <-a.answers:
			a.census.take(m)
			a.drain()
			if !a.tell() {
				return false, nil
			}
		case s := <-a.status:
			return false, lost(s)
		case <-next:
			return true, nil
		case <-ctx.Done():
			return false, nil
		}
	}
}

// drain takes what is there already, so that it makes one set.
func (a *asking) drain() {
	for {
		select {
		case m := <-a.answers:
			a.census.take(m)
		default:
			return
		}
	}
}

// tell reports false when the watch is to end.
func (a *asking) tell() bool { return a.feed.Set(a.census.set(), a.census.invalid...) }

// delay returns the time to the next round.
func (a *asking) delay() time.Duration {
	const part = 4
	most := a.interval / part
	return a.interval - most + rand.N(2*most+1) //nolint:gosec // no secret
}

// aliveLimit is how long a NATS server may take to say that it is there.
const aliveLimit = 3 * time.Second

// alive asks the NATS server whether it is there. All that was sent before has reached it then.
func alive(ctx context.Context, nc *nats.Conn) error {
	limited, cancel := context.WithTimeout(ctx, aliveLimit)
	defer cancel()
	err := nc.FlushWithContext(limited)
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case errors.Is(err, nats.ErrConnectionClosed) && !nc.IsClosed(): // it is told this way also when the connection is lost
		return lost(nats.DISCONNECTED)
	}
	return fmt.Errorf("asking NATS whether it is there: %w", err)
}

// connected returns an error when there is no connection to NATS.
func connected(nc *nats.Conn) error {
	if nc.IsConnected() {
		return nil
	}
	return lost(nc.Status())
}

var errLost = errors.New("there is no connection to NATS")

func lost(state nats.Status) error {
	if state == nats.CLOSED {
		return nats.ErrConnectionClosed
	}
	return fmt.Errorf("%w: it is %v", errLost, state)
}
