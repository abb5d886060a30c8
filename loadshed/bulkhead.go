package loadshed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Bulkhead keeps the calls of one thing, such as a dependency that is slow at times, from taking up all of a process: it lets a fixed
// number pass at a time, and lets some others wait in the order in which they came. NewBulkhead makes it. It is safe for concurrent use,
// has no goroutine, and needs no closing. The zero value refuses all calls. Bulkheads are for one by key.
type Bulkhead struct {
	gate

	kind    *bulkheadKind
	id      bulkheadID
	tickets tickets
	sites   sites
	full    atomic.Uint64
	late    atomic.Uint64

	telling atomic.Bool   // an event of the beginning was told, and none of the end; set with mu held
	refused time.Duration // when the last call was, while telling; with mu held
}

// bulkheadKind is what Bulkheads that are made alike share.
type bulkheadKind struct {
	bulkheadConfig

	calls int
	table *table
}

// bulkheadID is what tells one from the others of its kind.
type bulkheadID struct{ operation, key string }

// NewBulkhead makes a Bulkhead that lets calls pass at a time, from 1 to MaxLimit. It fails when that, or an option, is wrong.
func NewBulkhead(calls int, opts ...BulkheadOption) (*Bulkhead, error) {
	kind, err := newBulkheadKind(calls, opts)
	if err == nil && (kind.perOperation || kind.keyOf != nil || kind.maxKeys != 0) {
		err = errors.New("BulkheadKey, BulkheadPerOperation and BulkheadMaxKeys are for NewBulkheads: want none of them")
	}
	if err != nil {
		return nil, fmt.Errorf("loadshed: NewBulkhead: %w", err)
	}
	b := new(Bulkhead)
	b.begins(kind, bulkheadID{}, time.Now())
	return b, nil
}

func newBulkheadKind(calls int, opts []BulkheadOption) (*bulkheadKind, error) {
	k := &bulkheadKind{calls: calls, bulkheadConfig: bulkheadConfig{retryAfter: DefaultRetryAfter}}
	if err := errors.Join(option.Within("calls", calls, 1, MaxLimit), option.Set(&k.bulkheadConfig, opts)); err != nil {
		return nil, err
	}
	name := ""
	if k.name != "" {
		name = fmt.Sprintf("bulkhead %q", k.name)
	}
	k.table = newTable(ReasonBulkhead, "too many calls at a time; try again later", name, k.retryAfter)
	return k, nil
}

func (b *Bulkhead) begins(kind *bulkheadKind, id bulkheadID, now time.Time) {
	b.kind, b.id = kind, id
	b.start, b.room, b.line.queues[ordinary].wait = now, kind.room, kind.wait
	b.limit.Store(int64(kind.calls))
}

var errZeroBulkhead = errors.New("loadshed: a Bulkhead that NewBulkhead has not made")

// Acquire begins a call, or says why it is refused: with an Unavailable that ErrRefused is found in, or with the error of ctx, when that
// ends while the call waits. When there is no error the caller calls done when the call has ended, once: a second time does nothing,
// unless another call was begun meanwhile, which it could end too early. What error done is given does not matter. It does not allocate.
// Who holds a place must not ask for another: it may wait for itself.
func (b *Bulkhead) Acquire(ctx context.Context) (done func(err error), err error) {
	if b == nil || b.kind == nil {
		return nil, errZeroBulkhead
	}
	if v := b.begin(ctx); v != granted {
		return nil, b.kind.table.refusal(ctx, v, endpoint.Server)
	}
	return b.tickets.take(b, 0), nil
}

func (b *Bulkhead) begin(ctx context.Context) verdict {
	if _, ok := b.enter(); ok {
		return granted
	}
	v := b.queue(ctx)
	switch v {
	case full:
		b.full.Add(1)
	case late:
		b.late.Add(1)
	default:
		return v
	}
	b.overloaded()
	return v
}

func (b *Bulkhead) queue(ctx context.Context) verdict {
	if ctx.Err() != nil {
		return gone
	}
	b.mu.Lock()
	if _, ok := b.enter(); ok {
		b.mu.Unlock()
		return granted
	}
	if b.line.len >= b.room {
		b.mu.Unlock()
		return full
	}
	now := b.now()
	w := b.join(now, ordinary)
	b.dispatch(now)
	b.mu.Unlock()
	return b.await(ctx, w, b.kind.wait)
}

func (b *Bulkhead) finish(time.Duration, error) {
	if b.exit(true) {
		b.mu.Lock()
		b.dispatch(b.now())
		b.mu.Unlock()
	}
	b.calm(false)
}

// Middleware is an endpoint.Middleware that asks the Bulkhead for each call, on a server or on a client. All endpoints that it decorates
// share it. A stream counts as long as it lives. Calls that are refused end as those of Shedder.Middleware do, but with the reason
// BULKHEAD_FULL, and with the name of the Bulkhead in the cause. Twice in one chain it is as Shedder.Middleware, too.
func (b *Bulkhead) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	if b == nil || b.kind == nil {
		return failing(errZeroBulkhead)
	}
	place := placeOf(spec)
	site := b.sites.of(place)
	return func(ctx context.Context, request any) (any, error) {
		if site.passed(ctx, &b.gate) {
			return next(ctx, request)
		}
		if v := b.begin(ctx); v != granted {
			return nil, place.refusal(ctx, b.kind.table, v)
		}
		defer b.finish(0, nil)
		return site.pass(ctx, &b.gate, next, request)
	}
}

// BulkheadStatus is what a Bulkhead knows at one moment.
type BulkheadStatus struct {
	Name                       string // as BulkheadName gave it
	Operation, Key             string // which one of Bulkheads it is
	Limit, InProgress, Waiting int    // calls
	Full, Late                 uint64 // calls that were refused, since there was no room to wait, and since they had waited too long
}

// Status returns what is known, and tells the end of an overload if it is time. It is for pages and metrics.
func (b *Bulkhead) Status() BulkheadStatus {
	if b == nil || b.kind == nil {
		return BulkheadStatus{}
	}
	b.calm(false)
	return b.status()
}

func (b *Bulkhead) status() BulkheadStatus {
	w := word(b.word.Load())
	return BulkheadStatus{
		Name: b.kind.name, Operation: b.id.operation, Key: b.id.key,
		Limit: int(b.limit.Load()), InProgress: w.inProgress(), Waiting: w.waiting(), Full: b.full.Load(), Late: b.late.Load(),
	}
}

// overloaded notes that a call was refused, and tells that if it is the first.
func (b *Bulkhead) overloaded() {
	if len(b.kind.told) == 0 {
		return
	}
	b.mu.Lock()
	b.refused = b.now()
	first := !b.telling.Swap(true)
	b.mu.Unlock()
	if first {
		tell(b.kind.told, BulkheadEvent{Kind: OverloadBegan, Status: b.status()})
	}
}

// calm tells that no call was refused for a second, or, when it is forgotten, that none will be.
func (b *Bulkhead) calm(forgotten bool) {
	if !b.telling.Load() {
		return
	}
	b.mu.Lock()
	ended := b.telling.Load() && (forgotten || b.now()-b.refused >= calming)
	if ended {
		b.telling.Store(false)
	}
	b.mu.Unlock()
	if ended {
		tell(b.kind.told, BulkheadEvent{Kind: OverloadEnded, Status: b.status()})
	}
}
