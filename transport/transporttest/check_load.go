package transporttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

var loadChecks = []check{{
	name:   "Order",
	clause: "the messages of a long stream arrive in order and complete, whichever way they go",
	kinds:  streamKinds(),
	run: func(c *cell) error {
		n := c.h.Messages
		call, err := c.open(service{stream: func(_ context.Context, in sequence, out func(Message) error) error {
			var read counter
			for m, err := range in {
				if err == nil {
					err = c.wrong(read.see(m))
				}
				if err == nil && c.kind == endpoint.Bidirectional {
					err = out(m)
				}
				if err != nil {
					return err
				}
			}
			if err := c.wrong(read.end(c.many(n, manyIn()))); err != nil {
				return err
			}
			switch c.kind {
			case endpoint.ServerStream:
				return sendAll(out, numbered(n))
			case endpoint.ClientStream:
				return out(Message{})
			}
			return nil
		}})
		if err != nil {
			return err
		}
		var got counter
		err = c.call(c.ctx, call, asIn(numbered(c.many(n, manyIn()))), got.see)
		return errors.Join(err, got.end(c.many(n, manyOut())))
	},
}, {
	name:   "Concurrent",
	clause: "a client may be used by many goroutines at once, and each gets the answer to its own request",
	run: func(c *cell) error {
		const callers, rounds = 16, 10
		call, err := c.open(service{stream: c.echo()})
		if err != nil {
			return err
		}
		errs := make([]error, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				for round := range rounds {
					m := Message{Text: fmt.Sprintf("caller %d", i), Number: int64(round)}
					have, err := c.ask(c.ctx, call, m)
					if errs[i] = errors.Join(err, compare("response", []Message{m}, have)); errs[i] != nil {
						return
					}
				}
			})
		}
		all.Wait()
		return errors.Join(errs...)
	},
}, {
	name:   "ManyStreams",
	clause: "of many streams that are open at a time and cancelled at random every server sees the end, and nothing stays behind",
	kinds:  streamKinds(),
	alone:  true,
	run:    func(c *cell) error { return newCrowd(c).run() },
}}

// crowd is many streams at a time.
type crowd struct {
	c    *cell
	call stream

	mu     sync.Mutex
	began  map[int64]bool  // by the number of the stream
	ended  map[int64]error // on the server
	change chan struct{}   // a value when something above may have changed
}

func newCrowd(c *cell) *crowd {
	return &crowd{c: c, began: make(map[int64]bool), ended: make(map[int64]error), change: make(chan struct{}, 1)}
}

func (w *crowd) run() (err error) {
	if w.call, err = w.c.open(service{stream: w.serve}); err != nil {
		return err
	}
	n := w.c.h.Streams
	cancels, done := make([]context.CancelFunc, n), make([]<-chan result[error], n)
	early := 0
	for i := range n {
		ctx, cancel := context.WithCancel(w.c.ctx)
		cancels[i] = cancel
		if i%8 == 0 { // before it is there
			early++
			cancel()
		}
		done[i] = w.c.begin(ctx, w.call, w.requests(ctx, i+1), drop)
		if i%8 == 1 { // as it arrives
			early++
			cancel()
		}
	}
	if err := w.until("the streams to be open", func() bool { return len(w.began) >= n-early }); err != nil {
		return err
	}
	for _, i := range rand.Perm(n) { //nolint:gosec // it protects nothing
		cancels[i]()
	}
	var errs []error
	for i := range n {
		if _, err := await(w.c, "the end of a call", done[i]); coded(status.Canceled, err) != nil {
			errs = append(errs, coded(status.Canceled, err))
		}
	}
	err = w.until("the servers to see the end", func() bool { return len(w.ended) == len(w.began) })
	errs = append(errs, w.ends()...)
	const shown = 5
	return errors.Join(append(errs[:min(len(errs), shown)], err, w.c.try(w.call))...)
}

// ends returns what is wrong with the ends that the servers saw.
func (w *crowd) ends() (errs []error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range w.ended {
		if err := canceled("a server's stream", end); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// requests is the in of stream number i, which lasts where the shape allows that.
func (w *crowd) requests(ctx context.Context, i int) sequence {
	m := Message{Number: int64(i) + 1}
	if w.c.has(manyIn()) {
		return w.c.hold(ctx, m)
	}
	return endpoint.Seq(m)
}

// serve answers where the shape allows that, and waits for the end.
func (w *crowd) serve(ctx context.Context, in sequence, out func(Message) error) error {
	var number int64
	for m, err := range in {
		if err != nil {
			return err
		}
		number = m.Number
		break
	}
	if number == hello().Number {
		return out(hello())
	}
	w.note(func() { w.began[number] = true })
	var err error
	if w.c.has(manyOut()) {
		err = out(hello())
	}
	if err == nil {
		_ = w.c.pass(ctx, nil)
		err = out(hello())
	}
	w.note(func() { w.ended[number] = err })
	return err
}

func (w *crowd) note(what func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what()
	select {
	case w.change <- struct{}{}:
	default:
	}
}

// until waits for what is the case one day.
func (w *crowd) until(what string, is func() bool) error {
	limit, cancel := context.WithTimeout(w.c.ctx, w.c.patience)
	defer cancel()
	for {
		w.mu.Lock()
		reached := is()
		began, ended := len(w.began), len(w.ended)
		w.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-w.change:
		case <-limit.Done():
			return fmt.Errorf("waiting for %s: %d have begun and %d have ended", what, began, ended)
		}
	}
}
