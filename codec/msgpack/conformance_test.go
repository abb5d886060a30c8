package msgpack_test

import (
	"bytes"
	"testing"

	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/msgpack"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	codectest.Run(t, codectest.Harness{
		Codec:    msgpack.New(),
		Without:  codectest.Sorted, // maps from strings to other types than string, bool and any
		MaxDepth: msgpack.DefaultMaxDepth,
		Malformed: []codectest.Document{
			{Name: "a byte that begins nothing", Data: []byte("\xc1")},
			{Name: "text longer than the document", Data: []byte("\x81\xa2id\xdb\xff\xff\xff\xffx"), Path: "id"},
			{Name: "an array longer than the document", Data: []byte("\x81\xa5items\xdd\xff\xff\xff\xff"), Path: "items"},
			{Name: "a map longer than the document", Data: []byte("\xdf\xff\xff\xff\xff")},
			{Name: "a name twice", Data: []byte("\x82\xa2id\xa11\xa2id\xa12"), Path: "id"},
			{Name: "a name that is a number", Data: []byte("\x81\x01\x01")},
			{Name: "text that is not UTF-8", Data: []byte("\x81\xa2id\xa1\xff"), Path: "id"},
			{Name: "an unfinished member that nobody reads", Data: []byte("\x81\xa5other\x92\x01")},
		},
		Trailing: []string{"\xc0", "\x00", "\xc1", " ", "\n"},
		Deep: func(depth int) codectest.Document {
			data := append(bytes.Repeat([]byte("\x81\xa4next"), depth-1), 0x80)
			return codectest.Document{Name: "nested maps", Data: data, Into: new(codectest.Node)}
		},
	})
}
