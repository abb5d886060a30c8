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

// has reports whether the operation has one of the shapes.
func (c *cell) has(kinds []endpoint.Kind) bool { return slices.Contains(kinds, c.kind) }
