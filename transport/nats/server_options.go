package natstransport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ServerOption sets up a server. Options of the same name append to each other, in order, unless they say otherwise.
type ServerOption func(*serverConfig) error

type serverConfig struct {
	encodings

	subject     string
	prefix      string // of the subject, with the dot
	queue       string
	metadata    map[string]string
	maxRequest  int64
	maxInFlight int
	stream      streamLimits
	middleware  []endpoint.Middleware
	before      []func(context.Context) context.Context
	after       []func(context.Context)
	finalizers  []func(context.Context, Outcome)
	onError     []func(context.Context, error)
}

func newServerConfig(spec endpoint.Spec, opts []ServerOption) (*serverConfig, error) {
	c := &serverConfig{queue: DefaultQueueGroup, maxRequest: DefaultMaxRequest, maxInFlight: DefaultMaxInFlight, stream: defaultStreamLimits()}
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	var err error
	if c.subject, err = subjectOf(spec, c.subject); err != nil {
		return nil, err
	}
	c.subject = c.prefix + c.subject
	return c, c.complete()
}

// ServerPrefix puts the prefix and a dot before the subject that requests come on. With one of its own, such as "payments-7f3a", an
// instance can be called by itself, by clients over a Conn.At of it, and be the address of an instance in a registry. It replaces an
// earlier one.
func ServerPrefix(prefix string) ServerOption {
	return func(c *serverConfig) error {
		if err := checkSubject(prefix); err != nil {
			return fmt.Errorf("ServerPrefix: %w", err)
		}
		c.prefix = prefix + "."
		return nil
	}
}

// ServerSubject sets the subject that requests come on, instead of the one that Subject returns. It replaces an earlier one.
func ServerSubject(subject string) ServerOption {
	return func(c *serverConfig) error {
		if err := checkSubject(subject); err != nil {
			return fmt.Errorf("ServerSubject: %w", err)
		}
		c.subject = subject
		return nil
	}
}

// ServerQueueGroup sets the queue group: of all that serve the subject in one group, one gets a request. The default is
// DefaultQueueGroup. It replaces an earlier one.
func ServerQueueGroup(name string) ServerOption {
	return func(c *serverConfig) error {
		if name == "" {
			return errors.New("ServerQueueGroup: the name is empty, and every instance would serve every request")
		}
		if err := checkToken(name); err != nil {
			return fmt.Errorf("ServerQueueGroup: %w", err)
		}
		c.queue = name
		return nil
	}
}

// ServerMetadata adds to what the server is described with to those who ask NATS, as `nats micro info` does.
func ServerMetadata(metadata map[string]string) ServerOption {
	return func(c *serverConfig) error {
		if c.metadata == nil {
			c.metadata = make(map[string]string)
		}
		maps.Copy(c.metadata, metadata)
		return nil
	}
}

// ServerCodecs sets the codecs that requests are read with. A response is in the encoding of its request. A request without a
// Content-Type is JSON, or of the first codec when none is for JSON. The default is JSON alone. It replaces an earlier one.
func ServerCodecs(codecs ...codec.Codec) ServerOption {
	return func(c *serverConfig) error { return c.setCodecs(codecs) }
}

// ServerMaxRequest limits a request to n bytes; on a stream, each message. The default is DefaultMaxRequest. NATS has a limit of its
// own, its max_payload. It replaces an earlier one.
func ServerMaxRequest(n int64) ServerOption {
	return func(c *serverConfig) error {
		if n <= 0 {
			return fmt.Errorf("ServerMaxRequest of %d bytes, want more than 0", n)
		}
		c.maxRequest = n
		return nil
	}
}

// ServerMaxInFlight limits how many requests, or streams, are served at once, those included that wait for a moment to begin. One
// more is answered at once with Unavailable, the reason OVERLOADED and a time after which to come back. The default is
// DefaultMaxInFlight. It replaces an earlier one.
func ServerMaxInFlight(n int) ServerOption {
	return func(c *serverConfig) error {
		if n <= 0 || n > math.MaxInt32 {
			return fmt.Errorf("ServerMaxInFlight of %d, want 1 to %d", n, math.MaxInt32)
		}
		c.maxInFlight = n
		return nil
	}
}

// ServerMiddleware decorates the whole of decoding, endpoint and, on a stream, all of its life, so that a refused request
// is never decoded. The request that it sees is a *Request, and on a stream an *endpoint.Messages.
func ServerMiddleware(mw ...endpoint.Middleware) ServerOption {
	return func(c *serverConfig) error {
		c.middleware = append(c.middleware, mw...)
		return option.RefuseNil("ServerMiddleware", mw)
	}
}

// ServerBefore adds hooks that run first, in order, and may add to the context. transport.FromContext has the call.
func ServerBefore(hooks ...func(ctx context.Context) context.Context) ServerOption {
	return func(c *serverConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ServerBefore", hooks)
	}
}

// ServerAfter adds hooks that run when the endpoint has succeeded, before its response is encoded. They may set header
// fields, of what transport.FromContext has. On a stream they run before the first message, or at its end where there is none.
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

// ServerErrorHandler adds hooks that see each error, before it is sent, with all of its causes: status.From of what the
// endpoint, the decoding or the encoding returned. Without any, errors that were not written to be shown, panics among
// them, go to the standard logger of package log, with their IDs. Requests that come when there are too many do not reach the hooks;
// they are counted.
func ServerErrorHandler(hooks ...func(ctx context.Context, err error)) ServerOption {
	return func(c *serverConfig) error {
		c.onError = append(c.onError, hooks...)
		return option.RefuseNil("ServerErrorHandler", hooks)
	}
}
