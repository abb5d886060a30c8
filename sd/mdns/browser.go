package mdns

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	firstQuery = time.Second // from the first query to the second; each further wait is twice the last (RFC 6762, section 5.2)
	maxShift   = 12          // so that the longest is about an hour

	calm    = 50 * time.Millisecond   // from one set to the next, at least
	settled = 200 * time.Millisecond  // without news after an answer the first set is whole; answers come within 120 ms
	nobody  = 1500 * time.Millisecond // without an answer there is no instance: two queries were lost or not answered
)

// browser asks for the instances of a type, and hears what is announced of them.
type browser struct {
	cache *cache
	net   *network
	news  chan struct{} // holds one token while there is a set that was not taken

	mu      sync.Mutex
	set     []sd.Instance
	invalid []*sd.InvalidError

	queries   int       // how many were sent
	nextQuery time.Time // for all instances
	publishAt time.Time // the first set, unless one is known from before; later none sooner than this
	first     bool      // it was not published yet
	began     time.Time
}

// run hears until ctx ends, or there is no link any more.
func (b *browser) run(ctx context.Context) error {
	defer b.net.close()
	b.net.watch()
	select { // it begins when it can hear, for which the system may take a while
	case <-ctx.Done():
		return nil
	case s := <-b.net.states:
		if s.err != nil {
			return s.err
		}
	}
	b.begin(time.Now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-b.net.states:
			if s.err != nil {
				return s.err
			}
			b.queries, b.nextQuery = 0, time.Now()
		case p := <-b.net.packets:
			b.hear(p)
		case <-timer.C:
		}
		b.work(time.Now())
		timer.Reset(time.Until(b.next(time.Now())))
	}
}

func (b *browser) begin(now time.Time) {
	b.began, b.nextQuery, b.publishAt, b.first = now, now, now.Add(nobody), true
	if len(b.cache.instances) > 0 {
		b.cache.resume(now)
		b.publishAt = now
	}
	b.cache.changed = true
}

func (b *browser) hear(p packet) {
	now := time.Now()
	before := len(b.cache.instances)
	b.cache.hear(p.records, p.link.name, now)
	if len(b.cache.instances) > before && b.first {
		b.publishAt = earlier(now.Add(settled), b.began.Add(nobody))
	}
}

// work does what is due.
func (b *browser) work(now time.Time) {
	questions := b.cache.expire(now)
	if !now.Before(b.nextQuery) {
		b.nextQuery = now.Add(firstQuery << min(b.queries, maxShift))
		b.queries++
		if q := b.cache.question(); !slices.Contains(questions, q) {
			questions = append(questions, q)
		}
	}
	b.ask(questions, now)
	if b.cache.changed && !now.Before(b.publishAt) {
		b.publish(now)
		b.first = false
		b.publishAt = time.Now().Add(calm)
	}
}

func (b *browser) ask(questions []dnsmessage.Question, now time.Time) {
	if len(questions) == 0 {
		return
	}
	var known []dnsmessage.Resource
	if at := slices.Index(questions, b.cache.question()); at >= 0 { // the known answers go with this one
		questions[0], questions[at] = questions[at], questions[0]
		known = b.cache.known(now)
	}
	_ = b.net.send(queries(questions, known), func(*link) bool { return true }) // a link that fails is found by refresh
}

func (b *browser) publish(now time.Time) {
	b.cache.changed = false
	set, invalid := b.cache.found(now)
	b.mu.Lock()
	b.set, b.invalid = set, invalid
	b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default:
	}
}

func (b *browser) take() ([]sd.Instance, []*sd.InvalidError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.set, b.invalid
}

func (b *browser) next(now time.Time) time.Time {
	next := earlier(b.nextQuery, b.cache.next(now))
	if b.cache.changed {
		next = earlier(next, b.publishAt)
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
