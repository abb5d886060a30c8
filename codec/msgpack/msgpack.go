// Package msgpack is the MessagePack encoding (https://github.com/msgpack/msgpack/blob/master/spec.md), by
// github.com/vmihailenco/msgpack.
//
// A struct is a map from the names of its fields: the name in the tag `msgpack:"..."`, else that in `json:"..."`, else the
// field's own, so that a type made for JSON needs no further tags. The options in the tag are those of vmihailenco's
// library: omitempty, alias:name, noinline. Embedded structs are inlined, whatever their name; pointers to them are not
// decoded. A time.Time is a timestamp, which has no zone: it comes back in UTC. A time.Duration is a
// number of nanoseconds. Types with methods of encoding.TextMarshaler, encoding.BinaryMarshaler or of
// vmihailenco's interfaces decide for themselves.
//
// Decode is stricter than vmihailenco's library, which limits no depth and looks for no overflow. Before anything is
// decoded the document is held against the type: an integer must fit, strings must be UTF-8, a name may come only once, an
// extension is a timestamp, and all that is declared must be there. A number in double precision is rounded where the type
// has a float32, and refused where it is too large.
package msgpack

import (
	"sync"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ContentType is what the codec writes.
const ContentType = "application/msgpack"

var contentTypes = []string{ContentType, "application/x-msgpack", "application/vnd.msgpack"}

// Codec is MessagePack. It is made by New, does not change, and is safe for concurrent use.
type Codec struct {
	settings

	shapes sync.Map // reflect.Type to *shape, complete ones only
}

// New returns the MessagePack codec. It panics for an option that makes no sense.
func New(opts ...Option) *Codec {
	c := &Codec{settings: settings{maxDepth: DefaultMaxDepth, maxElements: DefaultMaxElements}}
	option.Apply("msgpack: New", &c.settings, opts)
	return c
}

var _ codec.Codec = (*Codec)(nil)

// ContentTypes returns application/msgpack, and application/x-msgpack and application/vnd.msgpack, which it reads too.
func (*Codec) ContentTypes() []string { return contentTypes }
