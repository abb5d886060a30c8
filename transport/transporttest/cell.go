package transporttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

// stream is what a check serves and calls, whatever the shape of the operation is.
type stream = endpoint.Stream[Message, Message]

// sequence is the in of a stream.
type sequence = iter.Seq2[Message, error]

// cell is one check for one shape of operation on one transport.
type cell struct {
	h        *Harness
	kind     endpoint.Kind
	ctx      context.Context // ends with the check
	cancel   context.CancelFunc
	patience time.Duration // with what may be a difference
	running  running       // calls and handlers

	mu    sync.Mutex
	links []Link
	seen  []error // by handlers
}

func newCell(h *Harness, kind endpoint.Kind, patience time.Duration) *cell {
	c := &cell{h: h, kind: kind, patience: patience}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// test runs the check, and ends all that it has begun.
func (c *cell) test(what check) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("the check panicked: %v\n%s", value, debug.Stack())
		}
		settled := c.settle()
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.seen) > 0 { // which explains what the client saw
			err = errors.Join(c.seen...)
		}
		err = errors.Join(err, settled)
	}()
	return what.run(c)
}

// wrong notes what is wrong in the eyes of a handler or hook, which the transport would hide, and returns it.
func (c *cell) wrong(err error) error {
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen = append(c.seen, err)
	}
	return err
}

// settle ends the check, closes all links and waits for the calls and handlers, which must end then.
func (c *cell) settle() error {
	c.cancel()
	err := c.close()
	if n := c.running.wait(c.h.Patience); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d calls and handlers still run although all is closed", n))
	}
	return err
}

// close closes all links.
func (c *cell) close() error {
	c.mu.Lock()
	links := c.links
	c.links = nil
	c.mu.Unlock()
	var errs []error
	for _, link := range slices.Backward(links) {
		if _, err := awaitFor(c.h.Patience, "it", c.start(link.Close)); err != nil {
			errs = append(errs, fmt.Errorf("closing the link: %w", err))
		}
	}
	return errors.Join(errs...)
}

// start calls f on a goroutine of its own. The channel yields its error, or its panic as one.
func (c *cell) start(f func() error) <-chan result[error] {
	done := make(chan result[error], 1)
	c.running.add()
	go func() {
		defer c.running.leave()
		err := contain(f)
		done <- result[error]{err: err}
	}()
	return done
}

// result is a value that may have failed to come.
type result[T any] struct {
	value T
	err   error
}

// results returns a channel with room for more results than a sound transport brings, so that a broken one is not held up.
func results[T any]() chan result[T] {
	const room = 16
	return make(chan result[T], room)
}

// ok returns a result without an error.
func ok[T any](value T) result[T] { return result[T]{value: value} }

// await waits for a result, but no longer than a sound transport needs, or one with a difference.
func await[T any](c *cell, what string, from <-chan result[T]) (T, error) {
	return awaitFor(c.patience, what, from)
}

func awaitFor[T any](patience time.Duration, what string, from <-chan result[T]) (T, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r := <-from:
		return r.value, r.err
	case <-timer.C:
		var none T
		return none, &hang{what, patience}
	}
}

// hang is the error of waiting in vain.
type hang struct {
	what     string
	patience time.Duration
}

func (h *hang) Error() string {
	return fmt.Sprintf("%s: nothing happened within %v", h.what, h.patience)
}

func isHang(err error) bool {
	_, ok := errors.AsType[*hang](err)
	return ok
}

// panicked is the error that a panic on the way of a call became.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("the call panicked: %v\n%s", p.value, p.stack) }

// contain calls f, and returns a panic as an error.
func contain(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value, debug.Stack()}
		}
	}()
	return f()
}

// service is what a check opens.
type service struct {
	stream stream                // the implementation; of a unary operation it gets one message and sends one
	around []endpoint.Middleware // of the implementation
	server ServerHooks
	client ClientHooks
	kind   endpoint.Kind // if it is to be another one than the check's
}

// spec describes the operation that the check serves.
func (c *cell) spec(kind endpoint.Kind) endpoint.Spec {
	return endpoint.Spec{Service: "transporttest.Suite", Method: "Call", Kind: kind, Idempotent: true}
}

// open serves s, and returns a client of it.
func (c *cell) open(s service) (stream, error) {
	_, call, err := c.link(s)
	return call, err
}

// link is open for a check that needs the link.
func (c *cell) link(s service) (Link, stream, error) {
	link, err := c.serve(s)
	if err != nil {
		return nil, nil, err
	}
	call, err := c.client(link, c.spec(c.kind), s.client)
	return link, call, err
}

// serve serves s until the check ends.
func (c *cell) serve(s service) (Link, error) {
	kind := s.kind
	if kind == 0 {
		kind = c.kind
	}
	operation := Operation{Spec: c.spec(kind), Hooks: s.server}
	if len(operation.Hooks.ErrorHandler) == 0 { // else errors that are not to be shown are logged
		operation.Hooks.ErrorHandler = []func(context.Context, error){func(context.Context, error) {}}
	}
	handler := stream(func(ctx context.Context, in iter.Seq2[Message, error], out func(Message) error) error {
		c.running.add()
		defer c.running.leave()
		return s.stream(ctx, in, out)
	})
	if kind == endpoint.Unary {
		operation.Endpoint = endpoint.New(operation.Spec, handler.Unary, s.around...)
	} else {
		operation.Stream = endpoint.NewStream(operation.Spec, handler, s.around...)
	}
	link, err := c.h.Open(operation)
	if err != nil {
		return nil, fmt.Errorf("opening a link: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links = append(c.links, link)
	return link, nil
}

// client returns a client of an operation, whatever its shape is.
func (c *cell) client(link Link, spec endpoint.Spec, hooks ClientHooks) (stream, error) {
	if spec.Kind != endpoint.Unary {
		call, err := link.Stream(spec.Client(), hooks)
		if err != nil {
			return nil, fmt.Errorf("making a client: %w", err)
		}
		return call, nil
	}
	call, err := link.Unary(spec.Client(), hooks)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return call.Stream(), nil
}

// has reports whether the operation has one of the shapes.
func (c *cell) has(kinds []endpoint.Kind) bool { return slices.Contains(kinds, c.kind) }

// running counts what runs.
type running struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n falls to 0; nil while nobody waits
}

func (r *running) add() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
}

func (r *running) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n--; r.n == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// wait waits until nothing runs, for at most limit, and returns how many still do.
func (r *running) wait(limit time.Duration) int {
	r.mu.Lock()
	if r.n == 0 {
		r.mu.Unlock()
		return 0
	}
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	r.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}
