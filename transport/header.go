package transport

import (
	"context"
	"iter"
	"net/textproto"
	"slices"
)

// Header holds the header fields of a call, whatever they are called on the transport: HTTP fields, gRPC metadata, NATS
// headers. Keys are compared without regard to case. It is not safe for concurrent use.
type Header interface {
	// Get returns the first value of the key, "" where there is none.
	Get(key string) string
	// Values returns all values of the key. The caller must not change the slice.
	Values(key string) []string
	// Set replaces the values of the key; without values it removes the key.
	Set(key string, values ...string)
	// All yields each key with its values, in no particular order.
	All() iter.Seq2[string, []string]
}

// AddHeader adds a value to those of the key.
func AddHeader(header Header, key, value string) {
	header.Set(key, append(slices.Clip(header.Values(key)), value)...)
}

// HeaderMap is a Header in memory, with keys in canonical MIME form. An http.Header converts to it without a copy.
type HeaderMap map[string][]string

// Get returns the first value of the key, "" where there is none.
func (h HeaderMap) Get(key string) string { return textproto.MIMEHeader(h).Get(key) }

// Values returns all values of the key.
func (h HeaderMap) Values(key string) []string { return textproto.MIMEHeader(h).Values(key) }

// Set replaces the values of the key; without values it removes the key.
func (h HeaderMap) Set(key string, values ...string) {
	key = textproto.CanonicalMIMEHeaderKey(key)
	if len(values) == 0 {
		delete(h, key)
		return
	}
	h[key] = values
}

// All yields each key with its values.
func (h HeaderMap) All() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for key, values := range h {
			if !yield(key, values) {
				return
			}
		}
	}
}

// outgoing is a link of the chain of header fields that a context gives to the calls made with it.
type outgoing struct {
	context.Context

	before *outgoing
	key    string
	values []string
}

type outgoingKey struct{}

func (c *outgoing) Value(key any) any {
	if key == (outgoingKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// WithHeader returns a context with which every call carries the header field, instead of what an earlier WithHeader gave
// for the same key; without values the key is not sent. The context does not change afterwards, so calls made with it
// at the same time do not disturb each other. Header fields of the call being served
// are not forwarded by themselves, but for its priority.
func WithHeader(ctx context.Context, key string, values ...string) context.Context {
	before, _ := ctx.Value(outgoingKey{}).(*outgoing)
	return &outgoing{Context: ctx, before: before, key: key, values: slices.Clip(slices.Clone(values))}
}

// SetOutgoing sets what WithHeader has put into ctx on header, and the priority of ctx. Client transports call it, in each call.
func SetOutgoing(ctx context.Context, header Header) {
	if p := PriorityOf(ctx); p != PriorityDefault {
		header.Set(PriorityHeader, p.String())
	}
	if last, ok := ctx.Value(outgoingKey{}).(*outgoing); ok {
		last.set(header)
	}
}

func (c *outgoing) set(header Header) {
	if c.before != nil {
		c.before.set(header)
	}
	header.Set(c.key, c.values...)
}
