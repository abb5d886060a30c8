package natstransport

import (
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/status"
)

// maxEarly is how many cancellations are kept whose requests have not begun. They come on another subscription, and so may overtake
// them; most of them are of requests that another instance serves.
const maxEarly = 256

// maxReply is how long a reply subject may be for its call to be cancelled. NATS allows no subject that is much longer.
const maxReply = 4 << 10

// ledger knows the calls that a server serves, and what became of all that it has served.
type ledger struct {
	mu     sync.Mutex
	first  *exchange           // of those that are served, the newest. They are many at most, and looked through for what is rare
	early  map[string]struct{} // reply subjects of calls that were given up before they began
	order  [maxEarly]string    // of early, as a ring
	at     int                 // in order
	stats  micro.EndpointStats // without the names
	active int
}

func newLedger() *ledger {
	return &ledger{early: make(map[string]struct{})}
}

// add adds a call that begins.
func (l *ledger) add(x *exchange) {
	l.mu.Lock()
	x.next = l.first
	if x.next != nil {
		x.next.prev = x
	}
	l.first = x
	l.active++
	early := false
	if len(l.early) > 0 {
		if _, early = l.early[x.msg.Reply]; early {
			delete(l.early, x.msg.Reply)
		}
	}
	l.mu.Unlock()
	if early {
		x.callContext.end(errGone)
	}
}

// attach makes f the stream of the call.
func (l *ledger) attach(x *exchange, f *flow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x.flow = f
}

// flowOf returns the stream of the call, nil when it has none.
func (l *ledger) flowOf(x *exchange) *flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	return x.flow
}

// remove removes a call that has ended, and counts it.
func (l *ledger) remove(x *exchange) {
	took := time.Since(x.began)
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.next != nil {
		x.next.prev = x.prev
	}
	switch {
	case x.prev != nil:
		x.prev.next = x.next
	case l.first == x:
		l.first = x.next
	default: // it was never added
		l.count(took, x.shown)
		return
	}
	l.active--
	l.count(took, x.shown)
}

// refuse counts a request that was not served.
func (l *ledger) refuse(err *status.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count(0, err)
}

func (l *ledger) count(took time.Duration, err *status.Error) {
	l.stats.NumRequests++
	l.stats.ProcessingTime += took
	if err != nil {
		l.stats.NumErrors++
		l.stats.LastError = strconv.Itoa(err.Code.HTTP()) + ":" + describe(err)
	}
}

// cancel ends the call whose request had that reply subject, of several the newest, now or when it begins.
func (l *ledger) cancel(reply string) {
	l.mu.Lock()
	x := l.find(reply)
	if x == nil && reply != "" {
		delete(l.early, l.order[l.at])
		l.order[l.at] = reply
		l.at = (l.at + 1) % maxEarly
		l.early[reply] = struct{}{}
	}
	l.mu.Unlock()
	if x != nil {
		x.callContext.end(errGone)
	}
}

// serves reports whether a call is served whose request had that reply subject.
func (l *ledger) serves(reply string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.find(reply) != nil
}

func (l *ledger) find(reply string) *exchange {
	x := l.first
	for x != nil && x.msg.Reply != reply {
		x = x.next
	}
	return x
}

// all returns the calls that are served now.
func (l *ledger) all() (calls []*exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for x := l.first; x != nil; x = x.next {
		calls = append(calls, x)
	}
	return calls
}

// snapshot returns the statistics, and how many calls are served now.
func (l *ledger) snapshot() (stats micro.EndpointStats, active int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stats = l.stats
	if stats.NumRequests > 0 {
		stats.AverageProcessingTime = stats.ProcessingTime / time.Duration(stats.NumRequests)
	}
	return stats, l.active
}
