// Package form is the encoding of HTML forms, application/x-www-form-urlencoded (https://url.spec.whatwg.org/#urlencoded-parsing),
// for flat messages.
//
// A struct is a list of pairs with the names of its fields: the name in the tag `form:"..."`, else that in `json:"..."`, else the
// field's own. After the name the tag may say omitempty. Fields are
//
//   - scalars: strings, booleans, numbers, times as of RFC 3339, durations such as 1.5s, byte slices in base64, types with the
//     methods of encoding.TextUnmarshaler, and pointers to these, which are nil where the pair is missing or empty;
//   - slices of scalars: a pair for each element;
//   - structs, and pointers to them: a pair for each of their fields, by the name address.city;
//   - maps from strings to scalars or to slices of them: labels.color. A url.Values or another such map can be the whole
//     document;
//   - embedded structs without a tag, whose fields count as those of the outer struct.
//
// For a type with any other field both Append and Decode fail. HTML forms leave out a checkbox that is not checked; one that is
// has to have the value true, since "on" is no boolean here.
package form

import (
	"math"
	"sync"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ContentType is what the codec reads and writes.
const ContentType = "application/x-www-form-urlencoded"

var contentTypes = []string{ContentType}

// Option configures New.
type Option func(*settings) error

type settings struct {
	maxPairs      int
	maxSize       int
	rejectUnknown bool
}

const (
	// DefaultMaxPairs is how many pairs a document may have, unless MaxPairs says otherwise.
	DefaultMaxPairs = 10_000
	// DefaultMaxSize is how many bytes a document may have, unless MaxSize says otherwise. It is what net/http reads of a
	// form.
	DefaultMaxSize = 10 << 20
)

// MaxPairs limits the pairs of a document. The default is DefaultMaxPairs.
func MaxPairs(n int) Option {
	return func(s *settings) error {
		s.maxPairs = n
		return option.Within("MaxPairs", n, 1, math.MaxInt32)
	}
}

// MaxSize limits the bytes of a document. The default is DefaultMaxSize.
func MaxSize(bytes int) Option {
	return func(s *settings) error {
		s.maxSize = bytes
		return option.Within("MaxSize", bytes, 1, math.MaxInt32)
	}
}

// RejectUnknown makes Decode refuse a name that v does not have. By default it is passed over, as browsers and
// frameworks add some of their own.
func RejectUnknown() Option {
	return func(s *settings) error {
		s.rejectUnknown = true
		return nil
	}
}

// Codec is the encoding of forms. It is made by New, does not change, and is safe for concurrent use.
type Codec struct {
	settings

	plans sync.Map // reflect.Type to *plan
}

// New returns the codec of forms. It panics for an option that makes no sense.
func New(opts ...Option) *Codec {
	c := &Codec{settings: settings{maxPairs: DefaultMaxPairs, maxSize: DefaultMaxSize}}
	option.Apply("form: New", &c.settings, opts)
	return c
}

var _ codec.Codec = (*Codec)(nil)

// ContentTypes returns application/x-www-form-urlencoded.
func (*Codec) ContentTypes() []string { return contentTypes }
