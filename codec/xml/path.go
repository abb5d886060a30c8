package xml

import (
	"bytes"
	"encoding/xml"

	"github.com/ashlar-go/ashlar/internal/docpath"
)

// element is on the way from the root to the one that is being read.
type element struct {
	name     string
	index    int            // among the children of its parent with the same name
	children map[string]int // how many of each name there are
}

// path returns the path of the element that was read last when the offset was reached. The root has no part in it, and an
// index stands where a name comes more than once.
func path(data []byte, offset int64) string {
	d := xml.NewDecoder(bytes.NewReader(data))
	open := []*element{{}}
	var closed *element
	var found []*element // once the offset is passed
	for {
		token, err := d.RawToken()
		if found == nil && (err != nil || d.InputOffset() > offset) {
			found = append(found, open...)
			if closed != nil {
				found = append(found, closed)
			}
		}
		if err != nil { // io.EOF, too: it takes the whole document to know which names come more than once
			return join(found)
		}
		switch t := token.(type) {
		case xml.StartElement:
			open, closed = append(open, open[len(open)-1].child(t.Name.Local)), nil
		case xml.EndElement:
			if len(open) > 1 {
				open, closed = open[:len(open)-1], open[len(open)-1]
			}
		}
	}
}

func (e *element) child(name string) *element {
	if e.children == nil {
		e.children = make(map[string]int)
	}
	child := &element{name: name, index: e.children[name]}
	e.children[name]++
	return child
}

// join writes the path of the last of these, of which the first stands for the document and the second for its root.
func join(elements []*element) (path string) {
	for i := len(elements) - 1; i > 1; i-- {
		e := elements[i]
		if elements[i-1].children[e.name] > 1 {
			path = docpath.Index(e.index, path)
		}
		path = docpath.Member(e.name, path)
	}
	return path
}
