package natstransport

import (
	"crypto/rand"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// link is one end's part of a connection: an inbox of its own, on one subscription, and somebody who watches the connection.
type link struct {
	nc     *nats.Conn
	prefix string // of the subjects of the inbox
	sub    *nats.Subscription
	quiet  chan struct{} // closed when NATS delivers nothing any more

	status chan nats.Status
	change func(nats.Status)
	gone   chan struct{} // closed when nobody watches any more

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]receiver
	closed  bool
}

// receiver is told what comes to its subject of the inbox. It must not block.
type receiver interface {
	// receive takes a message.
	receive(m *nats.Msg)
	// lose says that the connection was lost, or closed. It is the last that the receiver is told.
	lose(closed bool)
}

// newLink makes the inbox. Change is called when the connection is lost, after the receivers have been told, when it is back, and
// when it is closed.
func newLink(nc *nats.Conn, change func(nats.Status)) (l *link, err error) {
	l = &link{
		nc: nc, prefix: inbox(nc), quiet: make(chan struct{}), change: change, gone: make(chan struct{}),
		waiting: make(map[uint64]receiver),
	}
	if l.sub, err = nc.Subscribe(l.prefix+"*", l.deliver); err != nil {
		return nil, err
	}
	l.status = nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	slow := l.sub.StatusChanged(nats.SubscriptionSlowConsumer)
	if err := guard(l.sub, l.quiet); err != nil {
		_ = l.sub.Unsubscribe()
		nc.RemoveStatusListener(l.status)
		return nil, err
	}
	go l.watch(slow)
	return l, nil
}

// guard limits what a new subscription holds, and sees to it that quiet is closed when NATS delivers nothing to it any more. It fails
// when that is so already, since then nobody is told.
func guard(sub *nats.Subscription, quiet chan<- struct{}) error {
	sub.SetClosedHandler(func(string) { close(quiet) })
	if err := sub.SetPendingLimits(MaxPendingMessages, MaxPendingBytes); err != nil {
		return err
	}
	if !sub.IsValid() {
		return nats.ErrConnectionClosed
	}
	return nil
}

// inbox returns the beginning of subjects that nobody else has. It is shorter than nats.go's, since it is in each message.
func inbox(nc *nats.Conn) string {
	prefix := strings.TrimSuffix(nats.InboxPrefix, ".")
	if own := nc.Opts.InboxPrefix; own != "" {
		prefix = own
	}
	const length = 14 // of the 26 letters that rand.Text returns, of 5 bits each: 70 bits
	return prefix + "." + rand.Text()[:length] + "."
}

// open gives the receiver a subject. It reports false when the link is closed.
func (l *link) open(r receiver) (token uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, false
	}
	l.last++
	l.waiting[l.last] = r
	return l.last, true
}

// release takes the subject back. It reports false when there has been a last message.
func (l *link) release(token uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.waiting[token]
	delete(l.waiting, token)
	return ok
}

const tokenBase = 36

// subject returns the subject of the token.
func (l *link) subject(token uint64) string {
	const room = 64
	var buf [room]byte
	return string(strconv.AppendUint(append(buf[:0], l.prefix...), token, tokenBase))
}

// deliver is called by NATS for each message, one at a time.
func (l *link) deliver(m *nats.Msg) {
	text, ok := strings.CutPrefix(m.Subject, l.prefix)
	token, err := strconv.ParseUint(text, tokenBase, 64)
	if !ok || err != nil {
		return
	}
	l.mu.Lock()
	r := l.waiting[token]
	if p, ok := r.(*pending); ok { // which has one answer
		delete(l.waiting, token)
		p.answers <- answer{message: m}
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	if r == nil {
		stray(l.nc, m)
	} else {
		r.receive(m)
	}
}

// watch tells the receivers when the connection is lost, or when some of what they wait for may be.
func (l *link) watch(slow <-chan nats.SubStatus) {
	defer close(l.gone)
	for {
		select {
		case s, ok := <-l.status:
			if !ok { // by close
				return
			}
			if s != nats.CONNECTED {
				l.loseAll(s == nats.CLOSED)
			}
			l.change(s)
			if s == nats.CLOSED {
				l.nc.RemoveStatusListener(l.status)
				return
			}
		case _, ok := <-slow:
			if !ok { // with the subscription
				slow = nil
				continue
			}
			l.loseAll(false)
		}
	}
}

func (l *link) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// loseAll takes all subjects back.
func (l *link) loseAll(closed bool) {
	l.mu.Lock()
	lost := l.waiting
	l.waiting = make(map[uint64]receiver)
	l.closed = l.closed || closed
	l.mu.Unlock()
	for _, r := range lost {
		r.lose(closed)
	}
}

// close ends the inbox, whose receivers are told, and waits for what runs. The connection stays.
func (l *link) close() {
	l.loseAll(true)
	_ = l.sub.Unsubscribe()
	<-l.quiet
	l.nc.RemoveStatusListener(l.status)
	<-l.gone
}
