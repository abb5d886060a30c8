package jsonrpc

import (
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// pending is a call of a batch that waits for its answer.
type pending interface {
	settle(a *answer, err error)
	settled() bool
}

// ErrNotDone is the error of a call whose batch has not been sent.
var ErrNotDone = errors.New("jsonrpc: the batch has not been done")

// Result is what became of a call in a batch.
type Result[Resp any] struct {
	method interface {
		decode(result []byte) (Resp, error)
	}
	response Resp
	err      error
	isSet    bool
}

// Get returns what the call returned. Its errors are as those of NewClient; before Batch.Do it is ErrNotDone.
func (r *Result[Resp]) Get() (Resp, error) {
	if !r.isSet {
		return r.response, ErrNotDone
	}
	return r.response, r.err
}

func (r *Result[Resp]) settled() bool { return r.isSet }

func (r *Result[Resp]) settle(a *answer, err error) {
	if err != nil {
		r.err = err
	} else if e := a.status(); e != nil {
		r.err = e
	} else {
		r.response, r.err = r.method.decode(a.result)
	}
	r.isSet = true // at the end, so that what panics settles nothing
}

// Call adds a call to b. The request is encoded at once; one that cannot be is not sent, which its result tells. It panics when b has
// been done.
func (m *Method[Req, Resp]) Call(b *Batch, request Req) *Result[Resp] {
	r := &Result[Resp]{method: m}
	if err := b.add(&outgoing[Req]{method: &m.caller, request: request, id: uint64(len(b.pending)) + 1}); err != nil {
		r.settle(nil, m.unwritten(err))
		return r
	}
	b.pending = append(b.pending, r)
	return r
}

// Notify adds a notification to b. It fails when the request cannot be encoded, and panics when b has been done.
func (m *Method[Req, Resp]) Notify(b *Batch, request Req) error {
	if err := b.add(&outgoing[Req]{method: &m.caller, request: request}); err != nil {
		return m.unwritten(err)
	}
	return nil
}

// unwritten is the error of a request that JSON cannot say.
func (c *caller) unwritten(err error) error {
	return status.New(status.Internal, "the request to "+c.operation+" could not be encoded").
		WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, err))
}
