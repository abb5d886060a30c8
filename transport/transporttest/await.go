package transporttest

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

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
