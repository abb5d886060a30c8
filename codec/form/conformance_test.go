package form_test

import (
	"net/url"
	"testing"

	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/form"
)

// nested has what forms can nest.
type nested struct {
	Labels  map[string]string
	Address *address
	IDs     []int
}

func TestConformance(t *testing.T) {
	t.Parallel()
	codectest.Run(t, codectest.Harness{
		Codec: form.New(),
		Without: codectest.Roots | codectest.Nesting | codectest.Null | codectest.Maps | codectest.NestedSlices | codectest.Any |
			codectest.End | codectest.NonEmpty,
		Samples: []any{
			&url.Values{"a": {"1", ""}, "": {"no name"}, "ü.&=": {"%"}},
			&nested{Labels: map[string]string{"a.b": "x", "": "y"}, Address: &address{City: "Köln", Tags: []string{"a", ""}}, IDs: []int{1, 2}},
		},
		Malformed: []codectest.Document{
			{Name: "an escape that is none", Data: []byte("name=%zz"), Into: new(codectest.Flat), Path: "name"},
			{Name: "an escape without an end", Data: []byte("name=%4"), Into: new(codectest.Flat), Path: "name"},
			{Name: "a name with an escape that is none", Data: []byte("%=1"), Into: new(codectest.Flat)},
			{Name: "a value that is not UTF-8", Data: []byte("name=%ff"), Into: new(codectest.Flat), Path: "name"},
			{Name: "two values for one", Data: []byte("name=a&name=b"), Into: new(codectest.Flat), Path: "name"},
		},
		WrongType: []codectest.Document{
			{Name: "a price in words", Data: []byte("name=a&price=cheap"), Into: new(codectest.Flat), Path: "price"},
			{Name: "an id in words", Data: []byte("id=1&id=2&id=x"), Into: new(everything), Path: "id[2]"},
			{Name: "one in a struct", Data: []byte("address.zip=x"), Into: new(everything), Path: "address.zip"},
		},
		Trailing: []string{"&name=%zz", "%", "&price=1"},
	})
}
