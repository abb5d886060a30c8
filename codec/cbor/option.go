package cbor

import (
	"math"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Option configures New.
type Option func(*settings) error

type settings struct {
	maxDepth      int
	maxElements   int
	rejectUnknown bool
}

const (
	// DefaultMaxDepth is how many levels of arrays, maps and tags a document may have, unless MaxDepth says otherwise.
	DefaultMaxDepth = 128
	// DefaultMaxElements is how many elements a document may have, unless MaxElements says otherwise. An element of one
	// byte can become a struct of hundreds, so that the size of a body alone does not limit memory enough.
	DefaultMaxElements = 256 * 1024
)

// What the library takes; mostDepth is what a goroutine's stack takes with ease.
const (
	leastDepth    = 4
	mostDepth     = 10_000
	leastElements = 16
)

// MaxDepth limits the levels of arrays, maps and tags, from 4 to 10,000: [[1]] has two. The default is DefaultMaxDepth.
func MaxDepth(levels int) Option {
	return func(s *settings) error {
		s.maxDepth = levels
		return option.Within("MaxDepth", levels, leastDepth, mostDepth)
	}
}

// MaxElements limits the elements of all arrays and the pairs of all maps of a document together, from 16. Those that v does
// not have count, too. The default is DefaultMaxElements.
func MaxElements(n int) Option {
	return func(s *settings) error {
		s.maxElements = n
		return option.Within("MaxElements", n, leastElements, math.MaxInt32)
	}
}

// RejectUnknown makes Decode refuse a member that v does not have. By default it is passed over, so that a new client can
// talk to an old server.
func RejectUnknown() Option {
	return func(s *settings) error {
		s.rejectUnknown = true
		return nil
	}
}
