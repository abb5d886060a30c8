package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Batcher sends batches over a conn, to one path. It is safe for concurrent use.
type Batcher struct {
	operation string
	calls     endpoint.Endpoint[*Batch, struct{}] // with a call among them
	notes     endpoint.Endpoint[*Batch, struct{}] // notifications only
}

// NewBatcher returns a Batcher. The Spec is that of the HTTP request, which hooks and observers see: a batch is Idempotent if all that is
// sent in it is. It fails when spec.Kind is set and is not Unary, and when an option is wrong; those that set codecs, encoders and
// decoders are not for this.
func NewBatcher(spec endpoint.Spec, conn *httptransport.Conn, path string, opts ...httptransport.ClientOption) (*Batcher, error) {
	if err := refuseStreams(spec); err != nil {
		return nil, fmt.Errorf("jsonrpc: batcher %s: %w", spec.Operation(), err)
	}
	b := &Batcher{operation: spec.Operation()}
	var err error
	path = "POST " + path
	b.notes, err = httptransport.NewClient[*Batch, struct{}](spec, conn, path, spoken(opts, httptransport.ClientDecoder(readNothing))...)
	if err != nil {
		return nil, err
	}
	b.calls, err = httptransport.NewClient[*Batch, struct{}](spec, conn, path, spoken(opts, httptransport.ClientDecoder(b.read))...)
	return b, err
}

// Batch returns an empty batch.
func (b *Batcher) Batch() *Batch { return &Batch{batcher: b} }

// Batch is several calls in one HTTP request, for one use: Method.Call and Method.Notify add to it, Do sends it. It is not safe for
// concurrent use. How many calls a server takes is for it to say; one of Ashlar takes DefaultMaxBatch.
type Batch struct {
	batcher *Batcher
	body    []byte
	size    int // calls and notifications
	pending []pending
	done    bool
}

var errDone = errors.New("jsonrpc: the batch has been done; make another one")

func (b *Batch) add(call appender) error {
	if b.done {
		panic(errDone.Error())
	}
	separator := byte(',')
	if len(b.body) == 0 {
		separator = '['
	}
	out, err := call.append(append(b.body, separator))
	if err != nil {
		return err
	}
	b.body = out
	b.size++
	return nil
}

func (b *Batch) append(dst []byte) ([]byte, error) { //nolint:unparam // it is an appender
	return append(append(dst, b.body...), ']'), nil
}

// Len returns how many calls and notifications have been added.
func (b *Batch) Len() int { return b.size }

// Do sends the batch, and sets the results of its calls. Its error, a *status.Error, is that of the exchange as a whole, which all calls
// have then that have no answer of their own; the errors of single calls are in their results. A batch to which nothing was added is
// not sent. It fails when it has been called before.
func (b *Batch) Do(ctx context.Context) error {
	if b.done {
		return errDone
	}
	b.done = true
	if b.size == 0 {
		return nil
	}
	if len(b.pending) == 0 {
		_, err := b.batcher.notes(ctx, b)
		return err
	}
	_, err := b.batcher.calls(&callContext{Context: ctx, batch: b}, b)
	b.settleRest(err)
	return err
}

// settleRest gives err to the calls that have no answer.
func (b *Batch) settleRest(err error) {
	for _, p := range b.pending {
		if !p.settled() {
			p.settle(nil, err)
		}
	}
}

// read reads the answers to a batch.
func (b *Batcher) read(ctx context.Context, r *http.Response) (none struct{}, err error) {
	batch := callOf(ctx).batch
	if batch == nil {
		return none, errors.New("jsonrpc: a hook has given the call the context of another one")
	}
	buf := buffer.Get()
	defer buf.Free()
	if err := readBody(buf, r); err != nil {
		return none, err
	}
	answers, several, err := readAnswers(buf.B, r)
	if err != nil {
		return none, unreadable(b.operation, err)
	}
	if !several { // the batch as a whole was refused
		if e := answers[0].status(); e != nil {
			return none, e
		}
		return none, unreadable(b.operation, errors.New("it is one result, for a batch"))
	}
	return none, b.settle(batch, answers)
}

// settle gives each call its answer. An error without an id is that of the calls which have none.
func (b *Batcher) settle(batch *Batch, answers []answer) error {
	var nameless *status.Error
	for i := range answers {
		a := &answers[i]
		if string(a.id) == "null" && a.result == nil {
			if nameless == nil {
				nameless = a.status()
			}
			continue
		}
		n, err := strconv.ParseUint(string(a.id), 10, 64)
		if err != nil || n == 0 || n > uint64(len(batch.pending)) {
			return unreadable(b.operation, fmt.Errorf("it has the id %.64s, which no call has", a.id))
		}
		if batch.pending[n-1].settled() {
			return unreadable(b.operation, fmt.Errorf("it has the id %s twice", a.id))
		}
		batch.pending[n-1].settle(a, nil)
	}
	missing := unreadable(b.operation, errors.New("it has nothing about this call"))
	if nameless != nil {
		missing = nameless
	}
	batch.settleRest(missing)
	return nil
}
