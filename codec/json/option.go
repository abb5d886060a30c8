package json

import (
	"errors"
	"math"

	"github.com/go-json-experiment/json"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Option configures New.
type Option func(*settings) error

type settings struct {
	maxDepth     int
	maxElements  int
	fast         bool // whether no option changes how plain types are encoded
	json         []json.Options
	marshalers   *json.Marshalers
	unmarshalers *json.Unmarshalers
}

// forMessages returns the options with which Protocol Buffers messages are encoded, nil if they are not.
func (s *settings) forMessages(options json.Options) []json.Options {
	if s.marshalers == nil {
		return nil
	}
	marshalers, _ := json.GetOption(options, json.WithMarshalers)
	unmarshalers, _ := json.GetOption(options, json.WithUnmarshalers)
	return []json.Options{json.JoinOptions(options,
		json.WithMarshalers(json.JoinMarshalers(marshalers, s.marshalers)),
		json.WithUnmarshalers(json.JoinUnmarshalers(unmarshalers, s.unmarshalers)))}
}

// DefaultMaxDepth is how many levels of objects and arrays a document may have, unless MaxDepth says otherwise. People
// write a dozen; what is generated from syntax trees may have fifty.
const DefaultMaxDepth = 128

// DefaultMaxElements is how many elements a document may have, unless MaxElements says otherwise. An element of three
// bytes can become a struct of hundreds, so that the size of a body alone does not limit memory enough. A document of
// 2 MiB rarely has as many.
const DefaultMaxElements = 256 * 1024

// mostDepth is where the library itself gives up.
const mostDepth = 10_000

// MaxDepth limits the levels of objects and arrays that Decode builds Go values from, from 1 to 10,000: [[1]] has two
// levels. The default is DefaultMaxDepth. The limit does not hold inside a member that v does not have: it is passed over,
// which costs next to nothing, and may be 10,000 levels deep.
func MaxDepth(levels int) Option {
	return func(s *settings) error {
		s.maxDepth = levels
		return option.Within("MaxDepth", levels, 1, mostDepth)
	}
}

// MaxElements limits the elements of all arrays and the members of all objects of a document together, from 1: the
// document [{"a":1},{}] has three. The default is DefaultMaxElements. Members that v does
// not have count, too.
func MaxElements(n int) Option {
	return func(s *settings) error {
		s.maxElements = n
		return option.Within("MaxElements", n, 1, math.MaxInt32)
	}
}

// RejectUnknown makes Decode refuse a member that v does not have. By default it is passed over, so that a new client can
// talk to an old server.
func RejectUnknown() Option {
	return func(s *settings) error {
		s.json = append(s.json, json.RejectUnknownMembers(true))
		return nil
	}
}

// Options passes options of encoding/json/v2 and encoding/json/jsontext on, such as json.FormatNilSliceAsNull or
// jsontext.EscapeForHTML. Later ones win. With any of them the library encodes plain types too, which takes longer. With
// json.WithUnmarshalers each document is checked for its depth beforehand, which costs up to a tenth of decoding it.
func Options(opts ...json.Options) Option {
	return func(s *settings) error {
		for _, o := range opts {
			if o == nil {
				return errors.New("Options: an option is nil")
			}
		}
		s.json, s.fast = append(s.json, opts...), false
		return nil
	}
}

// Messages lifts the refusal of Protocol Buffers messages and says how to encode and decode them, as codec/proto does.
// Types that surely hold neither a message nor an enumeration do without, and are as fast as ever.
func Messages(marshalers *json.Marshalers, unmarshalers *json.Unmarshalers) Option {
	return func(s *settings) error {
		if marshalers == nil || unmarshalers == nil {
			return errors.New("Messages: want marshalers and unmarshalers")
		}
		s.marshalers, s.unmarshalers = marshalers, unmarshalers
		return nil
	}
}
