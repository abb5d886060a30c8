package loadshed

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

// Bulkheads are a Bulkhead for each key, such as a tenant, or for each operation, so that none of them takes up everything. NewBulkheads
// makes them. They are made when the first call of a key comes, and forgotten when there are too many, but never while a call is in
// progress or waits. They are safe for concurrent use, have no goroutine, and need no closing. The zero value refuses all calls.
type Bulkheads struct {
	kind  *bulkheadKind
	sites sites

	mu         sync.Mutex
	known      map[bulkheadID]*entry
	idle       entry // the head of a ring of those that are not in use: next is the one that was used longest ago
	forgotten  uint64
	full, late uint64 // of those
}

// entry is the Bulkhead of a key. What is below belongs to who holds the mutex of of.
type entry struct {
	Bulkhead

	of         *Bulkheads
	uses       int // calls that are in progress or wait
	prev, next *entry
}

// NewBulkheads makes Bulkheads that let calls pass at a time, from 1 to MaxLimit, for each key: by BulkheadKey, BulkheadPerOperation or
// both. It fails when that, or an option, is wrong.
func NewBulkheads(calls int, opts ...BulkheadOption) (*Bulkheads, error) {
	kind, err := newBulkheadKind(calls, opts)
	if err == nil && !kind.perOperation && kind.keyOf == nil {
		err = errors.New("want BulkheadKey, BulkheadPerOperation, or both")
	}
	if err != nil {
		return nil, fmt.Errorf("loadshed: NewBulkheads: %w", err)
	}
	kind.maxKeys = cmp.Or(kind.maxKeys, DefaultBulkheadMaxKeys)
	b := &Bulkheads{kind: kind, known: make(map[bulkheadID]*entry)}
	b.idle.prev, b.idle.next = &b.idle, &b.idle
	return b, nil
}

var errZeroBulkheads = errors.New("loadshed: Bulkheads that NewBulkheads has not made")

// Acquire begins a call of a key, whose operation is "", as Bulkhead.Acquire does.
func (b *Bulkheads) Acquire(ctx context.Context, key string) (done func(err error), err error) {
	if b == nil || b.kind == nil {
		return nil, errZeroBulkheads
	}
	e, v := b.enter(ctx, bulkheadID{key: key})
	if v != granted {
		return nil, b.kind.table.refusal(ctx, v, endpoint.Server)
	}
	return e.tickets.take(e, 0), nil
}

// enter lets a call in; if it is granted, finish is to be called.
func (b *Bulkheads) enter(ctx context.Context, id bulkheadID) (e *entry, v verdict) {
	e, left := b.take(id)
	defer func() { // also when who is told of something panics
		if v != granted {
			b.give(e)
		}
	}()
	v = gone
	left.forgotten()
	v = e.begin(ctx)
	return e, v
}

// finish ends a call.
func (e *entry) finish(began time.Duration, err error) {
	defer e.of.give(e)
	e.Bulkhead.finish(began, err)
}

// Middleware is an endpoint.Middleware that asks the Bulkhead of the call's key, as Bulkhead.Middleware does.
func (b *Bulkheads) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	if b == nil || b.kind == nil {
		return failing(errZeroBulkheads)
	}
	place := placeOf(spec)
	site := b.sites.of(place)
	return func(ctx context.Context, request any) (any, error) {
		var id bulkheadID
		if b.kind.perOperation {
			id.operation = place.operation
		}
		if b.kind.keyOf != nil {
			id.key = b.kind.keyOf(ctx, request)
		}
		if site.twice.Load() && b.holds(ctx, site, id) {
			return next(ctx, request)
		}
		e, v := b.enter(ctx, id)
		if v != granted {
			return nil, place.refusal(ctx, b.kind.table, v)
		}
		defer e.finish(0, nil)
		return site.pass(ctx, &e.gate, next, request)
	}
}

// holds says whether a call has passed the Bulkhead of that key already: then that is in use, and is found.
func (b *Bulkheads) holds(ctx context.Context, s *site, id bulkheadID) bool {
	b.mu.Lock()
	e := b.known[short(id)]
	b.mu.Unlock()
	return e != nil && s.holds(ctx, &e.gate)
}

// take returns the Bulkhead of a key, which stays until it is given back, and the one that was forgotten for it.
func (b *Bulkheads) take(id bulkheadID) (e, left *entry) {
	id = short(id)
	b.mu.Lock()
	defer b.mu.Unlock()
	e = b.known[id]
	switch {
	case e == nil:
		e = &entry{of: b}
		e.begins(b.kind, bulkheadID{operation: id.operation, key: strings.Clone(id.key)}, time.Now())
		b.known[e.id] = e
	case e.uses == 0:
		e.prev.next, e.next.prev = e.next, e.prev
		e.prev, e.next = nil, nil
	}
	e.uses++
	return e, b.forget()
}

// give gives it back.
func (b *Bulkheads) give(e *entry) {
	b.mu.Lock()
	if e.uses--; e.uses == 0 {
		e.prev, e.next = b.idle.prev, &b.idle
		e.prev.next, e.next.prev = e, e
	}
	left := b.forget()
	b.mu.Unlock()
	left.forgotten()
}

// forget forgets one where there are too many, as they come: one at a time. The caller holds mu.
func (b *Bulkheads) forget() (left *entry) {
	if e := b.idle.next; len(b.known) > b.kind.maxKeys && e != &b.idle {
		e.prev.next, e.next.prev = e.next, e.prev
		delete(b.known, e.id)
		b.forgotten++
		b.full, b.late = b.full+e.full.Load(), b.late+e.late.Load()
		left = e
	}
	return left
}

// forgotten tells the end of an overload, if there was one; e may be nil.
func (e *entry) forgotten() {
	if e != nil {
		e.calm(true)
	}
}

// BulkheadsStatus is what Bulkheads know at one moment.
type BulkheadsStatus struct {
	Bulkheads  []BulkheadStatus // those that there are, by operation and key
	Full, Late uint64           // calls that were refused, by these and by those that were forgotten
	Forgotten  uint64           // keys
}

// Status returns what is known, and tells the ends of overloads if it is time. It is for pages and metrics, and takes time in proportion to
// the number of keys.
func (b *Bulkheads) Status() BulkheadsStatus {
	if b == nil || b.kind == nil {
		return BulkheadsStatus{}
	}
	b.mu.Lock()
	have := BulkheadsStatus{Full: b.full, Late: b.late, Forgotten: b.forgotten}
	all := make([]*entry, 0, len(b.known))
	for _, e := range b.known {
		s := e.status()
		have.Bulkheads = append(have.Bulkheads, s)
		have.Full, have.Late = have.Full+s.Full, have.Late+s.Late
		all = append(all, e)
	}
	b.mu.Unlock()
	slices.SortFunc(have.Bulkheads, func(x, y BulkheadStatus) int {
		return cmp.Or(cmp.Compare(x.Operation, y.Operation), cmp.Compare(x.Key, y.Key))
	})
	for _, e := range all {
		e.calm(false)
	}
	return have
}

// longestKey is what is kept of a key; of a longer one a part and a digest.
const longestKey = 256

func short(id bulkheadID) bulkheadID {
	if len(id.key) > longestKey {
		digest := sha256.Sum256([]byte(id.key))
		id.key = strings.ToValidUTF8(id.key[:longestKey/2], "") + "..." + hex.EncodeToString(digest[:])
	}
	return id
}
