// Package overload drives a service whose capacity is known with more calls than it can serve, and reckons what becomes of them: for
// examples/overload, for the rivals in bench, and for tests, which run it in the time of testing/synctest.
package overload

import (
	"sync"
	"time"
)

// Service works for as many calls at once as it has workers, and always as long. Calls beyond that wait for their turn, as long as it
// takes; whether somebody still waits for the answer it does not ask, as most services do not. It is safe for concurrent use.
type Service struct {
	took  time.Duration
	turns chan struct{}

	closed chan struct{}
	once   sync.Once
}

// NewService returns a Service.
func NewService(workers int, took time.Duration) *Service {
	return &Service{took: took, turns: make(chan struct{}, workers), closed: make(chan struct{})}
}

// Capacity is how many calls it serves in a second.
func (s *Service) Capacity() float64 { return float64(cap(s.turns)) / s.took.Seconds() }

// Work returns when it has worked, or is closed.
func (s *Service) Work() {
	select {
	case s.turns <- struct{}{}: // those who wait here get their turns in order
	case <-s.closed:
		return
	}
	defer func() { <-s.turns }()
	work := time.NewTimer(s.took)
	defer work.Stop()
	select {
	case <-work.C:
	case <-s.closed:
	}
}

// Close ends the work of all calls at once, those that wait too.
func (s *Service) Close() { s.once.Do(func() { close(s.closed) }) }
