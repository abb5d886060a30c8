package transporttest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/codec"
)

// Message is what all operations of the suite take and send. A nil Data equals an empty one.
type Message struct {
	Text   string `json:"text"`
	Number int64  `json:"number"`
	Data   []byte `json:"data"`
}

// MaxMessage is the limit that the harness sets for each message, in bytes of its encoding, on both sides and both ways.
const MaxMessage = 64 << 10

// Two texts tell the encoding of the harness to do what it is not meant to.
const (
	// Garbled is the Text of a message that is to be encoded as something that cannot be decoded as a Message: its number is no number, where
	// the encoding can say so. On a transport that does not encode, it is a message like others.
	Garbled = "transporttest: garbled"
	// Unencodable is the Text of a message whose encoding fails, with ErrUnencodable.
	Unencodable = "transporttest: unencodable"
)

// ErrUnencodable is what the encoding of an Unencodable message fails with. It is not to be shown to the other side.
var ErrUnencodable = errors.New("transporttest: this message cannot be encoded: " + secret)

// secret is what must not reach the other side.
const secret = "hunter2"

func (m Message) equal(other Message) bool {
	return m.Text == other.Text && m.Number == other.Number && bytes.Equal(m.Data, other.Data)
}

// String returns the message, cut to what a person reads.
func (m Message) String() string {
	const shown = 40
	return fmt.Sprintf("{%.*q %d %.*q}", shown, m.Text, m.Number, shown, m.Data)
}

// compare returns an error where the messages are not those that were wanted.
func compare(what string, want, have []Message) error {
	if len(want) != len(have) {
		return fmt.Errorf("%ss: want %d, have %d", what, len(want), len(have))
	}
	i := 0
	if !slices.EqualFunc(want, have, func(a, b Message) bool { i++; return a.equal(b) }) {
		return fmt.Errorf("%s %d: want %v, have %v", what, i, want[i-1], have[i-1])
	}
	return nil
}

// samples are messages whose encoding has something that could go wrong.
func samples() []Message {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	const exact = 1<<53 + 1 // no float64
	return []Message{
		{Text: "hello", Number: 1, Data: []byte("data")},
		{},
		{Text: "\"quotes\"\\, </script> & \u2028 and 世界 🧱", Number: math.MinInt64},
		{Text: "lines\r\ndata: x\n\nevent: end\n\x00", Number: math.MaxInt64, Data: all},
		{Number: exact, Data: []byte{0}},
	}
}

// large returns a message whose encoding has just less than MaxMessage bytes.
func large(number int64) Message {
	const room = 512 // for the rest of it
	return Message{Text: strings.Repeat("x", MaxMessage-room), Number: number}
}

// Codec returns by, an encoding that writes structs of Go, with what Garbled and Unencodable ask for.
func Codec(by codec.Codec) codec.Codec { return testCodec{by} }

type testCodec struct{ codec.Codec }

// garbled is a Message with a number in words.
type garbled struct {
	Text   string `json:"text"`
	Number string `json:"number"`
}

// Append implements codec.Codec.
func (c testCodec) Append(dst []byte, v any) ([]byte, error) {
	m, ok := v.(*Message)
	if !ok {
		if value, is := v.(Message); is {
			m, ok = &value, true
		}
	}
	switch {
	case ok && m != nil && m.Text == Garbled:
		return c.Codec.Append(dst, &garbled{Number: "many"})
	case ok && m != nil && m.Text == Unencodable:
		return dst, ErrUnencodable
	}
	return c.Codec.Append(dst, v)
}
