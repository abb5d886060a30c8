package httptransport_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// A server must not take what a cancelled client has sent for all that it wanted to send.
func TestMessagesThatEndWithTheContextHaveNoCleanEnd(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		for carrier, opts := range carriers(endpoint.ClientStream) {
			for range 20 {
				began, over := make(chan struct{}, 1), make(chan error, 1)
				read := func(_ context.Context, in iter.Seq2[number, error], _ func(total) error) (err error) {
					defer func() { over <- err }()
					for _, err := range in {
						if err != nil {
							return err
						}
						began <- struct{}{}
					}
					return errors.New("a clean end")
				}
				conn := serve(t, mount("/", httptransport.NewStreamServer(sumSpec, read)))
				method := "POST /"
				if carrier == "WebSocket" {
					method = "GET /"
				}
				client := newStream[number, total](t, sumSpec, conn, method, opts...)
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() {
					ended <- client(ctx, func(yield func(number, error) bool) {
						if yield(number{}, nil) {
							<-ctx.Done()
						}
					}, nil)
				}()
				soon(t, "the server", began)
				cancel()
				if err := soon(t, "the call", ended); status.CodeOf(err) != status.Canceled {
					t.Errorf("%s %s, client: want Canceled, have %v", protocol, carrier, err)
				}
				if err := soon(t, "the end", over); status.CodeOf(err) != status.Canceled {
					t.Errorf("%s %s, server: want Canceled, have %v", protocol, carrier, err)
				}
			}
		}
	}
}

func TestACancelledCallDoesNotWaitForItsMessages(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		began, over := make(chan struct{}), make(chan error, 1)
		conn := serve(t, mount("/", httptransport.NewStreamServer(sumSpec, watch(began, over, true))))
		client := newStream[struct{}, number](t, sumSpec, conn, "POST /")
		ctx, cancel := context.WithCancel(t.Context())
		ended, never := make(chan error, 1), make(chan struct{})
		go func() {
			ended <- client(ctx, func(yield func(struct{}, error) bool) {
				if yield(struct{}{}, nil) {
					<-never
				}
			}, nil)
		}()
		soon(t, protocol+", server", began)
		cancel()
		if err := soon(t, protocol+", client", ended); status.CodeOf(err) != status.Canceled {
			t.Errorf("%s: want Canceled, have %v", protocol, err)
		}
		_ = soon(t, protocol+", the end on the server", over)
		close(never)
	}
}

// A client that goes on sending must not have to wait for the end of an answer until the server has hung up.
func TestAnEarlyAnswerTellsItsLength(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(sumSpec, endpoint.FromClientStream(
		func(context.Context, iter.Seq2[number, error]) (total, error) { return total{Sum: 1}, nil }))))
	client := newStream[number, total](t, sumSpec, dial(t, srv.URL), "POST /")
	ctx, observer := transport.Observe(t.Context())
	over, stop := context.WithCancel(t.Context())
	defer stop()
	var have total
	err := client(ctx, func(yield func(number, error) bool) {
		for more := true; more && over.Err() == nil; {
			more = yield(number{}, nil)
		}
	}, func(r total) error { have = r; return nil })
	if err != nil || have.Sum != 1 {
		t.Errorf("want 1, have %v, %v", have, err)
	}
	if observer.Info().Response.Get("Content-Length") == "" {
		t.Errorf("want the length, have %v", observer.Info().Response)
	}
}
