// Command hello is Ashlar on one page: a service, its endpoint, an HTTP server, and a client that calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// The service is plain Go: it knows nothing of transports.

// GreetRequest asks for a greeting.
type GreetRequest struct {
	Name string `json:"-" path:"name"`
	Loud bool   `json:"-" query:"loud"`
}

// Greeting is the answer.
type Greeting struct {
	Text string `json:"text"`
}

func greet(_ context.Context, request *GreetRequest) (*Greeting, error) {
	if request.Name == "nobody" {
		return nil, status.New(status.NotFound, "there is nobody to greet").WithReason("NOBODY")
	}
	if request.Loud {
		return &Greeting{Text: "HELLO, " + request.Name + "!"}, nil
	}
	return &Greeting{Text: "Hello, " + request.Name + "."}, nil
}

// The operation and its route are what server and client agree on.

const greetRoute = "GET /greetings/{name}"

func greetSpec() endpoint.Spec {
	return endpoint.Spec{Service: "hello", Method: "Greet", Idempotent: true}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "listen on this address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *addr, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and calls the server once.
func run(ctx context.Context, addr string, out io.Writer) error {
	logger := log.New(os.Stderr)
	common := endpoint.Chain(endpoint.Recover(), endpoint.Timeout(time.Second), endpoint.Validate())
	requestLog := httptransport.ServerMiddleware(log.Middleware(logger)) // around decoding, to see also what is refused there

	mux := http.NewServeMux()
	mux.Handle(greetRoute, httptransport.NewServer(greetSpec(), endpoint.New(greetSpec(), greet, common), requestLog))
	server := httptransport.NewHTTPServer(mux)
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	url := "http://" + listener.Addr().String()
	fmt.Fprintf(out, "try: curl '%s/greetings/Ada?loud=true'\n", url)

	if err = call(ctx, url, out); err == nil {
		<-ctx.Done()
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = errors.Join(err, httptransport.Shutdown(limit, server, time.Second))
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// call is all that a client needs.
func call(ctx context.Context, url string, out io.Writer) error {
	conn, err := httptransport.Dial(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	greet, err := httptransport.NewClient[*GreetRequest, *Greeting](greetSpec(), conn, greetRoute)
	if err != nil {
		return err
	}
	greeting, err := greet(ctx, &GreetRequest{Name: "newcomer"})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "the client got:", greeting.Text)
	return nil
}
