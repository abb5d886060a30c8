// Package xml is the XML encoding (XML 1.0 in UTF-8), by encoding/xml, whose tags `xml:"..."` name elements and attributes.
// It is the one encoding that does not fall back to the names in `json:"..."`, since encoding/xml has no such thing.
//
// What XML has no form for stays out: maps, channels, functions, complex numbers and arrays are refused, a value of type any is
// not read back, a nil pointer is left out, and a character that XML does not have becomes U+FFFD, in a []byte, too. A
// document has one root, so that a slice is no document.
//
// Decode refuses document type declarations, and with them entities other than the five of XML, and encodings other
// than UTF-8. Elements that the type does not have are passed over. Of an attribute that comes twice the last one counts,
// as in encoding/xml, where XML forbids it.
package xml

import (
	"math"
	"sync"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ContentType is what the codec writes.
const ContentType = "application/xml"

var contentTypes = []string{ContentType, "text/xml"}

// Option configures New.
type Option func(*settings) error

type settings struct{ maxDepth, maxElements int }

// DefaultMaxDepth is how many levels of elements a document may have, unless MaxDepth says otherwise.
const DefaultMaxDepth = 128

// DefaultMaxElements is how many elements a document may have, unless MaxElements says otherwise. An element of four bytes
// can become a struct of hundreds, so that the size of a body alone does not limit memory enough.
const DefaultMaxElements = 256 * 1024

// mostDepth is where the library itself gives up.
const mostDepth = 10_000

// MaxDepth limits the levels of elements, from 1 to 10,000: <a><b/></a> has two. The default is DefaultMaxDepth.
func MaxDepth(levels int) Option {
	return func(s *settings) error {
		s.maxDepth = levels
		return option.Within("MaxDepth", levels, 1, mostDepth)
	}
}

// MaxElements limits the elements of a document, from 1: <a><b/></a> has two. The default is DefaultMaxElements.
func MaxElements(n int) Option {
	return func(s *settings) error {
		s.maxElements = n
		return option.Within("MaxElements", n, 1, math.MaxInt32)
	}
}

// Codec is XML. It is made by New, does not change, and is safe for concurrent use.
type Codec struct {
	settings

	types   sync.Map // reflect.Type to the error for it, or nil
	outputs sync.Pool
}

// New returns the XML codec. It panics for an option that makes no sense.
func New(opts ...Option) *Codec {
	c := &Codec{
		settings: settings{maxDepth: DefaultMaxDepth, maxElements: DefaultMaxElements},
		outputs:  sync.Pool{New: func() any { return newOutput() }},
	}
	option.Apply("xml: New", &c.settings, opts)
	return c
}

var _ codec.Codec = (*Codec)(nil)

// ContentTypes returns application/xml, and text/xml, which it reads too.
func (*Codec) ContentTypes() []string { return contentTypes }
