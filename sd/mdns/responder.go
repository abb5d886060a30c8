package mdns

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	pause     = time.Second            // between two announcements of a record on a link of several machines (RFC 6762, section 6)
	gather    = 100 * time.Millisecond // by which announcements are early, to go together
	fresh     = 2 * time.Second        // for which an offer is the newest of its name, whatever the clocks say
	maxClaims = 3                      // times in which it says so
	skew      = time.Second            // by which clocks differ without being wrong
	maxQueue  = 64                     // answers that wait
)

var errStopped = errors.New("mdns: the registrar has stopped")

// responder announces the instances of one Registrar, and answers questions about them.
type responder struct {
	typ    string
	net    *network
	calls  chan func()
	cancel context.CancelFunc
	done   chan struct{}
	report func(error)

	offers map[string]*offer // by name
	queue  []*answer
}

// answer waits for a while, as answers of several responders are not to be sent at once, and more known answers may come.
type answer struct {
	packet

	due    time.Time
	asked  time.Time
	offers []*offer
	types  bool // the question was which types there are
}

func newResponder(typ string, interfaces []string, report func(error)) *responder {
	ctx, cancel := context.WithCancel(context.Background())
	r := &responder{
		typ: typ, net: newNetwork(interfaces, true), calls: make(chan func()), cancel: cancel, done: make(chan struct{}), report: report,
		offers: make(map[string]*offer),
	}
	go r.run(ctx)
	return r
}

// stop ends the responder, and waits until nothing of it remains.
func (r *responder) stop() {
	r.cancel()
	<-r.done
}

// call runs f between other work, and waits for it.
func (r *responder) call(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case r.calls <- func() { f(); close(ran) }:
		<-ran
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-r.done:
		return errStopped
	}
}

func (r *responder) run(ctx context.Context) {
	defer close(r.done)
	defer r.net.close()
	r.net.watch()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-r.calls:
			f()
		case s := <-r.net.states:
			r.changed(s, time.Now())
		case p := <-r.net.packets:
			if p.response {
				r.defend(p.records, time.Now())
			} else {
				r.asked(p, time.Now())
			}
		case <-timer.C:
		}
		r.work(time.Now())
		timer.Reset(time.Until(r.next()))
	}
}

// add announces the offer from now on, in the place of one with its name. It fails when there is nowhere to announce it.
func (r *responder) add(ctx context.Context, o *offer) (err error) {
	failure := r.call(ctx, func() {
		now := time.Now()
		if err = r.ready(now); err != nil {
			return
		}
		revision := o.revision
		old := r.offers[o.name]
		if old != nil {
			revision = max(revision, old.revision+1)
		}
		if err = o.setRevision(revision); err != nil {
			return
		}
		o.began, o.sent, o.claims, o.rival, o.silent = now, 0, 0, time.Time{}, false
		if err = r.announce([]*offer{o}, func(*link) bool { return true }, now); err != nil {
			err = fmt.Errorf("mdns: announce %s: %w", o.instance, err)
			return
		}
		if old != nil {
			old.silent = true
		}
		o.out, r.offers[o.name] = true, o
	})
	return errors.Join(failure, err)
}

// drop ends announcing the offer.
func (r *responder) drop(o *offer) {
	_ = r.call(context.Background(), func() { // which fails only when the responder has stopped
		o.silent = o.silent || o.yielded(time.Now())
		if r.offers[o.name] == o {
			delete(r.offers, o.name)
		}
	})
}

// remove says goodbye for an offer that was dropped, unless another has its name.
func (r *responder) remove(ctx context.Context, o *offer) (err error) {
	failure := r.call(ctx, func() {
		if o.silent || r.offers[o.name] != nil {
			return
		}
		if err = r.ready(time.Now()); err != nil {
			return
		}
		if err = r.net.send(answers([][]dnsmessage.Resource{o.goodbye()}), o.on); err != nil {
			err = fmt.Errorf("mdns: withdraw %s: %w", o.instance, err)
		}
	})
	return errors.Join(failure, err)
}

// announce sends the offers to the links that where wants.
func (r *responder) announce(offers []*offer, where func(*link) bool, now time.Time) (err error) {
	for _, loopback := range []bool{false, true} { // these differ in where they are announced
		var groups [][]dnsmessage.Resource
		for _, o := range offers {
			if o.place.loopback == loopback {
				groups = append(groups, o.records())
			}
		}
		if len(groups) == 0 {
			continue
		}
		on := func(l *link) bool { return (l.loopback || !loopback) && where(l) }
		err = errors.Join(err, r.net.send(answers(groups), on))
		for _, o := range offers {
			for _, l := range r.net.all() {
				if o.place.loopback == loopback && on(l) {
					o.at[l] = now
				}
			}
		}
	}
	for _, o := range offers {
		o.sent++
		o.next = now.Add(o.interval())
	}
	return err
}

// interval is how long after an announcement the next comes: one second after the first (RFC 6762, section 8.3), then half of the TTL,
// some of it by chance.
func (o *offer) interval() time.Duration {
	half := time.Duration(o.ttl) * time.Second / 2
	if o.sent == 1 {
		return min(pause, half)
	}
	return half - rand.N(half/10) //nolint:gosec // no secret
}

// ready looks at the interfaces at once, when there is reason to.
func (r *responder) ready(now time.Time) error {
	links := r.net.all()
	if len(links) > 0 && !slices.ContainsFunc(links, func(l *link) bool { return l.broken.Load() }) {
		return nil
	}
	joined, err := r.net.refresh()
	if joined || err != nil {
		r.changed(state{joined, err}, now)
	}
	return err
}

// changed announces all offers to links that are new. Without any link they are lost.
func (r *responder) changed(s state, now time.Time) {
	if s.err != nil {
		for _, o := range r.offers {
			o.lost <- s.err
		}
		clear(r.offers)
	}
	for _, o := range r.offers {
		o.sent, o.next = 0, now
		clear(o.at) // all of it is new to the new link, and what is not there any more is forgotten
	}
}

// work does what is due.
func (r *responder) work(now time.Time) {
	var due []*offer
	for _, o := range r.offers {
		switch {
		case o.yielded(now):
		case !o.rival.IsZero(): // it is over
			o.rival, o.sent = time.Time{}, 0
			if o.setRevision(max(o.revision+1, uint64(now.UnixMicro()))) == nil { // which is as long as before
				due = append(due, o)
			}
		case now.Add(gather).Before(o.next):
		case now.Before(o.free()):
			o.next = o.free().Add(gather) // which is when it is due
		default:
			due = append(due, o)
		}
	}
	if len(due) > 0 {
		_ = r.announce(due, func(*link) bool { return true }, now) // a link that fails is found by refresh
	}
	r.queue = slices.DeleteFunc(r.queue, func(a *answer) bool { return !now.Before(a.due) && r.answer(a, now) })
}

func (r *responder) next() time.Time {
	next := time.Now().Add(time.Hour)
	for _, o := range r.offers {
		if o.rival.IsZero() {
			next = earlier(next, o.next.Add(-gather))
		} else {
			next = earlier(next, o.rival)
		}
	}
	for _, a := range r.queue {
		next = earlier(next, a.due)
	}
	return next
}

// defend compares what others announce under the names of the offers.
func (r *responder) defend(records []dnsmessage.Resource, now time.Time) {
	for _, record := range records {
		switch body := record.Body.(type) {
		case *dnsmessage.TXTResource:
			o := r.offers[record.Header.Name.String()]
			if o != nil && record.Header.TTL > 0 && !slices.Equal(body.TXT, o.text) {
				r.meet(o, &rival{text: body.TXT, says: decode(body.TXT), ttl: min(time.Duration(record.Header.TTL)*time.Second, maxTTL)}, now)
			}
		case *dnsmessage.PTRResource:
			if record.Header.TTL > 0 {
				continue
			}
			if o := r.offers[body.PTR.String()]; o != nil && o.yielded(now) {
				o.rival = now // which ends it
			} else if o != nil { // somebody says that it is no more, and others may believe it (RFC 6762, section 10.1)
				o.next = now
			}
		}
	}
}

// meet compares an offer with another that has its name.
func (r *responder) meet(o *offer, other *rival, now time.Time) {
	switch {
	case o.yielded(now):
		o.rival = now.Add(other.ttl)
	case other.compare(o) < 0: // it has to give way, and does when it hears this
		o.next = earlier(o.next, now)
	case now.Sub(o.began) < fresh && o.claims < maxClaims && other.says.revision > uint64(now.Add(skew).UnixMicro()):
		o.claims++                                       // the other is older, and its clock is ahead
		if o.setRevision(other.says.revision+1) == nil { // which is as long as before
			o.next = now
		}
	default:
		o.rival = now.Add(other.ttl)
		r.report(fmt.Errorf("mdns: %s: %w: another process announces its ID, at %s", o.instance, sd.ErrReplaced, other.says.instance.Address))
	}
}

// free returns when the offer may be announced again on all links.
func (o *offer) free() (at time.Time) {
	for l, last := range o.at {
		at = later(at, last.Add(l.pause()))
	}
	return at
}
