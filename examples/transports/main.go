// Command transports serves one endpoint and one stream over HTTP, gRPC, NATS and in process, and calls them over each:
//
//	go run ./examples/transports
//
// What is written once, the service and its middleware, stands on top; what each transport wants to know of it follows.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// Cut asks for a block of stone.
type Cut struct {
	Stone string `json:"stone"`
	Count int    `json:"count"`
}

// Validate implements the method that endpoint.Validate looks for.
func (c *Cut) Validate() error {
	if c.Count < 1 {
		return status.Violation{Field: "count", Description: fmt.Sprintf("want 1 or more, have %d", c.Count)}
	}
	return nil
}

// Block is a block that was cut.
type Block struct {
	Text string `json:"text"`
}

// cut is an endpoint: one request, one response.
func cut(ctx context.Context, c *Cut) (*Block, error) {
	if c.Stone == "chalk" {
		return nil, status.New(status.FailedPrecondition, "chalk is too soft").WithReason("TOO_SOFT")
	}
	return &Block{Text: fmt.Sprintf("%d of %s, over %s", c.Count, c.Stone, transport.FromContext(ctx).Transport)}, nil
}

// watch is a stream: one request, many responses.
func watch(_ context.Context, c *Cut, send func(*Block) error) error {
	for i := range c.Count {
		if err := send(&Block{Text: fmt.Sprintf("%s %d", c.Stone, i+1)}); err != nil {
			return err
		}
	}
	return nil
}

func cutSpec() endpoint.Spec {
	return endpoint.Spec{Service: "yard.v1.Yard", Method: "Cut"}
}

func watchSpec() endpoint.Spec {
	return endpoint.Spec{Service: "yard.v1.Yard", Method: "Watch", Kind: endpoint.ServerStream}
}

// yard is what is served, decorated once, and what is called, whichever transport is between.
type yard struct {
	cut   endpoint.Endpoint[*Cut, *Block]
	watch endpoint.Stream[*Cut, *Block]
}

const (
	timeout = 2 * time.Second // of a unary call
	grace   = time.Second     // for streams, when a server ends
)

func newYard(logger log.Logger) yard {
	common := endpoint.Chain(log.Middleware(logger), endpoint.Recover(), endpoint.Timeout(timeout), endpoint.Validate())
	return yard{
		cut:   endpoint.New(cutSpec(), cut, common),
		watch: endpoint.NewStream(watchSpec(), endpoint.FromServerStream(watch), common),
	}
}

func main() {
	if err := run(context.Background(), os.Stdout, log.New(os.Stderr, log.MinLevel(log.LevelWarn))); err != nil {
		fmt.Fprintln(os.Stderr, "transports:", err)
		os.Exit(1)
	}
}

// run serves the yard over each transport, and calls it.
func run(ctx context.Context, out io.Writer, logger log.Logger) error {
	served := newYard(logger)
	for _, carry := range []func(yard) (called yard, stop func() error, err error){inProcess, overHTTP, overGRPC, overNATS} {
		called, stop, err := carry(served)
		if err == nil {
			err = call(ctx, out, called)
		}
		if stop != nil {
			err = errors.Join(err, stop())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// call does the same with each.
func call(ctx context.Context, out io.Writer, y yard) error {
	block, err := y.cut(ctx, &Cut{Stone: "granite", Count: 2})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, block.Text)
	_, err = y.cut(ctx, &Cut{Stone: "chalk", Count: 1})
	fmt.Fprintln(out, " ", err)
	_, err = y.cut(ctx, &Cut{Stone: "granite"})
	fmt.Fprintln(out, " ", err)
	fmt.Fprint(out, " ")
	for block, err := range y.watch.Receive(ctx, &Cut{Stone: "slate", Count: 3}) {
		if err != nil {
			return err
		}
		fmt.Fprint(out, " ", block.Text)
	}
	fmt.Fprintln(out)
	return nil
}
