package natstransport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// Conn is what clients call over: a connection to NATS, with one inbox for the answers to all of their calls. It is safe for
// concurrent use.
type Conn struct {
	shared *Conn  // itself, or the one that At was called on
	prefix string // of subjects, with the dot

	link  *link
	asker *asker
	pool  sync.Pool

	mu sync.Mutex
	up chan struct{} // closed when the state of the connection changes, for those who wait for it
}

// NewConn makes a Conn of nc, which remains the caller's. It subscribes to an inbox; Close ends that, and so does the end
// of nc. One Conn for each *nats.Conn is enough.
//
// It fails when nc is nil, closed or draining.
func NewConn(nc *nats.Conn) (*Conn, error) { return newConn(nc, askEvery) }

func newConn(nc *nats.Conn, every time.Duration) (*Conn, error) {
	if nc == nil {
		return nil, errors.New("natstransport: the connection is nil")
	}
	c := &Conn{pool: sync.Pool{New: func() any { return &pending{answers: make(chan answer, 1)} }}, up: make(chan struct{})}
	c.shared = c
	var err error
	if c.link, err = newLink(nc, c.changed); err != nil {
		return nil, fmt.Errorf("natstransport: opening an inbox: %w", err)
	}
	c.asker = newAsker(c.link, every)
	return c, nil
}

// At returns the Conn by which one instance is called: servers with ServerPrefix of the same prefix. It shares everything with c, so
// it costs next to nothing, and to close it does nothing: calls over it that have begun go on.
//
// It fails when c is nil, and when no subject can begin with prefix.
func (c *Conn) At(prefix string) (*Conn, error) {
	if c == nil {
		return nil, errors.New("natstransport: the connection is nil")
	}
	if err := checkSubject(prefix); err != nil {
		return nil, fmt.Errorf("natstransport: the prefix %w", err)
	}
	return &Conn{shared: c.shared, prefix: c.prefix + prefix + "."}, nil
}

// Dialer returns the function by which a pool, as that of package lb, calls instances whose addresses are prefixes of subjects: At.
//
// It fails when conn is nil, and the function when At does.
func Dialer(conn *Conn) (func(ctx context.Context, address string) (*Conn, error), error) {
	if conn == nil {
		return nil, errors.New("natstransport: Dialer: the connection is nil")
	}
	return func(_ context.Context, address string) (*Conn, error) { return conn.At(address) }, nil
}

// Close ends the calls that wait for an answer, with Unavailable, and the streams, and gives up the inbox. Calls that come later
// fail. The connection to NATS stays open. It always returns nil, and closing twice does no harm.
func (c *Conn) Close() error {
	if c.shared != c {
		return nil
	}
	c.asker.close()
	c.link.close()
	c.changed(nats.CLOSED)
	return nil
}

// changed wakes those who wait for the connection.
func (c *Conn) changed(nats.Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.up)
	c.up = make(chan struct{})
}

// pending is a call that waits for its answer.
type pending struct {
	answers chan answer
	subject string
	patient bool // the call has no deadline

	presence *presence
	seen     bool   // by the lock of the link, as what follows: it has waited when it was last looked
	probe    *probe // the last that was about it

	age, missed int  // how often the asker has looked, and asked in vain
	known       bool // the server has answered a question
}

// answer is a message, or why there is none.
type answer struct {
	message *nats.Msg
	err     *status.Error
}

func (p *pending) receive(m *nats.Msg) { p.answers <- answer{message: m} }

func (p *pending) lose(closed bool) {
	err := errLost
	if closed {
		err = errClosed
	}
	p.answers <- answer{err: err}
}

// request sends the message, and waits for the answer. Its errors are for the caller.
func (c *Conn) request(ctx context.Context, m *nats.Msg, s *presence) (*nats.Msg, error) {
	p, _ := c.pool.Get().(*pending)
	_, urgent := ctx.Deadline()
	*p = pending{answers: p.answers, subject: m.Subject, patient: !urgent, presence: s}
	token, ok := c.link.open(p)
	if !ok {
		return nil, notSent(errClosed)
	}
	m.Reply = c.link.subject(token)
	if err := c.publish(m); err != nil {
		if c.link.release(token) {
			c.pool.Put(p)
		}
		return nil, err
	}
	s.introduce(c.link)
	select {
	case a := <-p.answers:
		c.pool.Put(p)
		return a.result()
	case <-ctx.Done():
	}
	if !c.link.release(token) { // it has come at the same time
		a := <-p.answers
		c.pool.Put(p)
		return a.result()
	}
	c.pool.Put(p)
	if errors.Is(ctx.Err(), context.Canceled) { // the deadline the server knows itself
		_ = c.link.nc.Publish(CancelSubject(m.Subject), []byte(m.Reply))
	}
	return nil, status.From(ctx.Err())
}

func (a answer) result() (*nats.Msg, error) {
	switch {
	case a.err != nil:
		return nil, a.err
	case noResponders(a.message):
		return nil, notSent(errNoResponders)
	}
	return a.message, nil
}

// publish sends a message to a server. Its errors are for the caller, and say that it was not sent.
func (c *Conn) publish(m *nats.Msg) error {
	nc := c.link.nc
	if !nc.IsConnected() { // nats.go would keep it for later
		if nc.IsClosed() {
			return notSent(errClosed)
		}
		return notSent(errDisconnected)
	}
	var err error
	if len(m.Header) == 0 {
		err = nc.PublishRequest(m.Subject, m.Reply, m.Data)
	} else {
		err = nc.PublishMsg(m)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload):
		return notSent(tooLarge("the request, with its header,", carried(m.Header, m.Data), nc.MaxPayload()).WithCause(err))
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining):
		return notSent(errClosed.WithCause(err))
	}
	return notSent(errDisconnected.WithCause(err))
}

// await waits until the connection is there.
func (c *Conn) await(ctx context.Context) error {
	nc := c.link.nc
	for {
		c.mu.Lock()
		changed := c.up
		c.mu.Unlock()
		switch {
		case nc.IsConnected():
			return nil
		case nc.IsClosed(), c.link.isClosed():
			return notSent(errClosed)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return notSent(status.From(ctx.Err()))
		}
	}
}

var (
	errNoResponders = status.New(status.Unavailable, "nobody serves the operation").WithReason("NO_RESPONDERS")
	errDisconnected = status.New(status.Unavailable, "there is no connection to NATS").WithReason("DISCONNECTED")
)

// notSent adds to err that nothing was sent.
func notSent(err *status.Error) *status.Error {
	if err.Cause == nil {
		return err.WithCause(transport.ErrNotSent)
	}
	return err.WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, err.Cause))
}
