package shedsim

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// service is a queue in front of workers.
type service struct {
	mu      sync.Mutex
	Service // as it is at present
	random  *rand.Rand
	busy    int
	waiting []chan struct{}
}

func newService(s Service, random *rand.Rand) *service { return &service{Service: s, random: random} }

func (s *service) serve() {
	s.mu.Lock()
	apart, work := s.Apart, s.Work(s.random)
	s.mu.Unlock()
	if apart > 0 {
		time.Sleep(apart)
	}
	s.mu.Lock()
	if s.busy < s.Workers {
		s.busy++
		s.mu.Unlock()
	} else {
		turn := make(chan struct{})
		s.waiting = append(s.waiting, turn)
		s.mu.Unlock()
		<-turn
	}
	time.Sleep(work)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	s.next()
}

// next gives the workers that are free to those who wait. The caller holds mu.
func (s *service) next() {
	for s.busy < s.Workers && len(s.waiting) > 0 {
		s.busy++
		close(s.waiting[0])
		s.waiting = s.waiting[1:]
	}
}

func (s *service) change(to Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Service = to
	s.next()
}

// Constant takes as long each time.
func Constant(d time.Duration) Sample { return func(*rand.Rand) time.Duration { return d } }

// Exponential is mostly short and sometimes long.
func Exponential(mean time.Duration) Sample {
	return func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(mean)) }
}

// HeavyTailed is log-normal with a standard deviation of twice the mean.
func HeavyTailed(mean time.Duration) Sample {
	variance := math.Log(1 + 2*2)
	return func(r *rand.Rand) time.Duration {
		return time.Duration(float64(mean) * math.Exp(math.Sqrt(variance)*r.NormFloat64()-variance/2))
	}
}

// Mixed is one of two for a share of the calls, and the other for the rest.
func Mixed(share float64, one, other Sample) Sample {
	return func(r *rand.Rand) time.Duration {
		if r.Float64() < share {
			return one(r)
		}
		return other(r)
	}
}
