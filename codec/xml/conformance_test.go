package xml_test

import (
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/xml"
)

// link has attributes in namespaces for which prefixes are made up, the second with a number.
type link struct {
	A string `xml:"urn:x a,attr"`
	B string `xml:"urn:y b,attr"`
}

func TestConformance(t *testing.T) {
	t.Parallel()
	codectest.Run(t, codectest.Harness{
		Codec:    xml.New(),
		Without:  codectest.Roots | codectest.Null | codectest.Maps | codectest.NestedSlices | codectest.Any | codectest.Binary,
		Samples:  []any{&link{A: "1", B: "2"}},
		MaxDepth: xml.DefaultMaxDepth,
		Malformed: []codectest.Document{
			{Name: "no XML", Data: []byte(`{"id":"1"}`)},
			{Name: "an element that is not closed", Data: []byte("<Order><id>1</Order>"), Path: "id"},
			{Name: "an attribute without quotes", Data: []byte("<Order a=1></Order>")},
			{Name: "text that is not UTF-8", Data: []byte("<Order><id>\xff</id></Order>")},
			{Name: "a character that XML does not have", Data: []byte("<Order><id>\x00</id></Order>")},
			{Name: "an entity", Data: []byte("<Order><id>&lol;</id></Order>")},
			{Name: "a document type", Data: []byte(`<!DOCTYPE o [<!ENTITY lol "lol">]><Order><id>&lol;</id></Order>`)},
			{Name: "another encoding", Data: []byte(`<?xml version="1.0" encoding="ISO-8859-1"?><Order/>`)},
			{Name: "text before the root", Data: []byte("x<Order/>")},
		},
		Trailing: []string{"x", "<Order/>", "</Order>", "<", "&lt;", "\x00", "<!DOCTYPE x>"},
		Deep: func(depth int) codectest.Document {
			data := "<Node>" + strings.Repeat("<next>", depth-1) + strings.Repeat("</next>", depth-1) + "</Node>"
			return codectest.Document{Name: "nested elements", Data: []byte(data), Into: new(codectest.Node)}
		},
	})
}
