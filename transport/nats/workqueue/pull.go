package workqueue

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// How a worker asks for messages.
const (
	pullExpires = 30 * time.Second // how long a request waits for messages
	pullSign    = 3 * time.Second  // how often JetStream says that a request still waits
	pullSilent  = 2                // without so many signs the requests are taken for lost
	pullAgain   = 100 * time.Millisecond
	pullMost    = pullSign // between attempts while requests fail; the first comes after pullAgain
)

// puller asks for as many messages as there is room for, and no more: what is asked for, what waits to be begun and what is worked on are
// together the size of the worker. The consume functions of jetstream keep a fixed number of messages on their way instead, which
// would wait here for long work to end while other workers are idle.
//
// After anything that leaves open how many messages are on their way it begins anew, on an inbox of its own, so that
// requests which JetStream may still know are void.
type puller struct {
	conn    *nats.Conn
	subject string // of the requests
	size    int
	expires time.Duration
	sign    time.Duration
	jobs    chan<- *nats.Msg // with room for size
	failed  func(control)    // told of what is not as it should be; must not block

	mu      sync.Mutex
	free    int
	asked   int
	closed  bool
	heard   time.Time
	current *nats.Subscription
	open    sync.WaitGroup // subscriptions that may still deliver
}

// renew begins anew: on a new inbox, with requests for all that is free.
func (p *puller) renew() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.drop()
	inbox := p.conn.NewInbox()
	sub, err := p.conn.Subscribe(inbox, p.arrive)
	if err != nil {
		return fmt.Errorf("subscribing to the answers of %s: %w", p.subject, err)
	}
	p.open.Add(1)
	sub.SetClosedHandler(func(string) { p.open.Done() })
	if err := sub.SetPendingLimits(-1, -1); err != nil { // no more comes than was asked for
		return fmt.Errorf("subscribing to the answers of %s: %w", p.subject, err)
	}
	p.current, p.heard = sub, time.Now()
	return p.ask()
}

// drop voids the requests that are under way. What has come already is still taken. The lock is held.
func (p *puller) drop() {
	p.free, p.asked = p.free+p.asked, 0
	if p.current == nil {
		return
	}
	// Both fail when the subscription has ended, which is what they are for.
	if p.conn.IsConnected() {
		_ = p.current.Drain()
	} else {
		_ = p.current.Unsubscribe() // one that drains would be subscribed anew when the connection is back
	}
	p.current = nil
}

// ask asks for what is free, when that is half of the size or nothing is on its way. The lock is held.
func (p *puller) ask() error {
	if p.closed || p.current == nil || p.free == 0 || p.asked > 0 && p.free < (p.size+1)/2 {
		return nil
	}
	request := fmt.Appendf(nil, `{"batch":%d,"expires":%d,"idle_heartbeat":%d}`, p.free, p.expires, p.sign)
	if err := p.conn.PublishRequest(p.subject, p.current.Subject, request); err != nil {
		return fmt.Errorf("asking for messages: %w", err)
	}
	if p.asked == 0 {
		p.heard = time.Now()
	}
	p.free, p.asked = 0, p.asked+p.free
	return nil
}

// askOrFail is ask where nobody else hears of an error.
func (p *puller) askOrFail() {
	if err := p.ask(); err != nil {
		p.failed(control{kind: interrupted, text: err.Error()})
	}
}

// arrive takes what comes on an inbox.
func (p *puller) arrive(msg *nats.Msg) {
	c := parseControl(msg)
	p.mu.Lock()
	defer p.mu.Unlock()
	ours := p.current != nil && msg.Sub == p.current // and not a request that is void
	if ours {
		p.heard = time.Now()
	}
	switch {
	case c.kind == delivered:
		p.take(msg, ours)
	case !ours || c.kind == sign:
	case c.kind == expired:
		unmet := min(c.unmet, p.asked)
		p.free, p.asked = p.free+unmet, p.asked-unmet
		p.askOrFail()
	default:
		p.failed(c)
	}
}

// take passes a message on, or gives it back at once when there is no room for it. The lock is held.
func (p *puller) take(msg *nats.Msg, ours bool) {
	switch {
	case p.closed:
		_ = giveBack(p.conn, msg, 0) // should it not arrive, AckWait brings the message back
		return
	case ours && p.asked > 0:
		p.asked--
	case p.free > 0: // of a void request, whose room was given back
		p.free--
	default:
		_ = giveBack(p.conn, msg, 0)
		return
	}
	p.jobs <- msg // has room
	p.askOrFail()
}

// release gives back the room of a message that is done with.
func (p *puller) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free++
	p.askOrFail()
}

// silent reports whether JetStream should have said something by now.
func (p *puller) silent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current != nil && p.asked > 0 && time.Since(p.heard) > pullSilent*p.sign
}

// paused reports whether nothing is asked for, until renew.
func (p *puller) paused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current == nil
}

// pause voids the requests, until renew.
func (p *puller) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

// stop ends asking for good. From now on what comes is given back.
func (p *puller) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.drop()
}
