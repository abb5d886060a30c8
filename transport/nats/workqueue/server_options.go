package workqueue

import (
	"context"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
)

// ServerOption sets up a server. Options of the same name append to each other, in order, unless they say otherwise.
type ServerOption func(*serverConfig) error

type serverConfig struct {
	codecs     *codec.Set
	middleware []endpoint.Middleware
	before     []func(context.Context) context.Context
	after      []func(context.Context)
	finalizers []func(context.Context, Outcome)
	onError    []func(context.Context, error)
	decode     any // func(context.Context, *Delivery) (Req, error)

	concurrency   int
	ordered       bool
	ackWait       time.Duration // 0: that of the consumer
	timeLimit     time.Duration
	maxDeliver    int
	maxAckPending int
	backoff       backoff
	retry         func(*status.Error) bool
	doubleAck     bool
	deadLetter    string // a subject, "" for none
	results       string // a subject, "" for none

	pullExpires, pullSign time.Duration // constants, but for tests
}

func newServerConfig(opts []ServerOption) (*serverConfig, error) {
	c := &serverConfig{
		concurrency: DefaultConcurrency, timeLimit: DefaultTimeLimit, maxDeliver: DefaultMaxDeliver, maxAckPending: DefaultMaxAckPending,
		backoff: backoff{first: DefaultFirstBackoff, most: DefaultMostBackoff}, retry: Retryable,
		pullExpires: pullExpires, pullSign: pullSign,
	}
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	if c.ordered {
		c.concurrency, c.maxAckPending = 1, 1
	}
	if c.concurrency > c.maxAckPending {
		return nil, fmt.Errorf("ServerConcurrency(%d): want at most the ServerMaxAckPending of %d", c.concurrency, c.maxAckPending)
	}
	if c.codecs == nil {
		set, err := codec.NewSet(json.New())
		if err != nil {
			return nil, err
		}
		c.codecs = set
	}
	return c, nil
}

// ServerCodecs sets the codecs that messages are read with, by their Content-Type; the first reads those without one, and writes
// results. The default is JSON alone. It replaces an earlier one.
func ServerCodecs(codecs ...codec.Codec) ServerOption {
	return func(c *serverConfig) error {
		set, err := codec.NewSet(codecs...)
		c.codecs = set
		return err
	}
}

// ServerMiddleware decorates the whole of decoding and endpoint, so that a refused message is never decoded. The request that it
// sees is a *Delivery.
func ServerMiddleware(mw ...endpoint.Middleware) ServerOption {
	return func(c *serverConfig) error {
		c.middleware = append(c.middleware, mw...)
		return option.RefuseNil("ServerMiddleware", mw)
	}
}

// ServerBefore adds hooks that run first, in order, and may add to the context. FromContext and transport.FromContext have what
// there is to know.
func ServerBefore(hooks ...func(ctx context.Context) context.Context) ServerOption {
	return func(c *serverConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ServerBefore", hooks)
	}
}

// ServerAfter adds hooks that run when the endpoint has succeeded, before its result is encoded. They may set header fields of
// that.
func ServerAfter(hooks ...func(ctx context.Context)) ServerOption {
	return func(c *serverConfig) error {
		c.after = append(c.after, hooks...)
		return option.RefuseNil("ServerAfter", hooks)
	}
}

// ServerFinalizer adds hooks that run last, whatever happened, a panic included.
func ServerFinalizer(hooks ...func(ctx context.Context, outcome Outcome)) ServerOption {
	return func(c *serverConfig) error {
		c.finalizers = append(c.finalizers, hooks...)
		return option.RefuseNil("ServerFinalizer", hooks)
	}
}

// ServerErrorHandler adds hooks that see each error with all of its causes: status.From of what came of a delivery, before JetStream
// is told, and what goes wrong besides, such as a connection that is lost or a consumer that was deleted; FromContext
// is nil then. Without any, errors that were not written to be shown go to the standard logger of package log, with their IDs,
// and so does whatever ends a message or concerns the worker as a whole.
func ServerErrorHandler(hooks ...func(ctx context.Context, err error)) ServerOption {
	return func(c *serverConfig) error {
		c.onError = append(c.onError, hooks...)
		return option.RefuseNil("ServerErrorHandler", hooks)
	}
}

// ServerDecoder sets the function that makes the request, instead of a codec. Its Req must be that of the endpoint. It replaces an
// earlier one.
func ServerDecoder[Req any](decode func(ctx context.Context, d *Delivery) (Req, error)) ServerOption {
	return func(c *serverConfig) error {
		c.decode = decode
		return option.RefuseNil("ServerDecoder", []func(context.Context, *Delivery) (Req, error){decode})
	}
}

// ServerConcurrency sets how many messages one worker works on at once, 1 to 10,000. It never has more than that: what it
// asks JetStream for is what it could begin at once. The default is DefaultConcurrency. It replaces an earlier one.
func ServerConcurrency(n int) ServerOption {
	return func(c *serverConfig) error {
		c.concurrency = n
		return option.Within("ServerConcurrency", n, 1, 10_000)
	}
}

// ServerOrdered has the messages of the consumer worked on one after the other, whatever the number of workers: the next one is
// delivered when the one before is ended, so that one which fails holds up all others through its backoff. It sets
// ServerConcurrency and ServerMaxAckPending to 1.
func ServerOrdered() ServerOption {
	return func(c *serverConfig) error {
		c.ordered = true
		return nil
	}
}

// ServerAckWait sets how long JetStream waits for a sign of the worker before it delivers a message again, at least MinAckWait. A
// worker gives one every third of it, so that it limits how long a message stays with a worker that has died, and not how long
// an endpoint may work. The consumer must have the same. The default is that of the consumer, DefaultAckWait in Config. It
// replaces an earlier one.
func ServerAckWait(d time.Duration) ServerOption {
	return func(c *serverConfig) error {
		c.ackWait = d
		return atLeast("ServerAckWait", d, MinAckWait)
	}
}

// ServerTimeLimit sets how long an endpoint may work on one message. Its context ends then, and JetStream is not told any more that it
// is working. The default is DefaultTimeLimit. It replaces an earlier one.
func ServerTimeLimit(d time.Duration) ServerOption {
	return func(c *serverConfig) error {
		c.timeLimit = d
		return atLeast("ServerTimeLimit", d, time.Millisecond)
	}
}

// ServerMaxDeliver sets how often a message is delivered, from 1 on. When the last delivery fails it is ended, and
// when that did not come to an end, since the process died, it is ended at the next one without another attempt. The default is
// DefaultMaxDeliver. It replaces an earlier one.
func ServerMaxDeliver(n int) ServerOption {
	return func(c *serverConfig) error {
		c.maxDeliver = n
		return option.Within("ServerMaxDeliver", n, 1, 1_000_000)
	}
}

// ServerMaxAckPending sets how many messages of the consumer, with all of its workers, are worked on or wait for their next
// attempt, 1 to 1,000,000. While there are more JetStream delivers no others, so that a queue whose messages all fail
// comes to rest. The default is DefaultMaxAckPending. It replaces an earlier one.
func ServerMaxAckPending(n int) ServerOption {
	return func(c *serverConfig) error {
		c.maxAckPending = n
		return option.Within("ServerMaxAckPending", n, 1, 1_000_000)
	}
}

// ServerBackoff sets the delays before the next delivery: anything from 0 to a limit, which is first after the first delivery,
// doubles with each further one, and is never more than most (exponential backoff with full jitter). An error with a RetryAfter
// decides by itself. The defaults are DefaultFirstBackoff and DefaultMostBackoff. It replaces an earlier one.
func ServerBackoff(first, most time.Duration) ServerOption {
	return func(c *serverConfig) error {
		c.backoff = backoff{first: first, most: most}
		if first <= 0 || most < first {
			return fmt.Errorf("ServerBackoff(%v, %v): want more than 0, and the longest not shorter than the first", first, most)
		}
		return nil
	}
}

// ServerRetry sets the function that says whether an error, as of status.From, is worth another attempt. It is not asked about
// messages that cannot be decoded, which are not. The default is Retryable. It replaces an earlier one.
func ServerRetry(retryable func(err *status.Error) bool) ServerOption {
	return func(c *serverConfig) error {
		c.retry = retryable
		return option.RefuseNil("ServerRetry", []func(*status.Error) bool{retryable})
	}
}

// ServerDoubleAck waits until JetStream confirms each acknowledgement. Without it an acknowledgement that is lost on its way has
// a message delivered again whose work was done; with it that is seen, as the verdict Lost.
func ServerDoubleAck() ServerOption {
	return func(c *serverConfig) error {
		c.doubleAck = true
		return nil
	}
}

// ServerDeadLetter sets the subject under which messages are stored that failed for good, with what they were and why. A
// stream must take it. Without it they are terminated. It replaces an earlier one.
func ServerDeadLetter(subject string) ServerOption {
	return func(c *serverConfig) error {
		c.deadLetter = subject
		return checkSubject("ServerDeadLetter", subject)
	}
}

// ServerResults sets the subject under which what the endpoint returns is stored, before its message is acknowledged, with
// Delivery.ID as its Nats-Msg-Id, so that the stream drops those of repeated deliveries. A stream must take it. Without it
// responses are dropped. It replaces an earlier one.
func ServerResults(subject string) ServerOption {
	return func(c *serverConfig) error {
		c.results = subject
		return checkSubject("ServerResults", subject)
	}
}
