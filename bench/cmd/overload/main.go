// Command overload drives a service of known capacity over HTTP with more calls than it can serve, behind the shedders of Ashlar, go-zero,
// Kratos and failsafe-go, and behind none: 16 calls at a time, 40 ms for each, callers who wait half a second. It is examples/overload
// with rivals.
//
// The shedders of go-zero and Kratos refuse nothing while the processor is not busy, and this service waits more than it works; with a
// threshold of 0 they go by the calls in flight alone.
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
	"text/tabwriter"
	"time"

	"github.com/ashlar-go/ashlar/internal/overload"
)

const (
	workers = 16
	took    = 40 * time.Millisecond
	timeout = 500 * time.Millisecond
)

func main() {
	every := flag.Duration("for", 10*time.Second, "how long each run takes")
	warm := flag.Duration("warm", 3*time.Second, "how long each run takes before it counts, at 0.8 of the capacity")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *warm, *every, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "overload:", err)
		os.Exit(1)
	}
}

// run prints a line for each contestant at each multiple of the capacity.
func run(ctx context.Context, warm, every time.Duration, out io.Writer) error {
	const percent = 100
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "offered\tshedder\tgoodput\tp50\tp99\trefused\tlate\tfailed\t")
	for _, times := range []float64{0.8, 1, 2, 5, 10} {
		for _, c := range contestants() {
			s, err := drive(ctx, c, times, warm, every)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(w, "%.1f\t%s\t%.2f\t%v\t%v\t%.1f %%\t%.1f %%\t%.1f %%\t\n", times, c.name, s.Goodput*took.Seconds()/workers,
				s.P50.Round(time.Millisecond), s.P99.Round(time.Millisecond), percent*s.Refused, percent*s.Late, percent*s.Failed)
		}
	}
	return w.Flush()
}

var errRefused = errors.New("refused")

// drive makes a run with a service and a server of its own.
func drive(ctx context.Context, c contestant, times float64, warm, every time.Duration) (s overload.Summary, err error) {
	service := overload.NewService(workers, took)
	handler, err := c.handler(service)
	if err != nil {
		return s, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	const connections = 1500
	transport := &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}
	defer func() {
		service.Close()
		transport.CloseIdleConnections()
		err = errors.Join(err, server.Close())
		if e := <-served; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}()
	load := &overload.Load{
		Phases:  []overload.Phase{{Rate: 0.8 * service.Capacity(), For: warm}, {Rate: times * service.Capacity(), For: every}},
		Call:    func(ctx context.Context) error { return call(ctx, transport, "http://"+listener.Addr().String()) },
		Refused: func(err error) bool { return errors.Is(err, errRefused) },
		Timeout: timeout, Seed: 1,
	}
	calls, err := load.Run(ctx)
	return overload.Summarize(load.InPhase(calls, 1, 0), every), err
}

func call(ctx context.Context, transport http.RoundTripper, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	switch response.StatusCode {
	case http.StatusNoContent:
		return err
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return errRefused
	default:
		return fmt.Errorf("status %d", response.StatusCode)
	}
}
