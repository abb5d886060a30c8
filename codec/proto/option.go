package proto

import "github.com/ashlar-go/ashlar/internal/option"

// Option configures New.
type Option func(*settings) error

type settings struct {
	maxDepth       int
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

// DiscardUnknown makes Decode forget fields that the message does not have. By default they are kept, so that a proxy that is
// older than both of its neighbours loses nothing.
func DiscardUnknown() Option {
	return func(s *settings) error {
		s.discardUnknown = true
		return nil
	}
}
