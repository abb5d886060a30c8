// Package xml is the XML encoding (XML 1.0 in UTF-8), by encoding/xml, whose tags `xml:"..."` name elements and attributes.
// It is the one encoding that does not fall back to the names in `json:"..."`, since encoding/xml has no such thing.
//
// What XML has no form for stays out: maps, channels, functions, complex numbers and arrays are refused, a value of type any is
// not read back, a nil pointer is left out, and a character that XML does not have becomes U+FFFD, in a []byte, too. A
// document has one root, so that a slice is no document.
//
// Decode refuses document type declarations, and with them entities other than the five of XML, and encodings other
// than UTF-8. Elements that the type does not have are passed over.
package xml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/ashlar-go/ashlar/codec"
)

// ContentType is what the codec writes.
const ContentType = "application/xml"

var contentTypes = []string{ContentType, "text/xml"}

// Option configures New.
type Option func(*settings) error

type settings struct{ maxDepth int }

// DefaultMaxDepth is how many levels of elements a document may have, unless MaxDepth says otherwise.
const DefaultMaxDepth = 128

// mostDepth is where the library itself gives up.
const mostDepth = 10_000

// MaxDepth limits the levels of elements, from 1 to 10,000: <a><b/></a> has two. The default is DefaultMaxDepth.
func MaxDepth(levels int) Option {
	return func(s *settings) error {
		if levels < 1 || levels > mostDepth {
			return fmt.Errorf("MaxDepth(%d): want 1 to %d", levels, mostDepth)
		}
		s.maxDepth = levels
		return nil
	}
}

// Codec is XML. It is made by New, does not change, and is safe for concurrent use.
type Codec struct {
	settings

	types    sync.Map // reflect.Type to the error for it, or nil
	encoders sync.Pool
}

// New returns the XML codec. It panics for an option that makes no sense.
func New(opts ...Option) *Codec {
	c := &Codec{
		settings: settings{maxDepth: DefaultMaxDepth},
		encoders: sync.Pool{New: func() any { return newEncoder() }},
	}
	for _, o := range opts {
		if o == nil {
			panic("xml: New: an option is nil")
		}
		if err := o(&c.settings); err != nil {
			panic("xml: New: " + err.Error())
		}
	}
	return c
}

var _ codec.Codec = (*Codec)(nil)

// ContentTypes returns application/xml, and text/xml, which it reads too.
func (*Codec) ContentTypes() []string { return contentTypes }

// encoder is a pooled encoder, which is where its output goes, too.
type encoder struct {
	*xml.Encoder

	dst []byte
}

func newEncoder() *encoder {
	e := new(encoder)
	e.Encoder = xml.NewEncoder(e)
	return e
}

func (e *encoder) Write(p []byte) (int, error) {
	e.dst = append(e.dst, p...)
	return len(p), nil
}

// Append appends the XML of v to dst, without a declaration. The root is named by the field XMLName of a struct, else by the
// type.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	if err := c.check(reflect.TypeOf(v)); err != nil {
		return dst, fmt.Errorf("xml: encoding %T: %w", v, err)
	}
	e, _ := c.encoders.Get().(*encoder)
	e.dst = dst
	if err := e.Encode(v); err != nil {
		return dst, fmt.Errorf("xml: encoding %T: %w", v, err) // the encoder is not used again
	}
	out := e.dst
	e.dst = nil
	c.encoders.Put(e)
	if len(out) == len(dst) {
		return dst, fmt.Errorf("xml: encoding %T: %w", v, errors.New("nil has no XML"))
	}
	return out, nil
}
