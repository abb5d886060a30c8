package natstransport

import (
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/status"
)

// presenceEvery is how often it is looked whether there is still somebody at the subjects of calls that wait.
const presenceEvery = 250 * time.Millisecond

// errServerGone is what calls end with whose server has left NATS, as when its process has died: they may have been served.
var errServerGone = status.New(status.Unavailable, "the server is gone")

// presence is whether somebody serves the subject of a client. The subject of its cancellations is asked, by a message without a body, to
// which each server answers; NATS says when there is none any more. That says something only where somebody has answered before, which
// servers that are not Ashlar's never do: a client asks for that with its first call, and its second, fourth, eighth and so on.
type presence struct {
	subject string
	known   atomic.Bool   // there was an answer
	calls   atomic.Uint64 // counted while it is not known

	newest uint64 // the token of the newest probe, by the lock of the link
}

// introduce asks for the first time, or again.
func (s *presence) introduce(l *link) {
	if s.known.Load() {
		return
	}
	if n := s.calls.Add(1); n&(n-1) != 0 {
		return
	}
	l.mu.Lock()
	p := s.probe(l)
	l.mu.Unlock()
	p.send()
}

// probe makes a question, by the lock of the link.
func (s *presence) probe(l *link) *probe {
	p := &probe{presence: s, link: l}
	delete(l.waiting, s.newest) // it was not answered
	if !l.closed {
		l.last++
		l.waiting[l.last] = p
	}
	s.newest, p.token = l.last, l.last
	return p
}

// probe is one question.
type probe struct {
	presence *presence
	link     *link
	token    uint64
}

func (p *probe) send() {
	_ = p.link.nc.PublishRequest(p.presence.subject, p.link.subject(p.token), nil) // a lost connection is told by others
}

// receive takes the answer.
func (p *probe) receive(m *nats.Msg) {
	p.link.release(p.token)
	switch {
	case !noResponders(m):
		p.presence.known.Store(true)
	case p.presence.known.Load():
		p.gone()
	}
}

// lose is told by others.
func (p *probe) lose(bool) {}

// gone ends the calls that the question was about.
func (p *probe) gone() {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	for token, r := range p.link.waiting {
		if call, ok := r.(*pending); ok && call.probe == p {
			delete(p.link.waiting, token)
			call.answers <- answer{err: errServerGone}
		}
	}
}

// look asks about the calls that have waited since the last look.
func (l *link) look() {
	for _, p := range l.overdue() {
		p.send()
	}
}

func (l *link) overdue() (probes []*probe) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var asked map[*presence][]*pending
	for _, r := range l.waiting {
		call, ok := r.(*pending)
		switch {
		case !ok:
		case !call.seen:
			call.seen = true
		case call.presence.known.Load():
			if asked == nil {
				asked = make(map[*presence][]*pending)
			}
			asked[call.presence] = append(asked[call.presence], call)
		}
	}
	for s, calls := range asked {
		p := s.probe(l)
		probes = append(probes, p)
		for _, call := range calls {
			call.probe = p
		}
	}
	return probes
}
