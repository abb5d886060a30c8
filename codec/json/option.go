package json

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
)

// Option configures New.
type Option func(*settings) error

type settings struct {
	maxDepth     int
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

// mostDepth is where the library itself gives up.
const mostDepth = 10_000

// MaxDepth limits the levels of objects and arrays that Decode builds, from 1 to 10,000: [[1]] has two. The default is
// DefaultMaxDepth. What no Go value is built from, inside members that v does not have, may nest 10,000 levels deep, since
// passing it over costs next to nothing.
func MaxDepth(levels int) Option {
	return func(s *settings) error {
		if levels < 1 || levels > mostDepth {
			return fmt.Errorf("MaxDepth(%d): want 1 to %d", levels, mostDepth)
		}
		s.maxDepth = levels
		return nil
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
