package jsonrpc

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/internal/option"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Default limits. Each can be set by an option. The size of a body is limited by httptransport.DefaultMaxRequest.
const (
	// DefaultMaxBatch is how many calls one document may hold: enough for a page that asks for all that it shows, and too few to make
	// much work of little.
	DefaultMaxBatch = 100
	// DefaultConcurrency is how many calls of one batch are served at a time.
	DefaultConcurrency = 8
)

// HandlerOption sets up a Handler. Options of the same name append to each other, in order, unless they say otherwise.
type HandlerOption func(*handlerConfig) error

type handlerConfig struct {
	maxBatch    int
	concurrency int
	http        []httptransport.ServerOption
	onRefusal   []func(context.Context, error)
}

// HandlerMaxBatch limits the calls in one batch to n. A longer one is an Invalid Request, and none of it is served. The default is
// DefaultMaxBatch. It replaces an earlier one.
func HandlerMaxBatch(n int) HandlerOption {
	return func(c *handlerConfig) error {
		if n <= 0 {
			return fmt.Errorf("HandlerMaxBatch of %d calls, want more than 0", n)
		}
		c.maxBatch = n
		return nil
	}
}

// HandlerConcurrency sets how many calls of one batch are served at a time; with 1 they are served in their order. The default is
// DefaultConcurrency. It replaces an earlier one.
func HandlerConcurrency(n int) HandlerOption {
	return func(c *handlerConfig) error {
		if n <= 0 {
			return fmt.Errorf("HandlerConcurrency of %d calls, want more than 0", n)
		}
		c.concurrency = n
		return nil
	}
}

// HandlerHTTP adds options for the HTTP request as a whole, with one call or a batch of them in it, such as
// httptransport.ServerMaxRequest and hooks: they run around all of its calls. The options that set codecs, decoders and encoders are not
// for this.
func HandlerHTTP(opts ...httptransport.ServerOption) HandlerOption {
	return func(c *handlerConfig) error {
		c.http = append(c.http, opts...)
		return option.RefuseNil("HandlerHTTP", opts)
	}
}

// HandlerErrorHandler adds hooks that see what is answered with an error and reaches no method: documents that are no JSON, what is no
// call, and calls of methods that the handler does not have, notifications too. The default is none.
func HandlerErrorHandler(hooks ...func(ctx context.Context, err error)) HandlerOption {
	return func(c *handlerConfig) error {
		c.onRefusal = append(c.onRefusal, hooks...)
		return option.RefuseNil("HandlerErrorHandler", hooks)
	}
}
