package natstransport

import (
	"context"
	"errors"
	"fmt"
	"log"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/nats-io/nuid"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
)

// Service is an instance of a NATS micro service: servers on a connection. It is safe for concurrent use.
type Service struct {
	*serviceConfig

	identity micro.ServiceIdentity
	started  time.Time
	link     *link
	mounts   []*mount
	monitor  []*nats.Subscription

	shutdown sync.Mutex // held by the first Shutdown until it has ended
	ended    bool
	over     atomic.Pointer[status.Error] // why calls that begin end at once, nil for those that do not
	graceEnd atomic.Bool                  // streams that begin end at once
	stop     chan struct{}                // closed when no more requests are taken
	stopOnce sync.Once
}

// Serve puts the servers onto the connection, as an instance of the NATS micro service of that name and version, and returns when
// the NATS server knows of them: a request that is sent then is served. The name consists of letters, digits, "-" and "_", and the
// version is one of SemVer. The service is seen by `nats micro ls`, `info`, `stats` and `ping`.
//
// After an outage of the connection the servers go on. Requests that are served meanwhile end as usual, and streams break off,
// since some of their messages may be lost. When nc is closed, everything that is served is cancelled.
//
// Serve fails when the name or the version is wrong, when there are no servers or two for a subject, when an option is wrong, and when the
// connection does not take subscriptions. Shutdown ends what it starts; nc remains the caller's.
func Serve(nc *nats.Conn, name, version string, servers []*Server, opts ...ServiceOption) (*Service, error) {
	s, err := serve(nc, name, version, servers, opts)
	if err != nil {
		return nil, fmt.Errorf("natstransport: service %s: %w", name, err)
	}
	return s, nil
}

func serve(nc *nats.Conn, name, version string, servers []*Server, opts []ServiceOption) (*Service, error) {
	if nc == nil {
		return nil, errors.New("the connection is nil")
	}
	config := &serviceConfig{grace: DefaultGrace, metadata: make(map[string]string)}
	if err := option.Set(config, opts); err != nil {
		return nil, err
	}
	if err := checkIdentity(name, version); err != nil {
		return nil, err
	}
	if err := checkServers(servers); err != nil {
		return nil, err
	}
	s := &Service{
		serviceConfig: config,
		identity:      micro.ServiceIdentity{Name: name, ID: nuid.Next(), Version: version, Metadata: config.metadata},
		started:       time.Now().UTC(),
		stop:          make(chan struct{}),
	}
	for i, endpointName := range names(servers) {
		s.mounts = append(s.mounts, newMount(servers[i], s, endpointName))
	}
	if err := s.open(nc); err != nil {
		s.abandon()
		return nil, err
	}
	return s, nil
}

func checkServers(servers []*Server) error {
	if len(servers) == 0 {
		return errors.New("there are no servers")
	}
	taken := make(map[string]bool)
	for i, s := range servers {
		switch {
		case s == nil:
			return fmt.Errorf("server %d is nil", i)
		case taken[s.subject]:
			return fmt.Errorf("two servers have the subject %s", s.subject)
		}
		taken[s.subject] = true
	}
	return nil
}

// open subscribes, and waits until the NATS server knows.
func (s *Service) open(nc *nats.Conn) (err error) {
	if s.link, err = newLink(nc, s.lost); err != nil {
		return err
	}
	for _, m := range s.mounts {
		if err := m.subscribe(); err != nil {
			return err
		}
	}
	if err := s.watch(); err != nil {
		return err
	}
	if nc.IsConnected() { // else it is told when it is
		return nc.Flush()
	}
	return nil
}

// abandon releases what a service holds that could not be opened.
func (s *Service) abandon() {
	s.stopOnce.Do(func() { close(s.stop) })
	for _, m := range s.mounts {
		_ = m.sub.Unsubscribe() // it may be nil
		_ = m.cancels.Unsubscribe()
		m.workers.close()
	}
	for _, sub := range s.monitor {
		_ = sub.Unsubscribe()
	}
	if s.link != nil {
		s.link.close()
	}
}

// ID returns the id of the instance, which `nats micro info` takes.
func (s *Service) ID() string { return s.identity.ID }

// Shutdown ends the service gracefully. No more requests are taken, at once, so that they go to other instances. Those that were
// taken are served to their ends. Streams go on for as long as ServiceGrace says; then their contexts end, and their clients get
// Unavailable with the reason SHUTTING_DOWN. It returns nil when all have ended.
//
// When ctx ends first, the contexts of all calls end, their clients get that error, and Shutdown returns one; the connection may be
// closed then. What is still running ends on its own, into the void. Shutting down twice does no harm: a second Shutdown waits for
// the first.
func (s *Service) Shutdown(ctx context.Context) error {
	s.shutdown.Lock()
	defer s.shutdown.Unlock()
	if s.ended {
		return nil
	}
	s.ended = true
	grace := time.AfterFunc(s.grace, func() { s.endStreams() })
	defer grace.Stop()
	defer s.link.close()
	s.drain(ctx)
	if err := s.wait(ctx); err != nil {
		left := s.force()
		return fmt.Errorf("natstransport: shutdown of %s: %d calls have not ended: %w", s.identity.Name, left, err)
	}
	return nil
}

// stopping reports whether no more requests are taken.
func (s *Service) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// drain takes no more requests, but all that the NATS server has sent before it knows that.
func (s *Service) drain(ctx context.Context) {
	for _, sub := range s.monitor {
		_ = sub.Unsubscribe()
	}
	connected := s.link.nc.IsConnected()
	for _, m := range s.mounts {
		if connected {
			_ = m.sub.Drain()
		} else {
			_ = m.sub.Unsubscribe()
		}
	}
	for _, m := range s.mounts {
		select {
		case <-m.quiet:
		case <-ctx.Done():
			_ = m.sub.Unsubscribe()
		}
	}
	s.stopOnce.Do(func() { close(s.stop) })
	for _, m := range s.mounts {
		m.workers.close()
	}
}

// wait waits until all calls have ended.
func (s *Service) wait(ctx context.Context) error {
	for _, m := range s.mounts {
		select {
		case <-m.workers.done:
			continue
		default:
		}
		select {
		case <-m.workers.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, m := range s.mounts {
		_ = m.cancels.Unsubscribe()
	}
	return nil
}

// force ends what does not end by itself, and returns how many calls that are.
func (s *Service) force() (left int) {
	s.over.CompareAndSwap(nil, errShutdown)
	for _, m := range s.mounts {
		for _, x := range m.ledger.all() {
			left++
			x.callContext.end(errShutdown)
			if !x.claimed.CompareAndSwap(false, true) {
				continue
			}
			if f := m.ledger.flowOf(x); f != nil {
				_ = f.close(nil, errShutdown)
			} else if x.msg.Reply != "" {
				_, _ = m.replyError(x.msg.Reply, nil, errShutdown)
			}
		}
		_ = m.cancels.Unsubscribe()
	}
	return left
}

// endStreams ends the streams.
func (s *Service) endStreams() {
	s.graceEnd.Store(true)
	for _, m := range s.mounts {
		if m.kind == endpoint.Unary {
			continue
		}
		for _, x := range m.ledger.all() {
			x.callContext.end(errShutdown)
		}
	}
}

// refusal returns why a call that begins is not served, nil if it is. It was on its way when all were ended.
func (s *Service) refusal(kind endpoint.Kind) *status.Error {
	if kind != endpoint.Unary && s.graceEnd.Load() {
		return errShutdown
	}
	return s.over.Load()
}

// lost is called when the connection was lost, is back, or was closed.
func (s *Service) lost(state nats.Status) {
	if state == nats.CONNECTED {
		return
	}
	if state == nats.CLOSED {
		s.over.CompareAndSwap(nil, errClosed)
	}
	for _, m := range s.mounts {
		for _, x := range m.ledger.all() {
			switch {
			case state == nats.CLOSED:
				x.callContext.end(errClosed)
			case m.kind != endpoint.Unary:
				x.callContext.end(errLost)
			}
		}
		if state == nats.CLOSED {
			m.workers.close()
		}
	}
}

// report tells those on this side what went wrong outside of a call. A hook that panics does no harm to NATS, which calls this.
func (s *Service) report(server *Server, err error) {
	defer func() {
		if value := recover(); value != nil {
			log.Printf("%s: a hook panicked: %v\n%s", server.operation, value, debug.Stack())
		}
	}()
	for _, hook := range s.onError {
		hook(server.operation, err)
	}
	if len(s.onError) == 0 {
		log.Printf("%s: %v", server.operation, err)
	}
}
