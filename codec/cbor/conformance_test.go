package cbor_test

import (
	"bytes"
	"testing"

	"github.com/ashlar-go/ashlar/codec/cbor"
	"github.com/ashlar-go/ashlar/codec/codectest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	codectest.Run(t, codectest.Harness{
		Codec:    cbor.New(),
		MaxDepth: cbor.DefaultMaxDepth,
		Malformed: []codectest.Document{
			{Name: "a reserved head", Data: []byte("\x1c")},
			{Name: "text longer than the document", Data: []byte("\xa1\x62id\x7a\xff\xff\xff\xffx")},
			{Name: "an array longer than the document", Data: []byte("\xa1\x65items\x9a\xff\xff\xff\xff")},
			{Name: "a map longer than the document", Data: []byte("\xbb\xff\xff\xff\xff\xff\xff\xff\xff")},
			{Name: "a name twice", Data: []byte("\xa2\x62id\x611\x62id\x612"), Path: "id"},
			{Name: "text that is not UTF-8", Data: []byte("\xa1\x62id\x61\xff"), Path: "id"},
			{Name: "an array that does not stop", Data: []byte("\xa1\x65items\x9f")},
			{Name: "a stop that ends nothing", Data: []byte("\xff")},
			{Name: "an unfinished member that nobody reads", Data: []byte("\xa1\x65other\x82\x01")},
		},
		Trailing: []string{"\xf6", "\x00", "\xff", " ", "\n"},
		Deep: func(depth int) codectest.Document {
			data := append(bytes.Repeat([]byte("\xa1\x64next"), depth-1), 0xA0)
			return codectest.Document{Name: "nested maps", Data: data, Into: new(codectest.Node)}
		},
	})
}
