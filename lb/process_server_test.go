package lb_test

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

// The environment of a process that is an instance of the service.
const (
	instanceTransport = "ASHLAR_LB_TRANSPORT"
	instanceNATS      = "ASHLAR_LB_NATS"    // the URL
	instanceJournal   = "ASHLAR_LB_JOURNAL" // the directory in which it leaves what it has written
)

const (
	callTakes   = 2 * time.Millisecond
	tailEvery   = 20 * time.Millisecond
	streamGrace = 200 * time.Millisecond
	stopWithin  = 5 * time.Second
)

// instance is the service in its process.
type instance struct {
	mu      sync.Mutex
	written []string
}

// instanceMain is the main of an instance, and ends as one does: by SIGTERM, with a shutdown.
func instanceMain(transport string) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	serve := map[string]func(*instance, context.Context) error{
		"http": (*instance).serveHTTP, "http2": (*instance).serveHTTP, "grpc": (*instance).serveGRPC, "nats": (*instance).serveNATS,
	}[transport]
	s := new(instance)
	if err := errors.Join(serve(s, ctx), s.leave()); err != nil {
		log.Printf("%s: %v", transport, err)
		return 1
	}
	return 0
}

// leave writes what was written to the journal.
func (s *instance) leave() error {
	dir := os.Getenv(instanceJournal)
	if dir == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path := filepath.Join(dir, strconv.Itoa(os.Getpid()))
	return os.WriteFile(path, []byte(strings.Join(s.written, "\n")), 0o600)
}

func (s *instance) read(ctx context.Context, text string) (string, error) {
	return text, pause(ctx, callTakes)
}

func (s *instance) write(ctx context.Context, text string) (string, error) {
	s.mu.Lock()
	s.written = append(s.written, text)
	s.mu.Unlock()
	return text, pause(ctx, callTakes)
}

// tail sends the text again and again.
func (s *instance) tail(ctx context.Context, text string, send func(string) error) error {
	for {
		if err := errors.Join(send(text), pause(ctx, tailEvery)); err != nil {
			return err
		}
	}
}

func noted(call func(context.Context, string) (string, error)) endpoint.Endpoint[note, note] {
	return func(ctx context.Context, n note) (note, error) {
		answer, err := call(ctx, n.Text)
		return note{answer}, err
	}
}

func (s *instance) notes() endpoint.Stream[note, note] {
	return endpoint.FromServerStream(func(ctx context.Context, n note, send func(note) error) error {
		return s.tail(ctx, n.Text, func(text string) error { return send(note{text}) })
	})
}

func texted(call func(context.Context, string) (string, error)) endpoint.Endpoint[*text, *text] {
	return func(ctx context.Context, t *text) (*text, error) {
		answer, err := call(ctx, t.GetValue())
		return wrapperspb.String(answer), err
	}
}

func (s *instance) texts() endpoint.Stream[*text, *text] {
	return endpoint.FromServerStream(func(ctx context.Context, t *text, send func(*text) error) error {
		return s.tail(ctx, t.GetValue(), func(s string) error { return send(wrapperspb.String(s)) })
	})
}

// listenAgain listens at the address that the instance had before, or at any. Somebody else may have it for a moment.
func listenAgain(ctx context.Context) (l net.Listener, err error) {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	for {
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp", testserver.Address("127.0.0.1:0")); err == nil {
			return l, testserver.Serving(l.Addr().String())
		}
		if pause(ctx, tailEvery) != nil {
			return nil, err
		}
	}
}

func (s *instance) serveHTTP(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("POST /read", httptransport.NewServer(readSpec, noted(s.read)))
	mux.Handle("POST /write", httptransport.NewServer(writeSpec, noted(s.write)))
	mux.Handle("POST /watch", httptransport.NewStreamServer(watchSpec, s.notes()))
	server := httptransport.NewHTTPServer(mux)
	l, err := listenAgain(ctx)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return httptransport.Shutdown(limited, server, streamGrace)
}

func (s *instance) serveGRPC(ctx context.Context) error {
	server := grpctransport.NewGRPCServer()
	grpctransport.Register(server, grpctransport.NewServer(readSpec, texted(s.read)), grpctransport.NewServer(writeSpec, texted(s.write)),
		grpctransport.NewStreamServer(watchSpec, s.texts()))
	l, err := listenAgain(ctx)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return grpctransport.Shutdown(limited, server, streamGrace)
}

func (s *instance) serveNATS(ctx context.Context) error {
	nc, err := nats.Connect(os.Getenv(instanceNATS))
	if err != nil {
		return err
	}
	defer nc.Close()
	prefix := testserver.Address("quarry-" + nuid.Next())
	at := natstransport.ServerPrefix(prefix)
	service, err := natstransport.Serve(nc, "quarry", "1.0.0", []*natstransport.Server{
		natstransport.NewServer(readSpec, noted(s.read), at), natstransport.NewServer(writeSpec, noted(s.write), at),
		natstransport.NewStreamServer(watchSpec, s.notes(), at),
	}, natstransport.ServiceGrace(streamGrace))
	if err != nil {
		return err
	}
	if err := testserver.Serving(prefix); err != nil {
		return err
	}
	<-ctx.Done()
	limited, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return errors.Join(service.Shutdown(limited), nc.FlushWithContext(limited))
}
