package proto

import (
	"math"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Option configures New.
type Option func(*settings) error

type settings struct {
	maxDepth       int
	maxElements    int
	discardUnknown bool
}

// mostDepth is Go's own limit.
const mostDepth = 10_000

// DefaultMaxDepth is how deep messages may nest unless MaxDepth says otherwise: the limit of Protocol Buffers in C++ and
// Java, where Go's own is 10,000.
const DefaultMaxDepth = 100

// MaxDepth limits how deep the messages that Decode reads may nest, from 1 to 10,000; a message that holds none has depth 1, and
// an entry of a map counts as a message.
// The default is DefaultMaxDepth.
func MaxDepth(levels int) Option {
	return func(s *settings) error {
		s.maxDepth = levels
		return option.Within("MaxDepth", levels, 1, mostDepth)
	}
}

// DefaultMaxElements is how many messages a message may hold, unless MaxElements says otherwise. One of two bytes can become
// a struct of hundreds, so that the size of a body alone does not limit memory enough.
const DefaultMaxElements = 256 * 1024

// MaxElements limits the messages inside a message that Decode reads, on all levels together, from 1; an entry of a map
// counts as a message. The default is DefaultMaxElements. Numbers and texts are not counted, since they take little more
// memory than bytes.
func MaxElements(n int) Option {
	return func(s *settings) error {
		s.maxElements = n
		return option.Within("MaxElements", n, 1, math.MaxInt32)
	}
}

// DiscardUnknown makes Decode forget fields that the message does not have. By default they are kept, so that a proxy that is
// older than both of its neighbours loses nothing.
func DiscardUnknown() Option {
	return func(s *settings) error {
		s.discardUnknown = true
		return nil
	}
}
