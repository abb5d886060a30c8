package testserver

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// eurekaRoot is the path below which Netflix's own server has its operations.
	eurekaRoot = "/eureka/v2"
	// DefaultEviction is how often an Eureka looks for leases that have expired. Netflix's server does it once in a minute.
	DefaultEviction = 100 * time.Millisecond
	// DefaultCache is how often an Eureka renews what it answers for applications. Netflix's server does it every 30 s.
	DefaultCache = 200 * time.Millisecond
)

// Eureka is a small server of Eureka's REST interface, in this process: the real one is a Java application that cannot be had here. It
// is written from the page "Eureka REST operations" of Netflix's wiki and the behavior of Netflix's server 1.x, which it follows where a
// client can tell:
//
//   - an instance without one of the fields that the wiki asks for, or under the name of another application, is refused;
//   - of two registrations of one ID that with the newer lastDirtyTimestamp remains, and a renewal with a newer one than is registered is
//     answered with 404;
//   - a lease that was renewed expires after twice its time, and is looked for from time to time;
//   - the instances of an application are answered from a cache, a single instance is not;
//   - an application without instances is answered with 404;
//   - statuses can be overridden, which a new registration does not undo;
//   - the registry is in memory, and lost when the server is stopped.
//
// It has JSON only, no other servers to replicate with, no self-preservation, no regions and no deltas.
type Eureka struct {
	// URL is what clients are given, which ends in /eureka/v2.
	URL string

	t        testing.TB
	address  string
	registry *eurekaRegistry
	requests atomic.Int64
	single   atomic.Bool
	refuses  atomic.Int64
	server   *http.Server
	done     sync.WaitGroup
	stop     context.CancelFunc

	mu   sync.Mutex
	hang chan struct{} // closed when the server hangs no longer; nil while it does not
}

// StartEureka starts a server that ends with the test.
func StartEureka(t testing.TB) *Eureka {
	t.Helper()
	s := &Eureka{t: t}
	listener, port := listenBelow(t)
	s.address = loopback(port)
	s.serve(listener)
	s.URL = "http://" + s.address + eurekaRoot
	t.Cleanup(s.Stop)
	return s
}

// Start starts it again after Stop, on the same port and without what it knew.
func (s *Eureka) Start() {
	s.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.address)
	if err != nil {
		s.t.Fatalf("testserver: eureka: %v", err)
	}
	s.serve(listener)
}

func (s *Eureka) serve(listener net.Listener) {
	registry := newEurekaRegistry(DefaultCache)
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	s.registry = registry
	s.server = &http.Server{Handler: s.handler(registry), ReadHeaderTimeout: startLimit}
	server := s.server
	s.done.Go(func() { _ = server.Serve(listener) }) // how it ended is seen by its clients
	s.done.Go(func() {
		tick := time.NewTicker(DefaultEviction)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				registry.evict(now)
			case <-ctx.Done():
				return
			}
		}
	})
}

// Stop ends the server and its connections at once, and what it knows is lost. Without one that runs it does nothing.
func (s *Eureka) Stop() {
	if s.stop == nil {
		return
	}
	s.Resume()
	s.stop()
	_ = s.server.Close()
	s.done.Wait()
	s.stop = nil
}

// Suspend makes the server hang: connections stay and are taken, and nothing is answered until Resume.
func (s *Eureka) Suspend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang == nil {
		s.hang = make(chan struct{})
	}
}

// Resume ends Suspend.
func (s *Eureka) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang != nil {
		close(s.hang)
		s.hang = nil
	}
}

// SingleAsObject lets the server write a list of one element as that element, and texts that look like numbers as numbers, as servers
// do that encode by XStream and Jettison.
func (s *Eureka) SingleAsObject() { s.single.Store(true) }

// Refuse lets the server answer all requests with that status, as 403 after a start without peers; 0 ends that.
func (s *Eureka) Refuse(status int) { s.refuses.Store(int64(status)) }

// Requests is how many requests there have been since the first start.
func (s *Eureka) Requests() int { return int(s.requests.Load()) }

func (s *Eureka) handler(registry *eurekaRegistry) http.Handler {
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(*eurekaRegistry, *http.Request) (int, any){
		"GET /apps":                      (*eurekaRegistry).all,
		"GET /apps/{app}":                (*eurekaRegistry).application,
		"POST /apps/{app}":               (*eurekaRegistry).register,
		"GET /apps/{app}/{id}":           (*eurekaRegistry).instance,
		"PUT /apps/{app}/{id}":           (*eurekaRegistry).renew,
		"DELETE /apps/{app}/{id}":        (*eurekaRegistry).cancel,
		"PUT /apps/{app}/{id}/status":    (*eurekaRegistry).override,
		"DELETE /apps/{app}/{id}/status": (*eurekaRegistry).endOverride,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, value := f(registry, r)
			s.write(w, r, status, value)
		})
	}
	below := http.StripPrefix(eurekaRoot, mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		s.mu.Lock()
		hang := s.hang
		s.mu.Unlock()
		if hang != nil {
			select {
			case <-hang:
			case <-r.Context().Done():
				return
			}
		}
		if status := int(s.refuses.Load()); status != 0 {
			w.WriteHeader(status)
			return
		}
		below.ServeHTTP(w, r)
	})
}

// number returns the parameter of a query that is a number of milliseconds.
func number(r *http.Request, name string) (n int64, ok bool) {
	n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
	return n, err == nil
}
