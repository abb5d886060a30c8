package json_test

import (
	"bytes"
	"testing"

	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/json"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	codectest.Run(t, codectest.Harness{
		Codec:    json.New(),
		MaxDepth: 10000,
		Malformed: []codectest.Document{
			{Name: "a name without quotes", Data: []byte(`{id:"1"}`)},
			{Name: "a comma too many", Data: []byte(`{"id":"1",}`)},
			{Name: "text that is not UTF-8", Data: []byte("{\"id\":\"\xff\"}")},
			{Name: "a member twice", Data: []byte(`{"id":"1","id":"2"}`)},
			{Name: "not JSON at all", Data: []byte("<order/>")},
		},
		Trailing: []string{"x", "{}", ",", "]", "}", "\x00", " 1", "//"},
		Deep: func(depth int) codectest.Document {
			data := append(bytes.Repeat([]byte(`{"next":`), depth-1), "{}"...)
			return codectest.Document{Data: append(data, bytes.Repeat([]byte("}"), depth-1)...), Into: new(codectest.Node)}
		},
	})
}
